"""Signs of life of a stage, and what it does at the pace that it is told."""

import threading
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.mailbox import Mailbox
from edge.messages import FaceReading, Frame, NoFace
from edge.runtime.rate_control import RateLimits
from edge.runtime.reader_stages import FaceStage
from edge.runtime.sensor_stages import CameraStage
from edge.runtime.stage import Stage
from tests.fakes.clock import HandClock
from tests.fakes.world import FakeLight, World

STEP_S = 5.0  # every wait in a step is bounded by 3 s


class Waiting(Stage):
    """Hangs in its step until it is released, then says something."""

    def __init__(self) -> None:
        super().__init__("waiting")
        self.said: Mailbox[str] = Mailbox()
        self.inside, self.release = threading.Event(), threading.Event()
        self.finished = False

    def step(self) -> bool:
        self.inside.set()
        self.release.wait(10)
        self.pass_on(self.said, "late")
        return True

    def finish(self) -> None:
        self.finished = True


def test_stage_is_late_once_its_step_takes_longer_than_it_may() -> None:
    stage = Waiting()
    assert not stage.late(1e9)
    stage.start()
    assert stage.inside.wait(5)
    now_s = time.monotonic()
    assert not stage.late(now_s + STEP_S - 1)
    assert stage.late(now_s + STEP_S + 1)
    assert not stage.late(now_s + STEP_S + 1, awake_s=now_s + 2)
    stage.stop()
    stage.release.set()
    assert stage.join(5)
    assert not stage.late(1e9)


def test_step_that_asks_for_more_time_gets_it() -> None:
    class Slow(Waiting):
        def step(self) -> bool:
            self.allow(1000)
            return super().step()

    stage = Slow()
    stage.start()
    assert stage.inside.wait(5)
    assert not stage.late(time.monotonic() + 900)
    stage.stop()
    stage.release.set()
    assert stage.join(5)


def test_abandoned_stage_says_nothing_more_and_lets_go_when_it_wakes_up() -> None:
    stage = Waiting()
    stage.start()
    assert stage.inside.wait(5)
    stage.abandon()
    stage.release.set()
    assert stage.join(5)
    assert stage.said.put_count == 0
    assert stage.finished


def test_end_of_the_program_inside_a_step_is_a_failure_of_the_stage() -> None:
    class Quitting(Waiting):
        def step(self) -> bool:
            raise SystemExit

    stage = Quitting()
    stage.start()
    assert stage.join(5)
    assert isinstance(stage.failure, SystemExit)


class Reader:
    def __init__(self) -> None:
        self.seen = 0

    def read(self, frame: Frame) -> FaceReading | NoFace:
        self.seen += 1
        return NoFace(frame.t_s)

    def close(self) -> None:
        pass


class Room:
    """A face reader that is handed pictures of a room at 5 Hz, on a clock moved by hand."""

    def __init__(self, look_interval_s: float) -> None:
        self.clock = HandClock()
        self.frames: Mailbox[Frame] = Mailbox()
        self.reader, self.limits = Reader(), RateLimits(look_interval_s=look_interval_s)
        self.stage = FaceStage(self.reader, self.frames, Mailbox(), self.limits, clock=self.clock)
        self.noise = np.random.default_rng(1)

    def picture(self, person: bool) -> NDArray[np.uint8]:
        image = self.noise.integers(90, 110, (120, 160, 3), dtype=np.uint8)
        if person:
            image[30:100, 60:100] = 200
        return image

    def watch(self, seconds: float, person: bool = False) -> int:
        """How many pictures of those *seconds* were searched for faces."""
        before = self.reader.seen
        for _ in range(round(seconds / 0.2)):
            self.clock.t_s += 0.2
            self.frames.put(Frame(self.picture(person), self.clock.t_s))
            assert self.stage.step()
        return self.reader.seen - before


def test_every_picture_is_searched_while_somebody_is_there() -> None:
    assert Room(0.0).watch(10) == 50


def test_resting_reader_searches_a_still_room_at_half_a_hertz() -> None:
    assert Room(2.0).watch(60) == pytest.approx(30, abs=1)


def test_somebody_who_comes_in_is_searched_for_with_the_next_picture() -> None:
    room = Room(2.0)
    room.watch(20)
    entered_s = room.clock.t_s
    assert room.watch(0.2, person=True) == 1
    assert room.stage.statistics.moved_s == pytest.approx(entered_s + 0.2)


class FastCamera:
    name = "fast camera"

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.read_at_s: list[float] = []

    def read(self, timeout_s: float) -> Frame | None:
        now_s = self.clock.now_s()
        self.read_at_s.append(now_s)
        return Frame(np.zeros((2, 2, 3), np.uint8), now_s)

    def close(self) -> None:
        pass


def test_camera_is_read_no_faster_than_the_pace() -> None:
    clock = HandClock()
    camera, limits = FastCamera(clock), RateLimits(frame_interval_s=0.2)
    stage = CameraStage(lambda: camera, FakeLight(World()), Mailbox(), limits, clock=clock)
    for _ in range(20):
        assert stage.step()
    gaps = np.diff(camera.read_at_s)
    assert gaps == pytest.approx(0.2)
    limits.frame_interval_s = 0.0
    assert stage.step()
    assert stage.state == "ok"
