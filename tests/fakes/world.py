"""A whole appliance on fakes that fail as they are told, with all its waiting times shortened."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.emotions import EMOTIONS
from edge.errors import OutputError, SensorError
from edge.messages import Audio, Face, FaceReading, Frame, Mood, NoFace, Notice, VoiceReading
from edge.perception.speech_gate import SpeechWindow
from edge.runtime.timing import Timing

FACE = Face(
    100, 100, 80, 80, (120, 130), (160, 130), (140, 150), (140, 165), (105, 135), (175, 135), 0.9
)
HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")
SHORT = Timing(
    wait_s=0.05,
    step_s=0.15,
    first_read_s=0.15,
    sensor_open_s=0.3,
    silent_s=0.06,
    first_silent_s=0.1,
    sensor_pauses_s=(0.01, 0.02),
    stubborn_s=0.2,
    sense_hold_s=0.05,
    output_open_s=0.3,
    output_again_s=0.02,
    output_pauses_s=(0.01, 0.03),
    restart_pauses_s=(0.0, 0.01, 0.01, 0.01, 0.01),
    lost_retry_s=0.03,
    steady_s=0.02,
)
"""Some fiftieth of the times on the device."""
PATIENT = replace(SHORT, step_s=20.0, first_read_s=20.0, silent_s=20.0)
"""For tests without hangs: a busy machine is not to be taken for one."""


class World:
    """What surrounds the appliance. `faults` holds what is wrong just now, such as "camera gone"."""

    def __init__(self) -> None:
        self.faults: set[str] = set()
        self.release = threading.Event()
        """Lets go of everything that hangs."""
        self.notices: list[Notice] = []
        self.moods: list[Mood] = []
        self.pictures: list[str] = []
        self.reported: list[str] = []
        self.systemd: list[str] = []
        self.lit: set[str] = set()
        self.ever_lit: set[str] = set()
        self.closed: set[str] = set()
        self.trips: Counter[str] = Counter()
        """How often each fault has struck: many times while it lasts."""
        self.injected: Counter[str] = Counter()
        """How many times each has been injected and has struck."""
        self.stuck_at: NDArray[np.uint8] | None = None
        """The picture of the stuck camera."""

    @contextmanager
    def fault(self, *names: str) -> Iterator[None]:
        """Inject faults for as long as the context lasts; each has to strike meanwhile."""
        before = dict(self.trips)
        self.faults |= set(names)
        yield
        self.faults -= set(names)
        for name in names:
            assert self.trips[name] > before.get(name, 0), f"{name} has not struck"
            self.injected[name] += 1

    def strikes(self, fault: str) -> bool:
        """Whether *fault* is to strike now."""
        if fault not in self.faults:
            return False
        self.trips[fault] += 1
        return True

    def trip(self, part: str) -> None:
        """Fail as *part* has been told to."""
        if self.strikes(f"{part} crash"):
            raise ZeroDivisionError(part)
        if self.strikes(f"{part} hang"):
            self.release.wait(30)

    def notify(self, state: str) -> None:
        self.systemd.append(state)


class FakeCamera:
    """Its pictures are noise like a sensor's, but for the first pixel, which says who is there."""

    name, has_sensor = "fake camera", True

    def __init__(self, world: World) -> None:
        self.world = world
        self._noise = np.random.default_rng()
        if world.strikes("camera gone"):
            raise SensorError("No camera found; plug one in.")

    def read(self, timeout_s: float) -> Frame | None:
        time.sleep(0.01)
        world = self.world
        world.trip("camera")
        if world.strikes("camera gone"):
            raise SensorError("The camera is gone; plug it in again.")
        if world.strikes("camera frozen"):
            return None
        image = self._noise.integers(100, 140, (8, 8, 3), np.uint8)
        image[0, 0] = HAPPY
        if world.strikes("camera black"):
            image[:] = 0
        if world.strikes("camera stuck"):  # however often it is reopened
            image = image if world.stuck_at is None else world.stuck_at
        world.stuck_at = image
        return Frame(image, time.monotonic() - (5.0 if world.strikes("camera stale") else 0.0))

    def close(self) -> None:
        pass


class FakeMicrophone:
    name = "fake microphone"

    def __init__(self, world: World) -> None:
        self.world, self.overflows = world, 0
        if world.strikes("microphone gone"):
            raise SensorError("No microphone found; plug one in.")

    def read(self, timeout_s: float) -> Audio | None:
        time.sleep(0.016)
        world = self.world
        world.trip("microphone")
        if world.strikes("microphone gone"):
            raise SensorError("The microphone is gone; plug it in again.")
        if world.strikes("microphone overflow"):
            self.overflows += 1
        level = 0.0 if world.strikes("microphone silence") else 0.1
        level = 1.0 if world.strikes("microphone clipping") else level
        return Audio(np.full(512, level, np.float32), time.monotonic())

    def close(self) -> None:
        pass


class FakeGate:
    def hear(self, audio: Audio) -> SpeechWindow | None:
        if not audio.samples.any():
            return None
        return SpeechWindow(audio.samples, audio.t_s, 0.6, 20.0, 0.0)


class FakeFaceReader:
    def __init__(self, world: World) -> None:
        self.world = world

    def read(self, frame: Frame) -> FaceReading | NoFace:
        self.world.trip("face reader")
        pixel = int(frame.image[0, 0, 0])
        if pixel == 255 or not frame.image.any():
            return NoFace(frame.t_s)
        return FaceReading(frame.t_s, sure_of(pixel), 1.0, FACE)

    def close(self) -> None:
        pass


class FakeVoiceReader:
    def __init__(self, world: World) -> None:
        self.world = world

    def read(self, window: SpeechWindow | None) -> VoiceReading | None:
        self.world.trip("voice reader")
        return None if window is None else VoiceReading(window.t_s, sure_of(SAD), 1.0)


def sure_of(emotion: int) -> Any:
    probabilities = np.full(7, 0.1 / 6)
    probabilities[emotion] = 0.9
    return probabilities


class FakeDisplay:
    name, interval_s = "fake display", 0.01

    def __init__(self, world: World) -> None:
        self.world = world
        self._check()

    def _check(self) -> None:
        self.world.trip("display")
        if self.world.strikes("display gone"):
            raise OutputError("No display answers at 0x3C (error 121); check its wires.")

    def show(self, mood: Mood, t_s: float) -> None:
        self._check()
        self.world.pictures.append(mood.shown)

    def close(self) -> None:
        pass


class FakeEvents:
    name, interval_s, mends_itself = "fake events", 0.01, True

    def __init__(self, world: World) -> None:
        self.world = world

    def show(self, mood: Mood, t_s: float) -> None:
        self.world.moods.append(mood)

    def notice(self, notice: Notice) -> None:
        self.world.notices.append(notice)

    def close(self) -> None:
        self.world.closed.add(self.name)


class FakeLight:
    def __init__(self, world: World) -> None:
        self.world = world
        self._check()

    def _check(self) -> None:
        if self.world.strikes("light busy"):
            raise OutputError("The recording light cannot use its pins (GPIO busy); free pin 23.")

    def sensor_opened(self, name: str) -> None:
        self._check()
        self.world.lit.add(name)
        self.world.ever_lit.add(name)

    def sensor_closed(self, name: str) -> None:
        self.world.lit.discard(name)

    def close(self) -> None:
        self.world.closed.add("light")
