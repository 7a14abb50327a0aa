"""`mien calibrate`: watches a person at rest, keeps what it saw as a handful of numbers."""

import io
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from edge.build.appliance import build_components, fusion_options
from edge.build.outputs import this_host
from edge.build.sensors import nothing_connected
from edge.calibration.prior import (
    Baseline,
    Calibration,
    SenseReading,
    baseline_seen,
    covered_s,
    fingerprint,
)
from edge.calibration.storage import (
    check_writable,
    fitting,
    forget_calibration,
    load_calibration,
    save_calibration,
)
from edge.calibration.table import print_calibration
from edge.config.paths import calibration_file, models_folder
from edge.config.schema import Settings
from edge.errors import MienError, SensorError, SettingsError
from edge.fusion import Fusion, Reading
from edge.messages import SENSES, Belief, FaceReading, SenseName, VoiceReading
from edge.perception.manifest import Manifest, load_manifest
from edge.process.native_output import mute_native_code
from edge.process.printable import printable
from edge.process.signals import stopped_by_signals
from edge.runtime.appliance import Appliance
from edge.runtime.components import Components

Device = TypeVar("Device")

PATIENCE: Final = 3.0
"""Waits this many times as long as it wants to see, and `GRACE_S`, before it makes do."""
GRACE_S: Final = 5.0

ASK: Final[dict[SenseName, str]] = {
    "face": "Look at the camera with a resting face, as when you wait for a kettle: no smile, no "
    "frown.",
    "voice": "Read aloud in your usual voice: The ferry to the island leaves at ten past nine. It "
    "calls at two small harbours on the way and is back before it gets dark. Bring a coat.",
}
UNSEEN: Final[dict[SenseName, str]] = {
    "face": "No face was seen well enough: sit within a metre of the camera, in good light, and "
    "look straight at it.",
    "voice": "No voice was heard well enough: speak up, closer to the microphone, where it is "
    "quiet.",
}


def run_calibration(settings: Settings, *, clip: Path | None = None, seconds: float = 5.0) -> None:
    """Watch, listen, store and show; talks on the standard error.

    Args:
        settings: all of them; a sense that is switched off stays as it was calibrated before.
        clip: watch this file instead of camera and microphone.
        seconds: of face, then of voice.

    Raises:
        MienError: nothing could be calibrated, or it cannot be stored.
        KeyboardInterrupt: it was stopped; nothing was stored.
    """
    mute_native_code()
    file = _file(settings)
    check_writable(file)
    manifest = load_manifest(models_folder(settings.models.folder))
    if clip is None and nothing_connected(settings, this_host(settings)):
        raise SensorError(
            "No camera and no microphone found; plug one in, or calibrate from a recording of the "
            "person at rest with --clip."
        )
    # Without a standard error rich would take the standard output, which is for the result.
    console = Console(file=sys.stderr or io.StringIO(), highlight=False, soft_wrap=True)
    found: dict[SenseName, Baseline] = {}
    problems: list[MienError] = []
    for sense in _senses(settings, clip):
        try:
            found[sense] = _watch(sense, settings, manifest, clip, seconds, console)
        except MienError as error:
            problems.append(error)
    if not found:
        raise type(problems[0])(" ".join(str(problem) for problem in problems))
    for problem in problems:
        console.print(f"{printable(problem)} Going on without.", markup=False)
    before = _before(file, manifest)
    known = Calibration(
        face=found.get("face") or before.face, voice=found.get("voice") or before.voice
    )
    for sense in SENSES:
        if sense not in found and getattr(known, sense) is not None:
            console.print(f"The {sense} stays as it was calibrated before.")
    save_calibration(known, file)
    # As it will be used: the file keeps fewer digits.
    known = load_calibration(file)
    print_calibration(known, fusion_options(settings, manifest), file)


def show_calibration(settings: Settings) -> None:
    """Print what is stored and what it does.

    Raises:
        SettingsError: nothing is stored, or it cannot be used with these models.
    """
    file = _file(settings)
    manifest = load_manifest(models_folder(settings.models.folder))
    known, trouble = fitting(load_calibration(file), manifest)
    if not known:
        raise SettingsError(
            trouble or f"There is no calibration in {file}; make one with: mien calibrate"
        )
    print_calibration(known, fusion_options(settings, manifest), file, trouble)


def reset_calibration(settings: Settings) -> None:
    """Forget what is stored, and say so.

    Raises:
        SettingsError: it cannot be deleted.
    """
    file = _file(settings)
    name = printable(file)
    print(
        f"Forgotten: {name} is deleted."
        if forget_calibration(file)
        else f"There is nothing to forget: no calibration in {name}."
    )


def _file(settings: Settings) -> Path:
    file = calibration_file(settings.calibration.file)
    if file is None:
        raise SettingsError(
            'Calibration is switched off: [calibration] file is "none"; set it to "auto" or a path.'
        )
    return file


def _before(file: Path, manifest: Manifest) -> Calibration:
    """What is stored already and fits these models; a bad file is about to be replaced."""
    try:
        return fitting(load_calibration(file), manifest)[0]
    except MienError:
        return Calibration()


def _senses(settings: Settings, clip: Path | None) -> list[SenseName]:
    """The senses to calibrate, in order.

    Raises:
        SensorError: the clip has neither of those that are wanted.
    """
    wanted = {"face": settings.camera.enabled, "voice": settings.microphone.enabled}
    if clip is not None:
        from edge.sensors.clip_decoder import probe_clip

        info = probe_clip(clip)
        wanted["face"] &= info.has_picture
        wanted["voice"] &= info.has_sound
        if not any(wanted.values()):
            missing = "picture" if settings.camera.enabled else "sound"
            raise SensorError(f"{clip} has no {missing} to calibrate with; give another clip.")
    return [sense for sense in SENSES if wanted[sense]]


def _watch(
    sense: SenseName,
    settings: Settings,
    manifest: Manifest,
    clip: Path | None,
    seconds: float,
    console: Console,
) -> Baseline:
    """Run one sense until it has seen enough of the person.

    Raises:
        MienError: the sense cannot be had, or nobody was seen or heard.
        KeyboardInterrupt: it was stopped.
    """
    bar = Progress(
        TextColumn("{task.description:>5}"),
        BarColumn(30),
        TextColumn("{task.completed:.1f} of {task.total:.0f} s"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task(sense, total=seconds)
    watching = Watching(
        sense, seconds, lambda: bar.update(task, completed=min(watching.seen_s, seconds))
    )
    question = ASK[sense] if clip is None else f"Taking the {sense} of {clip.name} as at rest."
    components = _only(build_components(_alone(settings, sense), clip, repeat=False), watching)
    components = _asking(components, lambda: console.print(printable(question), markup=False))
    appliance = Appliance(
        components, lambda sentence: console.print(printable(sentence), markup=False)
    )
    watching.enough = appliance.stop
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        appliance.stop()

    with bar, stopped_by_signals(stop):
        report = appliance.run(seconds * PATIENCE + GRACE_S)
    if report.hung:
        console.print(printable(f"{', '.join(report.hung)} did not end in time."), markup=False)
    if stopped.is_set():
        raise KeyboardInterrupt
    entry = manifest.face if sense == "face" else manifest.voice
    rest = baseline_seen(watching.readings, fingerprint(entry))
    if rest is None:
        raise SensorError(UNSEEN[sense])
    if watching.seen_s < seconds:
        console.print(
            f"Only {watching.seen_s:.1f} of {seconds:g} s of your {sense} were of use, so it "
            "counts for less."
        )
    return rest


def _alone(settings: Settings, sense: SenseName) -> Settings:
    """The settings with only one sense switched on."""
    camera = settings.camera.model_copy(update={"enabled": sense == "face"})
    microphone = settings.microphone.model_copy(update={"enabled": sense == "voice"})
    return settings.model_copy(update={"camera": camera, "microphone": microphone})


def _only(components: Components, watching: "Watching") -> Components:
    """The components that watch, without displays, events and rest; *watching* takes the readings."""
    return replace(
        components, outputs=[], idle_policy=None, load_policy=None, fusion=lambda: watching
    )


def _asking(components: Components, ask: Callable[[], None]) -> Components:
    """The components, asking once as soon as the sensor is open: models take seconds to load."""
    asked = threading.Event()

    def then_ask(open_device: Callable[[], Device] | None) -> Callable[[], Device] | None:
        def opened() -> Device:
            assert open_device is not None
            device = open_device()
            if not asked.is_set():
                asked.set()
                ask()
            return device

        return None if open_device is None else opened

    return replace(
        components,
        open_camera=then_ask(components.open_camera),
        open_microphone=then_ask(components.open_microphone),
    )


class Watching:
    """Takes the place of the fusion: keeps the readings of one sense, and lets them be joined."""

    def __init__(self, sense: SenseName, enough_s: float, tell: Callable[[], None]) -> None:
        """Watch.

        Args:
            sense: whose readings are kept.
            enough_s: after so many seconds of face or voice `enough` is called.
            tell: is called whenever more has been seen.
        """
        self._fusion = Fusion()
        self._sense, self._enough_s, self._tell = sense, enough_s, tell
        self.enough: Callable[[], None] = lambda: None
        self.readings: list[SenseReading] = []
        self.seen_s = 0.0
        """Seconds of face or voice that were good enough to count."""

    def update(self, readings: Sequence[Reading], t_s: float) -> Belief:
        """Keep the readings of the sense that is watched."""
        wanted = FaceReading if self._sense == "face" else VoiceReading
        for reading in readings:
            if isinstance(reading, wanted):
                self.readings.append(reading)
                self.seen_s += float(covered_s(self.readings[-2:])[-1])
                self._tell()
        if self.seen_s >= self._enough_s:
            self.enough()
        return self._fusion.update(readings, t_s)
