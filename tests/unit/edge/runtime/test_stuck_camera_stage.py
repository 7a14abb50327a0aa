"""A camera stage whose camera repeats an old picture: when it is reopened, and how often."""

from typing import Any

import numpy as np
import pytest

from edge.mailbox import Mailbox
from edge.messages import Frame, SenseState
from edge.runtime.sensor_stages import CameraStage
from tests.fakes.clock import HandClock
from tests.fakes.world import FakeLight, World

RETRY_S, SILENT_S, STUBBORN_S = (0.5, 1.0, 2.0, 4.0), 3.0, 60.0
LEAST, STUBBORN = 5, 8  # repeated pictures, and attempts that did not help
RATE_HZ = 10


class Bench:
    """A `CameraStage` stepped by hand, with time that only reading and waiting move on."""

    def __init__(self, has_sensor: bool | None = True) -> None:
        self.clock, self.has_sensor = HandClock(), has_sensor
        self.random = np.random.default_rng(0)
        self.opened_s: list[float] = []
        self.stuck = self.mends_when_opened = False
        self.old = self.picture()
        self.frames: Mailbox[Frame] = Mailbox()
        self.stage = CameraStage(self.open, FakeLight(World()), self.frames, clock=self.clock)

    def picture(self) -> Any:
        return self.random.integers(90, 110, (48, 64, 3), np.uint8)

    def open(self) -> Any:
        self.opened_s.append(self.clock.t_s)
        self.stuck = self.stuck and not self.mends_when_opened
        bench = self

        class Camera:
            name = "/dev/video0"
            if bench.has_sensor is not None:
                has_sensor = bench.has_sensor

            def read(self, timeout_s: float) -> Frame:
                bench.clock.t_s += 1 / RATE_HZ
                bench.old = bench.old if bench.stuck else bench.picture()
                return Frame(bench.old, bench.clock.t_s)

            def close(self) -> None:
                pass

        return Camera()

    def watch(self, seconds: float) -> None:
        end_s = self.clock.t_s + seconds
        while self.clock.t_s < end_s:
            assert self.stage.step()

    def seems(self, state: SenseState) -> bool:
        return self.stage.state == state


def test_stuck_camera_is_reopened_and_works_again() -> None:
    bench = Bench()
    for number in range(1, 21):
        bench.watch(5)
        assert bench.seems("ok") and len(bench.opened_s) == number
        bench.stuck, bench.mends_when_opened = True, True
        since_s = bench.clock.t_s
        bench.watch(SILENT_S + RETRY_S[0] + 1)
        assert bench.seems("ok")
        noticed_s = SILENT_S + LEAST / RATE_HZ
        assert bench.opened_s[-1] - since_s == pytest.approx(noticed_s + RETRY_S[0], abs=0.3)
    assert bench.stage.reopened == 20


def test_old_pictures_are_not_passed_on_and_the_trouble_says_what_it_is() -> None:
    bench = Bench()
    bench.watch(5)
    bench.stuck = True
    bench.watch(SILENT_S + 1)
    passed = bench.frames.put_count
    assert bench.seems("lost")
    assert bench.stage.trouble.startswith("The camera /dev/video0 repeats an old picture")
    assert "plug it in again" in bench.stage.trouble
    bench.watch(600)
    assert bench.frames.put_count == passed
    assert bench.seems("lost")
    bench.stuck = False
    bench.watch(max(RETRY_S) + 2 / RATE_HZ)  # it may be just between two attempts
    assert bench.seems("ok")
    assert bench.stage.trouble == ""


def test_camera_that_stays_stuck_is_left_open_most_of_the_time() -> None:
    bench = Bench()
    bench.watch(5)
    bench.stuck = True
    bench.watch(3600)
    gaps = np.diff(bench.opened_s)[1:]
    quick, slow = gaps[: STUBBORN - 1], gaps[STUBBORN:]
    assert (quick < 10).all()  # by when a camera that can be mended has to be back
    assert (slow >= STUBBORN_S).all()
    assert len(slow) > 50


@pytest.mark.parametrize("has_sensor", [False, None])
def test_clip_and_virtual_camera_may_show_a_still_picture(has_sensor: bool | None) -> None:
    bench = Bench(has_sensor)
    bench.stuck = True
    bench.watch(60)
    assert bench.seems("ok") and len(bench.opened_s) == 1


def test_dark_room_is_no_stuck_camera() -> None:
    bench = Bench()
    bench.watch(5)
    bench.old, bench.stuck = np.zeros((48, 64, 3), np.uint8), True
    bench.watch(600)
    assert bench.seems("ok") and len(bench.opened_s) == 1
