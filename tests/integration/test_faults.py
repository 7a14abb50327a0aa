"""Every fault that a device may have, each twenty times, against the whole appliance on fakes."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from edge.fusion import Fusion, Reading
from edge.messages import Belief, Mood
from tests.fakes.running import (
    TIMES,
    Running,
    mood_goes_on,
    twenty_times,
    well,
)
from tests.fakes.world import PATIENT, World

SENSES = {
    "camera gone": "face",
    "camera frozen": "face",
    "camera stale": "face",
    "camera stuck": "face",
    "camera crash": "face",
    "face reader crash": "face",
    "microphone gone": "voice",
    "microphone crash": "voice",
    "voice reader crash": "voice",
}


@pytest.mark.parametrize(("fault", "sense"), SENSES.items())
def test_goes_on_with_the_other_sense_says_so_and_comes_back(fault: str, sense: str) -> None:
    def story(world: World, running: Running, number: int) -> None:
        with world.fault(fault):
            running.until(lambda mood: getattr(mood, sense).state != "ok", "noticing")
        running.until(well, "recovery")

    for world in twenty_times(story, fault):
        assert any("is started again" in told or "is back" in told for told in world.reported)


@pytest.mark.parametrize("part", ["camera", "face reader", "microphone", "voice reader"])
def test_hanging_stage_is_replaced_while_the_other_sense_goes_on(part: str) -> None:
    def story(world: World, running: Running, number: int) -> None:
        world.release.clear()
        with world.fault(f"{part} hang"):
            running.until(lambda mood: part in running.left_behind, "noticing")
        running.until(lambda mood: running.restarts > number and well(mood), "recovery")
        assert part in running.left_behind  # the old thread still hangs
        world.release.set()
        running.until(lambda mood: not running.left_behind, "the end of the old thread")

    for world in twenty_times(story, f"{part} hang"):
        notices = [notice for notice in world.notices if notice.part == part]
        assert notices[0].text == f"The {part} hangs; it is started again."


@pytest.mark.parametrize("fault", ["display gone", "display crash", "display hang"])
def test_display_that_fails_leaves_the_other_outputs_going_and_comes_back(fault: str) -> None:
    def story(world: World, running: Running, number: int) -> None:
        world.release.clear()
        trips = world.trips[fault]
        with world.fault(fault):
            running.until(lambda mood: world.trips[fault] > trips, "the fault")
            assert mood_goes_on(running, world)
        pictures = len(world.pictures)
        running.until(lambda mood: len(world.pictures) > pictures + 2, "pictures")
        world.release.set()
        running.until(lambda mood: well(mood) and not running.left_behind, "being well")

    for world in twenty_times(story, fault):
        assert any(notice.kind in ("lost", "restart") for notice in world.notices)


def test_without_camera_and_microphone_it_shows_the_fault_and_feeds_the_watchdog() -> None:
    world = World()
    world.faults |= {"camera gone", "microphone gone"}
    with Running(world) as running:
        running.until(lambda mood: mood.shown == "fault", "the fault")
        running.until(lambda mood: "fault" in world.pictures, "the fault on the display")
        running.until(lambda mood: world.systemd.count("WATCHDOG=1") > 5, "signs of life")
        assert world.systemd.index("READY=1") > 0
        assert any(state.startswith("STATUS=Fault: No camera") for state in world.systemd)
        world.faults.clear()
        running.until(well, "hot-plug")
        running.until(lambda mood: "STATUS=Running: face ok, voice ok" in world.systemd, "status")
    assert world.systemd[-1] == "STOPPING=1"
    assert running.report is not None
    assert running.report.exit_code == 0


def test_not_ready_before_the_first_frame_or_the_fault_is_shown() -> None:
    world = World()
    world.faults |= {"camera frozen", "microphone hang"}
    with Running(world) as running:
        running.until(lambda mood: mood.shown == "starting", "starting")
        assert "READY=1" not in world.systemd
        world.faults.clear()
        running.until(well, "being well")
        running.until(lambda mood: "READY=1" in world.systemd, "ready")


def test_watchdog_starves_when_a_stage_hangs_whenever_it_is_replaced() -> None:
    world = World()
    with Running(world) as running:
        running.until(well, "being well")
        world.faults.add("face reader hang")
        running.until(lambda mood: "cannot be replaced" in mood.face.trouble, "giving up")
        assert mood_goes_on(running, world)
        fed = world.systemd.count("WATCHDOG=1")
        time.sleep(0.3)
        assert world.systemd.count("WATCHDOG=1") == fed
    assert running.report is not None


class HangingFusion(Fusion):
    """The main loop hangs in it while the world has that fault."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def update(self, readings: Sequence[Reading], t_s: float) -> Belief:
        if "loop hang" in self._world.faults:
            self._world.injected["loop hang"] += 1
            while "loop hang" in self._world.faults:
                time.sleep(0.002)
        return super().update(readings, t_s)


def test_watchdog_starves_while_the_main_loop_hangs_and_all_goes_on_after_it() -> None:
    def story(world: World, running: Running, number: int) -> None:
        struck = world.injected["loop hang"]
        world.faults.add("loop hang")
        running.until(lambda mood: world.injected["loop hang"] > struck, "the hang")
        fed = world.systemd.count("WATCHDOG=1")
        time.sleep(0.1)  # more than twice what systemd would wait
        assert world.systemd.count("WATCHDOG=1") == fed
        world.faults.discard("loop hang")
        running.until(
            lambda mood: well(mood) and world.systemd.count("WATCHDOG=1") > fed, "recovery"
        )

    twenty_times(story, "loop hang", changes=lambda world: {"fusion": lambda: HangingFusion(world)})


def test_busy_pin_of_the_recording_light_keeps_the_sensors_shut_until_it_is_free() -> None:
    world = World()
    world.faults.add("light busy")
    with Running(world) as running:
        running.until(lambda mood: mood.shown == "fault", "the fault")
        assert "GPIO busy" in world.moods[-1].trouble
        assert world.lit == set()
        world.faults.clear()
        running.until(well, "recovery")
        assert len(world.lit) == 2
        for _ in range(TIMES):
            with world.fault("light busy", "camera gone"):
                running.until(lambda mood: "GPIO busy" in mood.face.trouble, "the busy pin")
            running.until(well, "recovery")
    assert world.injected["light busy"] == TIMES


def test_display_that_is_missing_at_the_start_is_used_once_it_is_there() -> None:
    world = World()
    world.faults.add("display gone")
    with Running(world) as running:
        running.until(well, "being well")
        assert world.pictures == []
        assert world.reported == ["No display answers at 0x3C (error 121); check its wires."]
        world.faults.clear()
        running.until(lambda mood: bool(world.pictures), "pictures")


def test_clock_that_is_set_by_years_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    jumps = (-30, 10, -1, 30) * 5
    assert len(jumps) == TIMES
    with Running(world, PATIENT) as running:
        running.until(well, "being well")
        for years in jumps:
            monkeypatch.setattr("time.time", lambda set_to=years: 1.7e9 + set_to * 3.2e7)
            assert mood_goes_on(running, world)
            assert well(world.moods[-1])
    assert world.reported == []
    assert world.notices == []


def another_restart(running: Running) -> Callable[[Mood], bool]:
    past = running.restarts
    return lambda mood: running.restarts > past


def test_restarts_leave_no_threads_behind() -> None:
    world = World()
    with Running(world) as running:
        running.until(well, "being well")
        before = threading.active_count()
        for _ in range(TIMES):
            with world.fault("camera crash"):
                running.until(another_restart(running), "a restart")
            running.until(well, "recovery")
        assert running.restarts >= TIMES
        assert threading.active_count() <= before
