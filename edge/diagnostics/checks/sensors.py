"""The camera and the microphone: there, free, and delivering."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, Literal

from edge.build.outputs import this_host
from edge.build.sensors import attached_cameras, attached_microphones, open_camera, open_microphone
from edge.config.schema import Settings
from edge.diagnostics.checks import Check
from edge.errors import MienError, OutputError, SensorError
from edge.outputs.leds import LedSettings, recording_light
from edge.sensors import Camera, Microphone

PICTURE_S: Final = 5.0
"""A camera that gives no picture for this long after it was opened is not well."""
SOUND_S: Final = 3.0


def check_camera(
    settings: Settings,
    cameras: Callable[[], list[str]] | None = None,
    opener: Callable[[Settings], Camera] | None = None,
    proc: Path = Path("/proc"),
    others: Callable[[], bool] | None = None,
) -> Iterator[Check]:
    """Take one picture with the camera that the settings name."""
    if not settings.camera.enabled:
        yield Check("camera", "ok", "switched off in the settings")
        return
    source = settings.camera.source
    if source == "auto":
        found = cameras() if cameras else _cameras(settings)
        if not found:
            says = f"none is attached; {_without('face', settings, others)}"
            yield Check("camera", "warning", says, "plug a USB camera in: mien devices lists it")
            return
        source = found[0]
    elif isinstance(source, int):
        source = f"/dev/video{source}"
    with ExitStack() as opened:
        try:
            _light(settings, "camera", opened)
            camera = (opener or _open_camera)(settings)
        except (SensorError, OutputError) as error:
            holder = holder_of(source, proc)
            fix = f"stop {holder}, which has it" if holder else _remedy(error)
            yield Check("camera", "problem", _finding(error), fix)
            return
        opened.callback(camera.close)
        try:
            start_s = time.monotonic()
            while time.monotonic() - start_s < PICTURE_S:
                frame = camera.read(0.5)
                if frame is not None:
                    height, width = frame.image.shape[:2]
                    yield Check("camera", "ok", f"{camera.name} delivers {width} x {height}")
                    return
            says = f"{camera.name} delivers no picture"
            yield Check("camera", "problem", says, "plug it in again")
        except SensorError as error:
            yield Check("camera", "problem", _finding(error), _remedy(error))


def check_microphone(
    settings: Settings,
    microphones: Callable[[], list[tuple[int, str]]] | None = None,
    opener: Callable[[Settings], Microphone] | None = None,
    others: Callable[[], bool] | None = None,
) -> Iterator[Check]:
    """Record a moment with the microphone that the settings name."""
    if not settings.microphone.enabled:
        yield Check("microphone", "ok", "switched off in the settings")
        return
    try:
        looked = settings.microphone.device == "auto"
        if looked and not (microphones() if microphones else _microphones(settings)):
            fix = "plug one in: arecord -l lists it"
            says = f"none is attached; {_without('voice', settings, others)}"
            yield Check("microphone", "warning", says, fix)
            return
        with ExitStack() as opened:
            _light(settings, "microphone", opened)
            microphone = (opener or _open_microphone)(settings)
            opened.callback(microphone.close)
            start_s = time.monotonic()
            while time.monotonic() - start_s < SOUND_S:
                sound = microphone.read(0.5)
                if sound is not None and sound.samples.size:
                    peak = float(abs(sound.samples).max())
                    says = f"{microphone.name} delivers (peak {peak:.3f} of 1)"
                    yield Check("microphone", "ok", says)
                    return
            fix = "check it with: arecord -d 2 /dev/null"
            yield Check("microphone", "problem", f"{microphone.name} delivers no sound", fix)
    except (SensorError, OutputError) as error:
        yield Check("microphone", "problem", _finding(error), _remedy(error))


def _without(
    sense: Literal["face", "voice"], settings: Settings, others: Callable[[], bool] | None
) -> str:
    """What Mien does without the device of *sense*: that depends on whether there is the other one.

    Args:
        sense: the one that cannot be had.
        settings: name the other one.
        others: whether there is one; None to look.
    """
    if (others or partial(_other_is_there, sense, settings))():
        return "Mien goes by the voice" if sense == "face" else "Mien goes by the face"
    return "with neither camera nor microphone it shows the demo clip, or as a service the fault"


def _other_is_there(sense: Literal["face", "voice"], settings: Settings) -> bool:
    camera, microphone = settings.camera, settings.microphone
    try:
        if sense == "face":
            named, look = microphone.device != "auto", _microphones
            return microphone.enabled and (named or bool(look(settings)))
        return camera.enabled and (camera.source != "auto" or bool(_cameras(settings)))
    except MienError:
        return False


def holder_of(device: str, proc: Path = Path("/proc")) -> str:
    """Name and number of another process that has *device* open; empty if none is seen.

    Processes of other users are seen by root alone.
    """
    target = os.path.realpath(device)
    for link in proc.glob("[0-9]*/fd/*"):
        owner = link.parent.parent
        try:
            if os.path.realpath(os.readlink(link)) != target or int(owner.name) == os.getpid():
                continue
            name = (owner / "comm").read_text().strip()
        except OSError:
            continue
        return f"{name} (process {owner.name})"
    return ""


def _light(settings: Settings, sensor: str, opened: ExitStack) -> None:
    """Light the recording LED until *opened* ends: a sensor is about to be opened.

    Raises:
        OutputError: it cannot be lit, so the sensor has to stay shut.
    """
    light = recording_light(settings.of(LedSettings), this_host(settings))
    opened.callback(light.close)
    light.sensor_opened(sensor)


def _finding(error: MienError) -> str:
    """The part of a sentence before its remedy."""
    return str(error).split(": ")[0].rstrip(".")


def _remedy(error: MienError) -> str:
    return str(error).partition(": ")[2].rstrip(".") or "mien devices lists what there is"


def _cameras(settings: Settings) -> list[str]:
    return [source for source, _ in attached_cameras(settings, this_host(settings))]


def _microphones(settings: Settings) -> list[tuple[int | str, str]]:
    return [*attached_microphones(settings, this_host(settings))]


def _open_camera(settings: Settings) -> Camera:
    return open_camera(settings, this_host(settings))


def _open_microphone(settings: Settings) -> Microphone:
    return open_microphone(settings, this_host(settings))
