from dataclasses import replace

import pytest

from edge.hardware.thermal import Heat
from edge.messages import Condition, Notice
from edge.runtime.idle_policy import WATCH_INTERVAL_S, IdleOptions, IdlePolicy
from edge.runtime.load_policy import WINDOW_S, LoadPolicy
from edge.runtime.rate_control import RateControl, RateLimits
from edge.runtime.statistics import Statistics


class Bench:
    def __init__(self, idle: bool = True, load_policy: bool = True) -> None:
        self.limits, self.said = RateLimits(), list[Notice]()
        self.heat, self.statistics, self.t_s = Heat(), Statistics(), 1000.0
        self.asked = 0
        self.limitsr = RateControl(
            self.limits,
            IdlePolicy(IdleOptions(slow_after_s=10)) if idle else None,
            LoadPolicy() if load_policy else None,
            self.read_heat,
            self.said.append,
        )

    def read_heat(self) -> Heat:
        self.asked += 1
        return self.heat

    def pass_time(
        self, seconds: float, condition: Condition, frames_hz: float = 30, late: int = 0
    ) -> str:
        rest = ""
        for _ in range(round(seconds / 0.05)):
            self.t_s += 0.05
            self.statistics.frames += round(frames_hz * 0.05 * 100)
            self.statistics.read += round(frames_hz * 0.05 * 100) - late
            self.statistics.refused += late
            rest = self.limitsr.update(condition, replace(self.statistics), self.t_s)
        return rest


def test_hot_board_is_read_slower_and_told_once() -> None:
    bench = Bench()
    bench.pass_time(30, Condition.WATCHING)
    assert bench.limits.frame_interval_s == 0
    bench.heat = Heat(temperature_c=84)
    bench.pass_time(WINDOW_S + 1, Condition.WATCHING)
    assert bench.limits.frame_interval_s == pytest.approx(1 / 15)
    assert [(notice.part, notice.kind) for notice in bench.said] == [("face reader", "pace")]
    assert "84 °C" in bench.said[0].text


def test_sensors_of_the_board_are_asked_seldom() -> None:
    bench = Bench()
    bench.pass_time(60, Condition.WATCHING)
    assert bench.asked <= 60 / WINDOW_S


def test_lag_is_judged_by_what_happened_since_the_window_before() -> None:
    bench = Bench()
    bench.pass_time(20, Condition.WATCHING, late=100)
    assert bench.limits.frame_interval_s > 0
    slowed = len(bench.said)
    bench.pass_time(200, Condition.WATCHING)
    assert bench.limits.frame_interval_s == 0
    assert bench.said[slowed:][-1].text.endswith("faces are read at full rate.")


def test_slower_of_both_policies_holds() -> None:
    bench = Bench()
    bench.heat = Heat(temperature_c=90)
    bench.pass_time(120, Condition.WATCHING)
    assert bench.limits.frame_interval_s == pytest.approx(1 / 3)
    bench.pass_time(15, Condition.ALONE)
    assert bench.limits.frame_interval_s == pytest.approx(1 / 3)
    assert bench.limits.look_interval_s > 0
    cool = Bench()
    cool.pass_time(15, Condition.ALONE)
    assert cool.limits.frame_interval_s == WATCH_INTERVAL_S


def test_without_policies_nothing_ever_slows_down_or_rests() -> None:
    bench = Bench(idle=False, load_policy=False)
    bench.heat = Heat(slowed=True)
    assert bench.pass_time(400, Condition.ALONE) == "awake"
    assert bench.limits == RateLimits()
    assert bench.asked == 0
