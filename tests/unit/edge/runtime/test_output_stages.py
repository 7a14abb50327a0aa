from collections.abc import Callable
from typing import Any, Generic, TypeVar
from unittest.mock import MagicMock

import pytest

from edge.errors import OutputError
from edge.messages import DisplayLevel, Mood, Notice
from edge.outputs.oled import Oled
from edge.runtime.output_stages import OutputStage
from tests.fakes.clock import HandClock

Kind = TypeVar("Kind", bound="Display")
NO_ANSWER = "No display answers at 0x3C; check its wires."


class Display:
    """A display that can be unplugged, rests, and counts what is done to it."""

    name, interval_s = "test display", 0.05

    def __init__(self) -> None:
        self.plugged = True
        self.pictures: list[str] = []
        self.rests: list[str] = []
        self.closed = False

    def show(self, mood: Mood, t_s: float) -> None:
        if not self.plugged:
            raise OutputError(NO_ANSWER)
        self.pictures.append(mood.shown)

    def rest(self, level: str) -> None:
        if not self.plugged:
            raise OutputError(NO_ANSWER)
        self.rests.append(level)

    def close(self) -> None:
        self.closed = True


class Writer(Display):
    """An output that mends itself and writes notices down."""

    name, mends_itself = "test writer", True

    def __init__(self) -> None:
        super().__init__()
        self.notices: list[Notice] = []

    def notice(self, notice: Notice) -> None:
        if not self.plugged:
            raise OutputError("The disk is full; make room.")
        self.notices.append(notice)


class Bench(Generic[Kind]):
    """An `OutputStage` stepped by hand, with time that only its waiting moves on."""

    def __init__(self, kind: Callable[[], Kind]) -> None:
        self.kind, self.made, self.asked, self.missing = kind, list[Kind](), 0, False
        self.clock = HandClock()
        self.reported: list[str] = []
        self.told: list[Notice] = []
        self.stage = OutputStage(
            None, self.reported.append, self.make, "output 1", self.told.append, clock=self.clock
        )

    def make(self) -> Kind:
        self.asked += 1
        if self.missing:
            raise OutputError(NO_ANSWER)
        self.made.append(self.kind())
        return self.made[-1]

    def pass_time(self, seconds: float, shown: str = "happy", rest: Any = "awake") -> None:
        end_s = self.clock.t_s + seconds
        while self.clock.t_s < end_s:
            self.stage.put(Mood(self.clock.t_s, shown), rest)
            before_s = self.clock.t_s
            assert self.stage.step()
            assert self.clock.t_s > before_s or self.stage.state == "open"


def test_missing_display_is_looked_for_and_used_once_it_is_there() -> None:
    bench = Bench(Display)
    bench.missing = True
    bench.pass_time(60)
    assert bench.asked == pytest.approx(3 + 60 / 3.0, abs=2)  # sooner at first, then every 3 s
    assert bench.reported == [NO_ANSWER]
    assert [(notice.part, notice.kind) for notice in bench.told] == [("output 1", "lost")]
    assert bench.stage.state == "missing"
    bench.missing = False
    bench.pass_time(3.2)
    assert bench.made[0].pictures[:1] == ["happy"]
    assert bench.reported[1:] == ["The test display is back."]
    assert bench.told[-1].kind == "back"


def test_unplugged_display_is_reopened_within_five_seconds() -> None:
    bench = Bench(Display)
    for round_ in range(20):
        bench.pass_time(1)
        bench.made[-1].plugged, bench.missing = False, True
        bench.pass_time(10)
        assert bench.made[-1].closed
        assert bench.stage.state == "missing"
        bench.missing = False
        bench.pass_time(5)
        assert len(bench.made) == round_ + 2
        assert bench.made[-1].pictures
    assert bench.reported == [NO_ANSWER, "The test display is back."] * 20


def test_output_that_mends_itself_is_not_reopened() -> None:
    bench = Bench(Writer)
    bench.pass_time(1)
    (writer,) = bench.made
    writer.plugged = False
    bench.stage.add_notice(Notice(5.0, "camera", "restart", "The camera crashed."))
    bench.pass_time(10)
    assert bench.reported == ["The disk is full; make room."]
    writer.plugged = True
    bench.pass_time(2)
    assert (len(bench.made), writer.closed) == (1, False)
    assert [notice.part for notice in writer.notices] == ["camera"]


def test_display_dims_sleeps_without_being_drawn_on_and_wakes() -> None:
    bench = Bench(Display)
    bench.pass_time(1)
    (display,) = bench.made
    bench.pass_time(1, "nobody", "dim")
    assert display.rests == ["dim"]
    bench.pass_time(0.2, "nobody", "asleep")
    drawn = len(display.pictures)
    bench.pass_time(60, "nobody", "asleep")
    assert display.rests == ["dim", "asleep"]
    assert len(display.pictures) == drawn
    woken_s = bench.clock.t_s
    while display.pictures[-1] != "happy":
        bench.pass_time(0.01)
    assert bench.clock.t_s - woken_s <= 0.2
    assert display.rests == ["dim", "asleep", "awake"]


def test_display_that_was_reopened_while_resting_rests_again() -> None:
    bench = Bench(Display)
    bench.pass_time(1, "nobody", "dim")
    bench.made[0].plugged = False
    bench.pass_time(3, "nobody", "dim")
    assert bench.made[-1] is not bench.made[0]
    assert bench.made[-1].rests == ["dim"]


def test_writer_tells_every_reason_once_until_it_writes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer = Writer()
    reasons = ["The disk is full; make room.", "The disk is read-only; check it."]

    def refuse(mood: Mood, t_s: float) -> None:
        raise OutputError(reasons[int(t_s / 7) % 2])

    bench = Bench(lambda: writer)
    for _ in range(20):
        with monkeypatch.context() as broken:
            broken.setattr(writer, "show", refuse)
            bench.pass_time(40)
        assert sorted(bench.reported) == reasons
        bench.reported.clear()
        bench.pass_time(1)
        assert writer.pictures.pop() == "happy"


def test_oled_is_switched_off_while_it_sleeps_and_keeps_its_brightness() -> None:
    bus = MagicMock()
    oled = Oled(serial=bus, contrast=180)
    bus.reset_mock()
    levels: tuple[DisplayLevel, ...] = ("dim", "asleep", "awake")
    for level in levels:
        oled.rest(level)
    commands = [call.args for call in bus.command.call_args_list]
    assert commands == [(0x81, 4), (0xAE,), (0xAF,), (0x81, 180)]


def test_looking_for_a_missing_oled_keeps_nothing_in_memory() -> None:
    import gc
    import weakref

    gone = []
    for _ in range(5):
        oled = Oled(serial=MagicMock())
        gone.append(weakref.ref(oled._device))
        oled.close()
    del oled
    gc.collect()
    assert [one() for one in gone] == [None] * 5
