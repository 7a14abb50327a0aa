"""Makes the components of the appliance from the settings."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge.build.outputs import output_makers, this_host
from edge.build.policies import heat_reader, idle_policy, load_policy
from edge.build.sensors import nothing_connected, open_camera, open_microphone
from edge.calibration.prior import Calibration, calibrated
from edge.calibration.storage import fitting, load_calibration
from edge.config.adapters import registry
from edge.config.named_by_person import named_by_person
from edge.config.paths import DEMO_CLIP, calibration_file, demo_clip, fetched_folder, models_folder
from edge.config.schema import Settings
from edge.emotions import DEFAULT_PRIOR, EMOTIONS
from edge.errors import MienError, ModelError, SensorError
from edge.fusion import Fusion, FusionOptions
from edge.hardware.host import Host
from edge.outputs.leds import DarkLight, LedSettings, RecordingLight, recording_light
from edge.outputs.terminal_keeper import cursor_back_when_paused
from edge.outputs.terminal_turn import beside_previews
from edge.process.crash_record import this_record
from edge.process.native_output import mute_native_code
from edge.process.printable import printable
from edge.process.signals import stopped_by_signals
from edge.process.systemd import open_notifier, under_systemd, watchdog_s
from edge.runtime.appliance import Appliance, Components
from edge.runtime.statistics import RunReport
from edge.sensors import Camera, Microphone

if TYPE_CHECKING:
    from edge.perception.face_reader import FaceReader
    from edge.perception.speech_gate import SpeechDetector, SpeechGate
    from edge.perception.voice_reader import VoiceReader


HANGS_AFTER: Final = 0.75
"""Part of the time after which systemd kills: then is kept where the threads are."""


def run_appliance(
    settings: Settings,
    *,
    seconds: float | None = None,
    clip: Path | None = None,
    repeat: bool = False,
    keep_trying: bool = False,
) -> int:
    """Run Mien until it is stopped, and say on the standard error what it did.

    Args:
        settings: all of them.
        seconds: stop so long after it is ready.
        clip: watch this file instead of camera and microphone.
        repeat: start the clip again when it ends.
        keep_trying: with neither camera nor microphone, show the fault and wait for them; a
            service of Type=notify always does.

    Returns:
        The exit code.

    Raises:
        MienError: it could not start; says why.
    """
    mute_native_code()
    keep_trying = keep_trying or under_systemd()
    if clip is None and not keep_trying and nothing_connected(settings, this_host(settings), say):
        _tell("No camera and no microphone found: showing the demo clip.")
        clip, repeat = demo_clip(), True
    components = build_components(settings, clip, repeat)
    for problem in registry().problems:
        say(problem)
    record = this_record()
    record.hide(named_by_person(settings, clip))
    record.watch(watchdog_s() * HANGS_AFTER)
    appliance = Appliance(components, say, keep_trying, open_notifier(), record=record)
    with stopped_by_signals(appliance.stop, appliance.reopen), cursor_back_when_paused():
        report = appliance.run(seconds)
    _tell(report.sentence())
    return _exit(report)


def build_components(settings: Settings, clip_file: Path | None, repeat: bool) -> Components:
    """Everything that `Appliance` needs; devices and models are opened later, by it.

    Raises:
        MienError: the clip or a model cannot be used.
    """
    from edge.perception.manifest import load_manifest

    folder = models_folder(settings.models.folder)
    manifest = load_manifest(folder)
    host = this_host(settings)
    senses = _devices(settings, host) if clip_file is None else _clip(settings, clip_file, repeat)

    runtime_told = False

    def face_reader() -> "FaceReader":
        from edge.perception.face_finder import FaceFinder
        from edge.perception.face_reader import FaceReader

        face = settings.face
        finder = FaceFinder(
            fetched_folder(settings.models.folder), face.range, face.min_score, face.search_width_px
        )
        nonlocal runtime_told
        if finder.runtime != "MediaPipe" and not runtime_told:
            # Once, and not each time that a fault has the reader made anew.
            say(f"Faces are found by {finder.runtime}: MediaPipe cannot run on this processor.")
            runtime_told = True
        return FaceReader(finder, folder, manifest.face)

    def gate() -> "SpeechGate":
        from edge.perception.speech_gate import Hangover, SpeechGate

        on = settings.voice.gate_threshold
        return SpeechGate(
            open_speech_detector(settings),
            interval_s=settings.voice.interval_s,
            hangover=Hangover(on=on, off=on * 0.7),
        )

    def voice_reader() -> "VoiceReader":
        from edge.perception.voice_reader import open_voice_reader

        return open_voice_reader(folder, manifest.voice)

    def fusion() -> Fusion:
        # The person who is drawn in the demo clip is not the one who sat for the calibration.
        known = Calibration() if clip_file == DEMO_CLIP else known_person(settings, manifest, say)
        return Fusion(calibrated(fusion_options(settings, manifest), known))

    def light() -> RecordingLight:
        return recording_light(settings.of(LedSettings), host)

    return Components(
        outputs=output_makers(settings, host),
        light=light if clip_file is None else lambda: DarkLight(light()),
        open_camera=senses.open_camera if settings.camera.enabled else None,
        open_microphone=senses.open_microphone if settings.microphone.enabled else None,
        face_reader=face_reader,
        gate=gate,
        voice_reader=voice_reader,
        fusion=fusion,
        missing=senses.missing,
        close=senses.close,
        idle_policy=idle_policy(settings),
        load_policy=load_policy(settings),
        read_heat=heat_reader(),
    )


@dataclass(frozen=True)
class _Senses:
    """Where picture and sound come from."""

    open_camera: Callable[[], Camera] | None
    open_microphone: Callable[[], Microphone] | None
    missing: dict[str, str]
    close: Callable[[], None]


def _devices(settings: Settings, host: Host) -> _Senses:
    return _Senses(
        lambda: open_camera(settings, host),
        lambda: open_microphone(settings, host),
        {},
        lambda: None,
    )


def _clip(settings: Settings, file: Path, repeat: bool) -> _Senses:
    from edge.sensors.clip import Clip

    clip = Clip(file, repeat=repeat)
    camera, microphone = clip.camera, clip.microphone
    missing: dict[str, str] = {}
    if camera is None and settings.camera.enabled:
        if not settings.microphone.enabled:
            raise SensorError(f"{file} has no picture, and the voice is switched off.")
        missing["face"] = f"{file.name} has no picture: only the voice is read."
    if microphone is None and settings.microphone.enabled:
        if not settings.camera.enabled:
            raise SensorError(f"{file} has no sound, and the face is switched off.")
        missing["voice"] = f"{file.name} has no sound: only the face is read."
    return _Senses(
        (lambda: camera) if camera is not None else None,
        (lambda: microphone) if microphone is not None else None,
        missing,
        clip.close,
    )


def fusion_options(settings: Settings, manifest: Any) -> FusionOptions:
    """The settings of the fusion, and the class priors of the two nets."""
    fusion = settings.fusion
    prior = fusion.prior or DEFAULT_PRIOR
    return FusionOptions(
        weights=fusion.weights,
        prior=np.array([prior[name] for name in EMOTIONS]),
        face_class_prior=np.array(manifest.face.class_prior),
        voice_class_prior=np.array(manifest.voice.class_prior),
        face_weight=fusion.face_weight,
        voice_weight=fusion.voice_weight,
        confidence_floor=fusion.confidence_floor,
        nobody_after_s=fusion.nobody_after_s,
    )


def known_person(settings: Settings, manifest: Any, tell: Callable[[str], None]) -> Calibration:
    """The calibration that fits these models, empty if there is none; *tell* hears what is wrong.

    A file that is damaged or was made with another model is no reason not to run.
    """
    file = calibration_file(settings.calibration.file)
    if file is None:
        return Calibration()
    try:
        known, trouble = fitting(load_calibration(file), manifest)
    except MienError as error:
        known, trouble = Calibration(), str(error)
    if trouble:
        tell(trouble)
    if known:
        senses = [name for name in ("face", "voice") if getattr(known, name) is not None]
        tell(f"Calibrated for one person's {' and '.join(senses)} ({file}).")
    return known


def open_speech_detector(settings: Settings) -> "SpeechDetector":
    """Load the detector that `[voice] gate` names.

    Raises:
        ModelError: it cannot be loaded; says what to do.
    """
    from edge.perception.speech_gate import GateAdapter

    name = settings.voice.gate
    adapter = registry().all(GateAdapter, "mien.gates").get(name)
    if adapter is None:
        raise ModelError(
            f'The speech gate {name} cannot be loaded: set [voice] gate to "silero", or mend its '
            "package."
        )
    return adapter.make(settings.voice.gate_threshold)


def say(sentence: str) -> None:
    """Tell the person at the terminal, or the journal, one sentence."""
    _tell(f"mien: {printable(sentence)}")


def _tell(text: str) -> None:
    """Write lines to the standard error, if there is one: the terminal may have gone."""
    stream = sys.stderr
    if stream is None:  # print would take the standard output instead, which is for events
        return
    with beside_previews(), suppress(OSError, ValueError):
        print(text, file=stream, flush=True)


def _exit(report: RunReport) -> int:
    """The exit code; a thread that hangs in a driver must not keep the process alive."""
    if report.hung:
        say(f"{', '.join(report.hung)} did not end in time.")
        this_record().end(report.exit_code)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # closed, or never there
                stream.flush()
        os._exit(report.exit_code)
    return report.exit_code
