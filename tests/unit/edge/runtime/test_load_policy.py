import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.hardware.thermal import Heat
from edge.runtime.load_policy import Change, Load, LoadPolicy

RATES_HZ = (None, 15.0, 10.0, 6.0, 3.0)
WINDOW_S, HOLD_S, CALM_S = 5.0, 10.0, 30.0

FINE = Load(Heat(temperature_c=60), frames=150, read=150, age_s=0.02)
HOT = Load(Heat(temperature_c=83), frames=150, read=150, age_s=0.02)
WARM = Load(Heat(temperature_c=77), frames=150, read=150, age_s=0.02)
SLOWED = Load(Heat(slowed=True), frames=150, read=150)
WEAK = Load(Heat(under_voltage=True), frames=150, read=150)
LATE = Load(frames=150, read=100, refused=30, age_s=0.18)
OVERRUN = Load(frames=150, read=50, dropped=100, age_s=0.03)


class Run:
    def __init__(self) -> None:
        self.policy, self.t_s = LoadPolicy(), 0.0

    def pass_time(self, load: Load, seconds: float) -> list[Change]:
        changes = []
        for _ in range(round(seconds / WINDOW_S)):
            self.t_s += WINDOW_S
            change = self.policy.update(load, self.t_s)
            changes += [change] if change else []
        return changes


def test_calm_board_is_left_alone() -> None:
    assert Load() == Load(Heat(), frames=0, read=0, dropped=0, refused=0, age_s=0.0)
    assert Run().pass_time(FINE, 600) == []


def test_hot_board_is_slowed_step_by_step_and_says_why() -> None:
    run = Run()
    assert len(run.pass_time(HOT, 5)) == 1, "heat does not wait"
    assert run.pass_time(HOT, 5) == [], "the first step has to take effect"
    assert [change.rate_hz for change in run.pass_time(HOT, 5)] == [10.0]
    run = Run()
    changes = run.pass_time(HOT, 35)
    assert [change.rate_hz for change in changes] == list(RATES_HZ[1:])
    assert changes[0].text == (
        "The board is too hot (83 °C): faces are read at most 15 times a second."
    )
    assert run.pass_time(HOT, 60) == []


def test_firmware_that_slows_the_board_and_a_weak_supply_are_told_apart() -> None:
    assert Run().pass_time(SLOWED, 5)[0].text.startswith("The board is too hot:")
    assert Run().pass_time(WEAK, 5)[0].text.startswith("The power supply is too weak:")


def test_lag_has_to_last_before_it_counts() -> None:
    run = Run()
    assert run.pass_time(LATE, 5) == []
    assert run.pass_time(FINE, 5) == []
    assert run.pass_time(LATE, 5) == []
    (change,) = run.pass_time(LATE, 5)
    assert change.text == ("The board does not keep up: faces are read at most 15 times a second.")
    assert len(run.pass_time(LATE, 10)) == 1


@pytest.mark.parametrize(
    ("load", "lowers"),
    [
        # too hot from 80 °C on
        (Load(Heat(temperature_c=79.9), 150, 150), False),
        (Load(Heat(temperature_c=80.0), 150, 150), True),
        # more than a tenth refused as too old, half replaced unread, or 0.15 s old on average
        (Load(frames=150, read=135, refused=15), False),
        (Load(frames=150, read=134, refused=16), True),
        (Load(frames=150, read=75, dropped=75), False),
        (Load(frames=150, read=74, dropped=76), True),
        (Load(frames=150, read=1, age_s=0.15), False),
        (Load(frames=150, read=1, age_s=0.16), True),
        (Load(frames=150, age_s=0.16), False),
        (Load(), False),
    ],
)
def test_rate_is_lowered_when_a_window_goes_past_a_limit(load: Load, lowers: bool) -> None:
    assert len(Run().pass_time(load, 10)) == lowers


def test_rate_is_raised_late_and_not_while_it_is_still_warm() -> None:
    run = Run()
    run.pass_time(HOT, 5)
    assert run.pass_time(Load(Heat(temperature_c=75.1), 150, 150), 600) == []
    cool = Load(Heat(temperature_c=75.0), 150, 150)  # 5 °C under the limit
    assert run.pass_time(cool, CALM_S) == []
    assert run.pass_time(LATE, WINDOW_S) == [], "one late window is no strain yet, but no calm"
    (change,) = run.pass_time(cool, WINDOW_S)
    assert change.rate_hz is None
    assert change.text == "The board keeps up again: faces are read at full rate."


def test_each_step_up_takes_its_own_half_minute() -> None:
    run = Run()
    run.pass_time(HOT, 15)
    assert run.pass_time(FINE, 2 * CALM_S) == [
        Change(15.0, "The board keeps up again: faces are read at most 15 times a second.")
    ]
    assert run.pass_time(FINE, WINDOW_S)[0].rate_hz is None


def test_raise_that_did_not_last_a_minute_doubles_the_wait_for_the_next_up_to_ten() -> None:
    def waits(relapse_s: float, times: int) -> list[float]:
        run, waited = Run(), list[float]()
        run.pass_time(HOT, WINDOW_S)
        for _ in range(times):
            before_s = run.t_s
            while run.policy.rate_hz is not None:
                run.pass_time(FINE, WINDOW_S)
            waited.append(run.t_s - before_s - WINDOW_S)
            run.pass_time(FINE, relapse_s - WINDOW_S)
            run.pass_time(HOT, WINDOW_S)
        return waited

    assert waits(55, 7) == [30, 60, 120, 240, 480, 600, 600]
    assert waits(60, 3) == [30, 30, 30]


def test_waits_hold_to_the_second_however_the_windows_fall() -> None:
    policy = LoadPolicy()
    story = [(HOT, 1000.0, True), (HOT, 1009.9, False), (HOT, 1010.0, True)]
    story += [(FINE, 1015.0, False), (FINE, 1044.9, False), (FINE, 1045.0, True)]
    story += [(FINE, 1074.9, False), (FINE, 1076.0, True)]
    assert [policy.update(load, t_s) is not None for load, t_s, _ in story] == [
        changes for _, _, changes in story
    ]


LOADS = st.sampled_from([FINE, HOT, WARM, SLOWED, WEAK, LATE, OVERRUN])


@given(st.lists(LOADS, max_size=200))
def test_steps_are_single_and_never_swing_fast(loads: list[Load]) -> None:
    policy, t_s = LoadPolicy(), 0.0
    step, lowered_s, changed_s = 0, -1e9, -1e9
    for load in loads:
        t_s += WINDOW_S
        change = policy.update(load, t_s)
        if change is None:
            assert policy.rate_hz == RATES_HZ[step]
            continue
        now = RATES_HZ.index(change.rate_hz)
        assert abs(now - step) == 1
        if now > step:
            assert t_s - lowered_s >= HOLD_S
            lowered_s = t_s
        else:
            assert load == FINE
            assert t_s - changed_s >= CALM_S
        step, changed_s = now, t_s
