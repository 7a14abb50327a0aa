"""The whole appliance, running in a world of fakes, and stories that are told twenty times."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from edge.messages import Mood
from edge.process.systemd import Notifier
from edge.runtime.appliance import Appliance, Components
from edge.runtime.statistics import RunReport
from edge.runtime.timing import Timing
from tests.fakes.world import (
    SHORT,
    FakeCamera,
    FakeDisplay,
    FakeEvents,
    FakeFaceReader,
    FakeGate,
    FakeLight,
    FakeMicrophone,
    FakeVoiceReader,
    World,
)

TIMES, WORLDS = 20, 4


def components_of(world: World, **changes: Any) -> Components:
    """All that an appliance consists of, each part of that world."""
    components = Components(
        outputs=[lambda: FakeDisplay(world), lambda: FakeEvents(world)],
        light=lambda: FakeLight(world),
        open_camera=lambda: FakeCamera(world),
        open_microphone=lambda: FakeMicrophone(world),
        face_reader=lambda: FakeFaceReader(world),
        gate=FakeGate,
        voice_reader=lambda: FakeVoiceReader(world),
    )
    for name, value in changes.items():
        setattr(components, name, value)
    return components


class Running:
    """An appliance that runs on a thread in its world."""

    def __init__(self, world: World, timing: Timing = SHORT, **changes: Any) -> None:
        self.world = world
        components = components_of(world, **changes)
        self.appliance = Appliance(
            components, world.reported.append, True, Notifier(world, watchdog_s=0.04), timing
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
        return self.appliance.supervisor.restarts

    @property
    def left_behind(self) -> tuple[str, ...]:
        """Components whose thread hangs and has been replaced."""
        return self.appliance.supervisor.left_behind

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


def well(mood: Mood) -> bool:
    """Both senses work, and show it."""
    return mood.shown == "happy" and (mood.face.state, mood.voice.state) == ("ok", "ok")


def mood_goes_on(running: Running, world: World) -> bool:
    """Wait for further moods; whether the voice is still heard."""
    seen = len(world.moods)
    running.until(lambda mood: len(world.moods) > seen + 3, "further moods")
    return world.moods[-1].voice.state == "ok"


def twenty_times(
    story: Callable[[World, Running, int], None],
    *faults: str,
    changes: Callable[[World], dict[str, Any]] = lambda world: {},
    timing: Timing = SHORT,
) -> list[World]:
    """Tell *story* five times in each of four worlds at once; it mostly waits.

    Args:
        story: is handed a world, what runs in it, and the number of the time.
        faults: what it injects, each of which has to have struck twenty times in the end.
        changes: of the appliance's components, for each world.
        timing: of the appliance.
    """

    def tell(world: World) -> None:
        with Running(world, timing, **changes(world)) as running:
            running.until(well, "being well")
            for number in range(TIMES // WORLDS):
                story(world, running, number)
            assert running.alive
        assert running.report is not None
        assert running.report.hung == ()
        assert world.lit == set()

    worlds = [World() for _ in range(WORLDS)]
    with ThreadPoolExecutor(WORLDS) as threads:
        for told in [threads.submit(tell, world) for world in worlds]:
            told.result()
    for fault in faults:
        assert sum(world.injected[fault] for world in worlds) == TIMES
    return worlds
