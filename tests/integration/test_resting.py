"""The appliance alone in a room: it rests, and wakes for whoever comes in."""

import time

import numpy as np
import pytest

from edge.emotions import EMOTIONS
from edge.fusion import Fusion, FusionOptions
from edge.messages import DisplayLevel, Frame
from edge.runtime.idle_policy import IdleOptions, IdlePolicy
from edge.runtime.timing import DEVICE
from tests.fakes.running import Running
from tests.fakes.world import FakeCamera, FakeDisplay, World

HAPPY = EMOTIONS.index("happy")


class RoomCamera(FakeCamera):
    """30 pictures a second of a room; whoever is in it fills the left half."""

    def read(self, timeout_s: float) -> Frame | None:
        time.sleep(1 / 30)
        image = np.full((120, 160, 3), 255, np.uint8)
        if "somebody" in self.world.faults:
            image[:, :80] = HAPPY
        return Frame(image, time.monotonic())


class SleepyDisplay(FakeDisplay):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.rests: list[DisplayLevel] = []

    def rest(self, level: DisplayLevel) -> None:
        self.rests.append(level)


@pytest.mark.timeout(60)
def test_display_that_sleeps_shows_whoever_comes_in_within_700_ms() -> None:
    world = World()
    display = SleepyDisplay(world)
    options = IdleOptions(slow_after_s=0.2, gate_after_s=0.4, dim_after_s=0.3, sleep_after_s=0.6)
    took_s = []
    with Running(
        world,
        DEVICE,
        outputs=[lambda: display],
        open_camera=lambda: RoomCamera(world),
        open_microphone=None,
        fusion=lambda: Fusion(FusionOptions(nobody_after_s=0.5)),
        idle_policy=IdlePolicy(options),
    ) as running:

        def wait(condition: str, wanted: object, limit_s: float = 10) -> None:
            end_s = time.monotonic() + limit_s
            while getattr(world, condition)[-1:] != [wanted]:
                assert time.monotonic() < end_s, (condition, wanted, world.reported)
                assert running.alive
                time.sleep(0.002)

        for number in range(3):
            end_s = time.monotonic() + 10
            while display.rests[-1:] != ["asleep"]:
                assert time.monotonic() < end_s
                time.sleep(0.01)
            time.sleep(0.3 + 0.05 * number)
            came_s = time.monotonic()
            world.faults.add("somebody")
            wait("pictures", "happy")
            took_s.append(time.monotonic() - came_s)
            world.faults.clear()
    assert np.median(took_s) < 0.7
    assert running.report is not None
    assert display.rests[:3] == ["dim", "asleep", "awake"]
