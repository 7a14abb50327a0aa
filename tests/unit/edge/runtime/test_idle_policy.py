import math

from hypothesis import given
from hypothesis import strategies as st

from edge.messages import Condition
from edge.runtime.idle_policy import Idleness, IdleOptions, IdlePolicy

OPTIONS = IdleOptions(slow_after_s=10, gate_after_s=60, dim_after_s=30, sleep_after_s=300)


def after(
    alone_s: float, condition: Condition = Condition.ALONE, moved_s: float = -math.inf
) -> Idleness:
    """How awake it is *alone_s* after the last person, something having moved at *moved_s*."""
    idle = IdlePolicy(OPTIONS)
    idle.update(Condition.WATCHING, 999.0)
    idle.update(condition, 1000.0)
    return idle.update(condition, 1000.0 + alone_s, 1000.0 + moved_s)


# Twice a second, then every two seconds; pictures five times a second all the while, so that somebody
# who moves is noticed within 0.2 s and a face is found within the 0.7 s in which Mien has to wake.
SLOW, GATED, WATCH = 0.5, 2.0, 0.2


def test_looks_slower_then_gated_then_dims_then_sleeps() -> None:
    assert after(9.9) == Idleness()
    assert after(10) == Idleness(SLOW, WATCH, "awake")
    assert after(30) == Idleness(SLOW, WATCH, "dim")
    assert after(60) == Idleness(GATED, WATCH, "dim")
    assert after(300) == Idleness(GATED, WATCH, "asleep")


def test_unless_told_otherwise_it_dims_after_one_minute_and_sleeps_after_five() -> None:
    idle = IdlePolicy()
    idle.update(Condition.ALONE, 0.0)
    assert idle.update(Condition.ALONE, 9.9) == Idleness()
    assert idle.update(Condition.ALONE, 10.0) == Idleness(SLOW, WATCH, "awake")
    assert idle.update(Condition.ALONE, 59.9) == Idleness(SLOW, WATCH, "awake")
    assert idle.update(Condition.ALONE, 60.0) == Idleness(GATED, WATCH, "dim")
    assert idle.update(Condition.ALONE, 299.9) == Idleness(GATED, WATCH, "dim")
    assert idle.update(Condition.ALONE, 300.0) == Idleness(GATED, WATCH, "asleep")


def test_somebody_wakes_everything_at_once() -> None:
    idle = IdlePolicy(OPTIONS)
    idle.update(Condition.ALONE, 0.0)
    assert idle.update(Condition.ALONE, 1000.0).display == "asleep"
    assert idle.update(Condition.WATCHING, 1000.05) == Idleness()
    assert idle.update(Condition.ALONE, 1000.1) == Idleness()
    assert idle.update(Condition.ALONE, 1009.0) == Idleness()


def test_movement_looks_at_full_rate_but_leaves_the_display_asleep() -> None:
    moved = after(400, moved_s=398.1)
    assert (moved.look_interval_s, moved.frame_interval_s, moved.display) == (0.0, 0.0, "asleep")
    # Two seconds, in which whoever moved has turned the face to the camera.
    assert after(400, moved_s=398).look_interval_s == GATED


def test_fault_is_dimmed_but_stays_to_be_read() -> None:
    assert after(86400, Condition.FAULT).display == "dim"


def test_starting_is_never_rested_on() -> None:
    assert after(86400, Condition.STARTING) == Idleness()


def test_display_that_never_sleeps_is_still_dimmed() -> None:
    idle = IdlePolicy(IdleOptions(sleep_after_s=math.inf, dim_after_s=30))
    idle.update(Condition.ALONE, 0.0)
    assert idle.update(Condition.ALONE, 1e7).display == "dim"


@given(
    st.lists(st.tuples(st.sampled_from(Condition), st.floats(0, 500), st.booleans()), max_size=60),
)
def test_rests_only_while_nobody_is_there(
    story: list[tuple[Condition, float, bool]],
) -> None:
    idle, t_s, moved_s, alone_s = IdlePolicy(OPTIONS), 0.0, -math.inf, 0.0
    before = Condition.STARTING
    for condition, gap_s, moved in story:
        t_s += gap_s
        moved_s = t_s if moved else moved_s
        quiet = condition in (Condition.ALONE, Condition.FAULT)
        alone_s = alone_s + gap_s if quiet and before in (Condition.ALONE, Condition.FAULT) else 0.0
        state = idle.update(condition, t_s, moved_s)
        if alone_s < 9.999:
            assert state == Idleness()
        if state.display == "asleep":
            assert condition is Condition.ALONE
            assert alone_s > 299.999
        if moved:
            assert state.look_interval_s == 0
        before = condition
