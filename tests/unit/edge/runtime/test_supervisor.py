import threading
from collections.abc import Callable

import pytest

from edge.errors import ModelError
from edge.messages import Notice
from edge.runtime.statistics import Statistics
from edge.runtime.supervisor import Slot, Supervised, Supervisor

PAUSES_S, LOST_RETRY_S, STEADY_S = (0.0, 0.25, 0.5, 1.0, 2.0), 30.0, 5.0
RESTARTS = len(PAUSES_S)
BUILD_S = 90.0  # MediaPipe needs 20 s on a Pi Zero
HUNG_THREADS = 3  # each holds on to its model and its device


class FakeStage:
    """A stage without a thread, that lives, dies and hangs as it is told."""

    name, part, place = "fake", "", "in a driver"

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self.statistics = Statistics()
        self.started = self.stopped = self.abandoned = False
        self.beat_s, self.limit_s, self.thread = 0.0, 5.0, True

    @property
    def alive(self) -> bool:
        return self.started and self.thread

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.stopped = True

    def abandon(self) -> None:
        self.abandoned = True

    def join(self, timeout_s: float) -> bool:
        return not self.alive

    def late(self, t_s: float, awake_s: float) -> bool:
        return self.alive and t_s - max(self.beat_s, awake_s) > self.limit_s


class Bench:
    """One slot with a clock that is moved by hand; stages are built when it is told to."""

    def __init__(self, make: Callable[[], Supervised] | None = None) -> None:
        self.made: list[FakeStage] = []
        self.said: list[Notice] = []
        self.retired: list[Supervised] = []
        self.building: list[Callable[[], None]] = []
        self.hold_builders = False
        self.slot = Slot(
            "camera", make or self.make, self.said.append, self.retired.append, self.spawn
        )
        self.supervisor = Supervisor()
        self.supervisor.add(self.slot)
        self.t_s = 100.0

    def make(self) -> FakeStage:
        self.made.append(FakeStage())
        self.made[-1].beat_s = self.t_s
        return self.made[-1]

    def spawn(self, work: Callable[[], None], name: str) -> None:
        self.building.append(work)
        if not self.hold_builders:
            work()

    def begin(self) -> None:
        self.slot.load()
        self.slot.begin(self.t_s)
        self.supervisor.tick(self.t_s)

    def pass_time(self, seconds: float, beating: bool = True) -> None:
        end_s = self.t_s + seconds
        while self.t_s < end_s - 1e-9:
            self.t_s = min(self.t_s + 0.05, end_s)
            if beating and self.made:
                self.made[-1].beat_s = self.t_s
            self.supervisor.tick(self.t_s)

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.said]

    def crash(self) -> None:
        self.made[-1].failure = ZeroDivisionError("division by zero")
        self.made[-1].thread = False
        self.pass_time(0.05)


def test_stage_that_falls_over_is_started_again_at_once_and_says_so() -> None:
    bench = Bench()
    bench.begin()
    bench.crash()
    bench.pass_time(0.1)
    assert len(bench.made) == 2
    assert bench.made[1].started
    assert bench.slot.stage is bench.made[1]
    assert bench.retired == [bench.made[0]]
    assert bench.said[0].text == (
        "The camera crashed (ZeroDivisionError: division by zero); it is started again."
    )
    assert (bench.slot.trouble, bench.supervisor.restarts) == ("", 1)
    assert bench.supervisor.stages == [bench.made[1]]
    bench.crash()
    bench.supervisor.tick(bench.t_s + 0.24)
    assert (len(bench.made), bench.supervisor.stages) == (2, [])
    bench.supervisor.tick(bench.t_s + 0.25)
    assert len(bench.made) == 3


def test_where_a_stage_crashed_or_hangs_is_kept() -> None:
    class Record:
        def __init__(self) -> None:
            self.kept: list[tuple[str, str]] = []

        def traceback(self, part: str, failure: BaseException | str) -> None:
            self.kept.append((part, str(failure)))

    bench, record = Bench(), Record()
    Supervisor(record).add(bench.slot)
    bench.begin()
    bench.crash()
    bench.pass_time(10, beating=False)
    bench.made[-1].failure = ModelError("known, and told by a notice")
    bench.pass_time(0.05)
    assert record.kept[:2] == [("camera", "division by zero"), ("camera", "It hangs:\nin a driver")]
    assert not any("known" in text for _, text in record.kept)


def test_stage_that_keeps_falling_over_is_lost_and_comes_back_after_it_has_run() -> None:
    bench = Bench()
    bench.begin()
    for pause_s in (*PAUSES_S, 0.0):
        bench.crash()
        bench.pass_time(pause_s + 0.1)
    assert bench.kinds() == ["restart"] * RESTARTS + ["lost"]
    assert "tried again every 30 s" in bench.slot.trouble
    assert bench.slot.stage is None
    bench.pass_time(LOST_RETRY_S)
    assert bench.slot.stage is bench.made[-1]
    assert bench.slot.trouble
    bench.pass_time(STEADY_S)
    assert bench.slot.trouble == ""
    assert bench.said[-1].text == "The camera works again."
    assert bench.supervisor.advancing


def test_lost_stage_is_not_told_again_every_30_seconds() -> None:
    bench = Bench()
    bench.begin()
    while not bench.slot.trouble:
        bench.crash()
        bench.pass_time(0 if bench.slot.trouble else 3)
    for _ in range(5):
        bench.pass_time(LOST_RETRY_S + 0.2)
        assert bench.slot.stage is bench.made[-1]
        bench.crash()
    assert bench.kinds() == ["restart"] * RESTARTS + ["lost"]


def test_stage_that_hangs_is_abandoned_and_replaced_within_its_bound() -> None:
    bench = Bench()
    bench.begin()
    bench.pass_time(5.2, beating=False)
    assert bench.made[0].abandoned
    assert len(bench.made) == 2
    assert bench.said[0].text == "The camera hangs; it is started again."
    assert list(bench.supervisor.left_behind) == ["camera"]
    assert bench.supervisor.advancing
    bench.made[0].thread = False
    assert not bench.supervisor.left_behind


def test_stage_that_gives_signs_of_life_is_left_alone() -> None:
    bench = Bench()
    bench.begin()
    bench.pass_time(120)
    assert bench.said == []
    assert len(bench.made) == 1


def test_watchdog_starves_when_replacing_has_not_helped_and_only_then() -> None:
    bench = Bench()
    bench.begin()
    for _ in range(HUNG_THREADS - 1):
        bench.pass_time(10, beating=False)
        bench.made[-1].beat_s = bench.t_s
    assert bench.supervisor.advancing
    bench.pass_time(10, beating=False)
    made = len(bench.made)
    assert not bench.supervisor.advancing
    assert "cannot be replaced" in bench.slot.trouble
    assert bench.kinds()[-1] == "lost"
    bench.pass_time(60, beating=False)
    assert len(bench.made) == made, "a stuck part must not pile up threads"
    assert bench.kinds().count("lost") == 1


def test_lost_part_that_hangs_for_good_is_told_of_once_more() -> None:
    bench = Bench()
    bench.begin()
    for pause_s in (*PAUSES_S, 0.0):
        bench.crash()
        bench.pass_time(pause_s + 0.1)
    bench.pass_time((HUNG_THREADS + 1) * (LOST_RETRY_S + 6), beating=False)
    assert bench.kinds()[RESTARTS:] == ["lost", "lost"]
    assert "cannot be replaced" in bench.said[-1].text


def test_stuck_part_goes_on_when_its_threads_wake_up_after_all() -> None:
    bench = Bench()
    bench.begin()
    bench.pass_time(20, beating=False)
    assert "cannot be replaced" in bench.slot.trouble
    for stage in bench.made:
        stage.thread = False
    bench.pass_time(STEADY_S + 1)
    assert bench.supervisor.advancing
    assert bench.slot.trouble == ""


def test_process_that_was_stopped_does_not_take_its_stages_for_hung() -> None:
    bench = Bench()
    bench.begin()
    bench.t_s += 3600
    bench.supervisor.tick(bench.t_s)
    assert bench.said == []
    bench.pass_time(4.9, beating=False)
    assert bench.said == []
    bench.pass_time(0.2, beating=False)
    assert bench.kinds() == ["restart"]


def test_loop_that_was_away_for_over_a_second_was_stopped() -> None:
    bench, awake_s = Bench(), list[float]()

    class Noting(FakeStage):
        def late(self, t_s: float, awake_since_s: float) -> bool:
            awake_s.append(awake_since_s)
            return False

    bench.slot.stage = Noting()
    stopped_s = [bench.supervisor.tick(t_s) for t_s in (100.0, 101.0, 102.03125, 102.0625)]
    assert stopped_s == [0.0, 0.0, 1.03125, 0.0]
    assert awake_s == [100.0, 100.0, 102.03125, 102.03125]


def test_damaged_model_is_lost_with_its_own_sentence_and_tried_again() -> None:
    failures = [ModelError("face_int8.tflite is damaged; restore it.")]

    def make() -> FakeStage:
        if failures:
            raise failures.pop()
        stage = FakeStage()
        stage.beat_s = 1e9
        return stage

    bench = Bench(make)
    with pytest.raises(ModelError):
        bench.slot.load()
    bench.slot.give_up(ModelError("face_int8.tflite is damaged; restore it."), bench.t_s)
    assert bench.slot.trouble == (
        "face_int8.tflite is damaged; restore it. The camera is tried again every 30 s."
    )
    bench.pass_time(LOST_RETRY_S + STEADY_S + 1)
    assert bench.slot.trouble == ""


def test_building_never_holds_up_the_loop_and_a_builder_that_hangs_is_given_up() -> None:
    bench = Bench()
    bench.t_s, bench.hold_builders = 40.0, True
    bench.begin()
    bench.crash()
    bench.supervisor.tick(41.0)
    assert len(bench.building) == 1
    for t_s in range(42, 132):
        bench.supervisor.tick(t_s)
    assert bench.slot.stage is None
    assert bench.kinds() == ["restart"]
    assert bench.supervisor.left_behind == ()
    bench.t_s = 131.05  # over 90 s
    bench.supervisor.tick(bench.t_s)
    assert bench.said[-1].text.startswith("The camera hangs")
    assert list(bench.supervisor.left_behind) == ["camera"]
    bench.hold_builders = False
    bench.pass_time(0.1)
    assert bench.slot.stage is bench.made[-1]
    bench.building[0]()
    assert bench.supervisor.left_behind == ()


def test_builder_runs_on_a_thread_that_does_not_keep_the_process_alive_and_may_fail() -> None:
    threads: list[threading.Thread] = []
    said: list[Notice] = []

    def make() -> FakeStage:
        threads.append(threading.current_thread())
        raise SystemExit("no memory")

    slot = Slot("camera", make, said.append)
    slot.give_up(None, 100.0)
    slot.tick(100.0, 100.0)
    threads[0].join(5)
    slot.tick(100.1, 100.0)
    assert (threads[0].name, threads[0].daemon) == ("builder camera", True)
    assert "crashed (SystemExit: no memory)" in said[-1].text


def test_stage_that_a_hung_builder_makes_too_late_is_never_started() -> None:
    bench = Bench()
    bench.hold_builders = True
    bench.begin()
    bench.crash()
    bench.pass_time(BUILD_S + 2)
    bench.building[0]()
    late = bench.made[-1]
    bench.hold_builders = False
    bench.pass_time(BUILD_S + 60)
    assert not late.started


def test_traceback_is_printed_only_when_debugging(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Bench()
    bench.begin()
    bench.crash()
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("MIEN_DEBUG", "1")
    bench.pass_time(1)
    bench.crash()
    assert "ZeroDivisionError" in capsys.readouterr().err
