from hypothesis import given
from hypothesis import strategies as st

from edge.hardware.thermal import Heat
from edge.runtime.load_policy import (
    CALM_S,
    HOLD_S,
    LONGEST_CALM_S,
    RATES_HZ,
    RELAPSE_S,
    WINDOW_S,
    Change,
    Load,
    LoadPolicy,
)

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
    assert Run().pass_time(FINE, 600) == []


def test_hot_board_is_slowed_step_by_step_and_says_why() -> None:
    run = Run()
    changes = run.pass_time(HOT, 60)
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
    assert len(run.pass_time(LATE, 5)) == 1
    assert len(Run().pass_time(OVERRUN, 10)) == 1


def test_rate_is_raised_late_and_not_while_it_is_still_warm() -> None:
    run = Run()
    run.pass_time(HOT, 5)
    assert run.pass_time(WARM, 600) == []
    assert run.pass_time(FINE, CALM_S) == []
    (change,) = run.pass_time(FINE, WINDOW_S)
    assert change.rate_hz is None
    assert change.text == "The board keeps up again: faces are read at full rate."


def test_raise_that_did_not_last_makes_the_next_one_wait_longer() -> None:
    run, waits = Run(), []
    run.pass_time(HOT, 5)
    for _ in range(8):
        before_s = run.t_s
        while run.policy.rate_hz is not None:
            run.pass_time(FINE, WINDOW_S)
        waits.append(run.t_s - before_s)
        while run.policy.rate_hz is None:
            run.pass_time(HOT, WINDOW_S)
    assert waits[1] > waits[0] * 1.5
    assert waits[2] > waits[1] * 1.5
    assert max(waits) <= LONGEST_CALM_S + 2 * WINDOW_S


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
    assert RELAPSE_S > CALM_S
