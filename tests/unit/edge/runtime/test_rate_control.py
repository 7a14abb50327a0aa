from dataclasses import replace

import pytest

from edge.hardware.thermal import Heat
from edge.messages import Condition, Notice
from edge.runtime.idle_policy import IdleOptions, IdlePolicy
from edge.runtime.load_policy import Change, Load, LoadPolicy
from edge.runtime.rate_control import RateControl, RateLimits
from edge.runtime.statistics import Statistics


class Bench:
    def __init__(self, idle: bool = True, load_policy: bool = True) -> None:
        self.limits, self.said = RateLimits(), list[Notice]()
        self.heat, self.statistics, self.t_s = Heat(), Statistics(), 1000.0
        self.asked = 0
        self.control = RateControl(
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
            rest = self.control.update(condition, replace(self.statistics), self.t_s)
        return rest


def test_hot_board_is_read_slower_and_told_once() -> None:
    bench = Bench()
    bench.pass_time(30, Condition.WATCHING)
    assert bench.limits.frame_interval_s == 0
    bench.heat = Heat(temperature_c=84)
    bench.pass_time(6, Condition.WATCHING)
    assert bench.limits.frame_interval_s == pytest.approx(1 / 15)
    assert [(notice.part, notice.kind) for notice in bench.said] == [("face reader", "pace")]
    assert "84 °C" in bench.said[0].text


class Noting(LoadPolicy):
    def __init__(self) -> None:
        super().__init__()
        self.loads: list[tuple[float, Load]] = []

    def update(self, load: Load, t_s: float) -> Change | None:
        self.loads.append((t_s, load))
        return None


def test_load_is_what_happened_in_the_last_five_seconds() -> None:
    policy, limits, heat = Noting(), RateLimits(), Heat(temperature_c=50.0)
    control = RateControl(limits, None, policy, lambda: heat, lambda notice: None)
    begin = Statistics(frames=100, read=60, dropped=30, refused=10, age_s=2.0)
    later = Statistics(frames=250, read=180, dropped=50, refused=17, age_s=8.0)
    for t_s, statistics in ((100.0, begin), (104.9, begin), (105.0, later), (110.0, later)):
        control.update(Condition.WATCHING, statistics, t_s)
    assert policy.loads == [(105.0, Load(heat, 150, 120, 20, 7, 0.05)), (110.0, Load(heat))]
    assert limits.frame_interval_s == 0.0


def test_rate_that_was_lowered_for_lag_is_raised_when_it_keeps_up() -> None:
    bench = Bench()
    bench.pass_time(20, Condition.WATCHING, late=100)
    assert bench.limits.frame_interval_s > 0
    bench.pass_time(200, Condition.WATCHING)
    assert bench.limits.frame_interval_s == 0
    assert bench.said[-1].text.endswith("faces are read at full rate.")


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
    assert cool.limits.frame_interval_s == 0.2


def test_without_policies_nothing_ever_slows_down_or_rests() -> None:
    bench = Bench(idle=False, load_policy=False)
    bench.heat = Heat(slowed=True)
    assert bench.pass_time(400, Condition.ALONE) == "awake"
    assert bench.limits == RateLimits()
    assert bench.asked == 0
