"""A whole appliance on fakes that fail as they are told, with all its waiting times shortened."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from edge.appliance import Appliance, Parts
from edge.emotions import EMOTIONS
from edge.errors import OutputError, SensorError
from edge.messages import Audio, Face, FaceReading, Frame, Mood, NoFace, VoiceReading
from edge.notices import Notice
from edge.notify import Notifier
from edge.perception.speech_gate import SpeechWindow
from edge.run_report import RunReport

FACE = Face(
    100, 100, 80, 80, (120, 130), (160, 130), (140, 150), (140, 165), (105, 135), (175, 135), 0.9
)
HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")
SHORT: dict[str, Any] = {
    "edge.stages.WAIT_S": 0.05,
    "edge.stages.STEP_S": 0.15,
    "edge.stages.FIRST_READ_S": 0.15,
    "edge.sensor_stages.WAIT_S": 0.05,
    "edge.sensor_stages.STEP_S": 0.15,
    "edge.sensor_stages.OPEN_S": 0.3,
    "edge.sensor_stages.SILENT_S": 0.06,
    "edge.sensor_stages.FIRST_SILENT_S": 0.1,
    "edge.sensor_stages.RETRY_S": (0.01, 0.02),
    "edge.output_stage.WAIT_S": 0.05,
    "edge.output_stage.STEP_S": 0.15,
    "edge.output_stage.OPEN_S": 0.3,
    "edge.output_stage.AGAIN_S": 0.02,
    "edge.output_stage.MISSING_RETRY_S": 0.03,
    "edge.restart_policy.PAUSES_S": (0.0, 0.01, 0.01, 0.01, 0.01),
    "edge.restart_policy.LOST_RETRY_S": 0.03,
    "edge.restart_policy.STEADY_S": 0.02,
    "edge.senses.HOLD_S": 0.05,
}
"""Some fiftieth of the times on the device."""


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
        self.trips: Counter[str] = Counter()
        """How often each fault has struck."""

    def trip(self, part: str) -> None:
        """Fail as *part* has been told to."""
        if f"{part} crash" in self.faults:
            self.trips[f"{part} crash"] += 1
            raise ZeroDivisionError(part)
        if f"{part} hang" in self.faults:
            self.trips[f"{part} hang"] += 1
            self.release.wait(30)

    def notify(self, state: str) -> None:
        self.systemd.append(state)


class FakeCamera:
    name = "fake camera"

    def __init__(self, world: World) -> None:
        self.world = world
        if "camera gone" in world.faults:
            raise SensorError("No camera found; plug one in.")

    def read(self, timeout_s: float) -> Frame | None:
        time.sleep(0.01)
        faults = self.world.faults
        self.world.trip("camera")
        if "camera gone" in faults:
            raise SensorError("The camera is gone; plug it in again.")
        if "camera frozen" in faults:
            return None
        pixel = 255 if "camera black" in faults else HAPPY
        age_s = 5.0 if "camera stale" in faults else 0.0
        return Frame(np.full((2, 2, 3), pixel, np.uint8), time.monotonic() - age_s)

    def close(self) -> None:
        pass


class FakeMicrophone:
    name = "fake microphone"

    def __init__(self, world: World) -> None:
        self.world, self.overflows = world, 0
        if "microphone gone" in world.faults:
            raise SensorError("No microphone found; plug one in.")

    def read(self, timeout_s: float) -> Audio | None:
        time.sleep(0.016)
        faults = self.world.faults
        self.world.trip("microphone")
        if "microphone gone" in faults:
            raise SensorError("The microphone is gone; plug it in again.")
        if "microphone overflow" in faults:
            self.overflows += 1
        level = 0.0 if "microphone silence" in faults else 0.1
        level = 1.0 if "microphone clipping" in faults else level
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
        if pixel == 255:
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
        if "display gone" in self.world.faults:
            self.world.trips["display gone"] += 1
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
        pass


class FakeLight:
    def __init__(self, world: World) -> None:
        self.world = world
        self._check()

    def _check(self) -> None:
        if "light busy" in self.world.faults:
            raise OutputError("The recording light cannot use its pins (GPIO busy); free pin 23.")

    def sensor_opened(self, name: str) -> None:
        self._check()
        self.world.lit.add(name)

    def sensor_closed(self, name: str) -> None:
        self.world.lit.discard(name)

    def close(self) -> None:
        pass


class Running:
    """An appliance that runs on a thread in its world."""

    def __init__(self, world: World, **changes: Any) -> None:
        self.world = world
        parts = Parts(
            outputs=[lambda: FakeDisplay(world), lambda: FakeEvents(world)],
            light=lambda: FakeLight(world),
            open_camera=lambda: FakeCamera(world),
            open_microphone=lambda: FakeMicrophone(world),
            face_reader=lambda: FakeFaceReader(world),
            gate=FakeGate,
            voice_reader=lambda: FakeVoiceReader(world),
        )
        for name, value in changes.items():
            setattr(parts, name, value)
        self.appliance = Appliance(
            parts, world.reported.append, True, Notifier(world, watchdog_s=0.04)
        )
        self.failure: BaseException | None = None
        self.report: RunReport | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.report = self.appliance.run()
        except BaseException as error:
            self.failure = error

    def __enter__(self) -> "Running":
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.world.faults.clear()
        self.world.release.set()
        self.appliance.stop()
        self._thread.join(5)
        assert not self._thread.is_alive()

    @property
    def restarts(self) -> int:
        """How many stages have been started again."""
        return self.appliance._supervisor.restarts

    @property
    def left_behind(self) -> tuple[str, ...]:
        """Parts whose thread hangs and has been replaced."""
        return self.appliance._supervisor.left_behind

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def until(self, condition: Callable[[Mood], bool], what: str, limit_s: float = 15) -> None:
        """Wait until the newest mood is as wanted."""
        end_s = time.monotonic() + limit_s
        while time.monotonic() < end_s:
            assert self.alive, self.failure
            with suppress(IndexError):
                if condition(self.world.moods[-1]):
                    return
            time.sleep(0.004)
        pytest.fail(f"{what} never came; faults {self.world.faults}, {self.world.reported[-5:]}")
