from typing import Any

import numpy as np
import pytest

from edge.errors import ClipEnded, OutputError, SensorError
from edge.mailbox import Mailbox
from edge.messages import FaceReading, Frame, Mood, NoFace
from edge.runtime.output_stages import OutputStage
from edge.runtime.reader_stages import FaceStage
from edge.runtime.sensor_stages import CameraStage
from tests.fakes.clock import HandClock
from tests.fakes.world import FakeLight, World


class ScriptedCamera:
    """Delivers frames, then does what the script says."""

    name = "scripted camera"

    def __init__(self, frames: int, then: Exception, clock: HandClock) -> None:
        self._left, self._then, self._clock = frames, then, clock
        self.closed = False

    def read(self, timeout_s: float) -> Frame | None:
        if self._left == 0:
            raise self._then
        self._left -= 1
        self._clock.t_s += 0.1
        return Frame(np.zeros((4, 4, 3), np.uint8), self._clock.t_s)

    def close(self) -> None:
        self.closed = True


def test_unplugged_camera_comes_back_by_itself() -> None:
    clock, world = HandClock(), World()
    cameras = [
        ScriptedCamera(3, SensorError("The camera is gone; plug it in again."), clock),
        ScriptedCamera(10**9, ClipEnded(), clock),
    ]
    opened: list[ScriptedCamera] = []
    plugged_in = iter([True, False, False, True])

    def plug_in() -> ScriptedCamera:
        if not next(plugged_in):
            raise SensorError("No camera found; plug one in.")
        opened.append(cameras[len(opened)])
        return opened[-1]

    stage = CameraStage(plug_in, FakeLight(world), Mailbox(), clock=clock)
    while len(opened) < 2 or stage.state != "ok":
        assert stage.step()
        assert len(world.lit) == sum(not camera.closed for camera in opened)
    states = [stage.state]
    assert stage.trouble == ""
    assert stage.reopened == 1
    stage.finish()
    assert cameras[1].closed
    states.append(stage.state)
    assert states == ["ok", "off"]
    assert world.lit == set()


class CountingReader:
    def __init__(self) -> None:
        self.seen: list[Frame] = []

    def read(self, frame: Frame) -> FaceReading | NoFace:
        self.seen.append(frame)
        return NoFace(frame.t_s)

    def close(self) -> None:
        self.seen.clear()


def test_frame_is_read_until_it_is_a_fifth_of_a_second_old_and_its_age_is_counted() -> None:
    clock, frames = HandClock(), Mailbox[Frame]()

    class Reader(CountingReader):
        def read(self, frame: Frame) -> FaceReading | NoFace:
            clock.t_s += 0.5
            return super().read(frame)

    stage = FaceStage(Reader(), frames, Mailbox(), clock=clock)
    for age_s in (0.125, 0.1875, 0.0625, 0.21875, 1.0):  # mien bench promises 200 ms
        frames.put(Frame(np.zeros((4, 4, 3), np.uint8), clock.t_s - age_s))
        assert stage.step()
    counted = stage.statistics
    assert (counted.read, counted.refused) == (3, 2)
    assert (counted.oldest_s, counted.age_s, counted.busy_s) == (0.1875, 0.375, 1.5)


@pytest.mark.parametrize(("age_s", "state"), [(0.1875, "ok"), (0.21875, "lost")])
def test_camera_that_delivers_only_old_frames_is_taken_for_silent(age_s: float, state: str) -> None:
    clock = HandClock()

    class Lagging(ScriptedCamera):
        def read(self, timeout_s: float) -> Frame:
            clock.t_s += 0.1
            return Frame(np.zeros((4, 4, 3), np.uint8), clock.t_s - age_s)

    camera = Lagging(0, ClipEnded(), clock)
    stage = CameraStage(lambda: camera, FakeLight(World()), Mailbox(), clock=clock)
    while clock.t_s < 1008.5:  # a camera may take 8 s before its first picture
        assert stage.step()
    assert stage.state == state


class FailingOutput:
    name = "failing output"
    interval_s = 0.001

    def __init__(self) -> None:
        self.broken = True
        self.shown = 0
        self.closed = False

    def show(self, mood: Mood, t_s: float) -> None:
        if self.broken:
            raise OutputError("The display does not answer; check its wires.")
        self.shown += 1

    def close(self) -> None:
        self.closed = True


def test_broken_output_is_reported_once_and_used_again_when_it_recovers() -> None:
    output, told = FailingOutput(), list[str]()
    stage = OutputStage(output, told.append, clock=HandClock())
    for _ in range(3):
        stage.put(Mood(0, "happy"))
        stage.step()
    assert told == ["The display does not answer; check its wires."]
    output.broken = False
    stage.step()
    assert output.shown == 1
    stage.finish()
    assert output.closed


@pytest.mark.parametrize("paced", [True, False])
def test_clip_that_pauses_is_not_reopened(paced: bool) -> None:
    clock = HandClock()
    opened: list[Any] = []

    class Pausing:
        name = "pausing clip"

        def __init__(self) -> None:
            self.paced = paced
            self.frames: list[Frame | None] = []
            opened.append(self)

        def read(self, timeout_s: float) -> Frame | None:
            return self.frames.pop() if self.frames else None

        def close(self) -> None:
            self.frames = []

    stage = CameraStage(Pausing, FakeLight(World()), Mailbox(), clock=clock)
    assert stage.step()
    opened[0].frames.append(Frame(np.zeros((4, 4, 3), np.uint8), clock.t_s))
    assert stage.step()
    assert stage.state == "ok"
    clock.t_s += 3600
    assert stage.step()
    assert stage.state == ("ok" if paced else "lost")
    assert ("delivered nothing" in stage.trouble) is not paced
    stage.step()
    assert len(opened) == (1 if paced else 2)


@pytest.mark.parametrize("shows", [None, ZeroDivisionError])
def test_failure_to_close_is_kept_unless_it_would_hide_what_ended_the_stage_and_no_traceback(
    shows: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    uncaught: list[object] = []
    monkeypatch.setattr("threading.excepthook", uncaught.append)

    class Unclosable(FailingOutput):
        def show(self, mood: Mood, t_s: float) -> None:
            if shows is not None:
                raise shows

        def close(self) -> None:
            raise RuntimeError("bus")

    stage = OutputStage(Unclosable(), lambda sentence: None)
    stage.put(Mood(0, "happy"))
    if shows is None:
        stage.stop()
    stage.start()
    assert stage.join(5)
    assert isinstance(stage.failure, shows or RuntimeError)
    assert uncaught == []


@pytest.mark.parametrize(("interval_s", "keeps_s"), [(0.08, 0.08), (0.5, 0.5), (0.0, 0.002)])
def test_output_keeps_its_rate_without_new_moods_and_never_spins(
    interval_s: float, keeps_s: float
) -> None:
    output = FailingOutput()
    output.broken, output.interval_s = False, interval_s
    clock = HandClock()
    stage = OutputStage(output, lambda sentence: None, clock=clock)
    stage.put(Mood(0, "happy"))
    while clock.t_s < 1010:
        assert stage.step()
    assert output.shown == pytest.approx(10 / keeps_s, rel=0.05, abs=1)
    assert max(clock.waits) <= 0.2
