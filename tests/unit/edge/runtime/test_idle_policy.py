import math

from hypothesis import given
from hypothesis import strategies as st

from edge.messages import SHOWN
from edge.runtime.idle_policy import (
    GATED_LOOK_S,
    SLOW_LOOK_S,
    WATCH_INTERVAL_S,
    Idleness,
    IdleOptions,
    IdlePolicy,
)

OPTIONS = IdleOptions(slow_after_s=10, gate_after_s=60, dim_after_s=30, sleep_after_s=300)


def after(alone_s: float, shown: str = "nobody", moved_s: float = -math.inf) -> Idleness:
    """How awake it is *alone_s* after the last person, something having moved at *moved_s*."""
    idle = IdlePolicy(OPTIONS)
    idle.update("happy", 999.0)
    idle.update(shown, 1000.0)
    return idle.update(shown, 1000.0 + alone_s, 1000.0 + moved_s)


def test_looks_slower_then_gated_then_dims_then_sleeps() -> None:
    assert after(9.9) == Idleness()
    assert after(10) == Idleness(SLOW_LOOK_S, WATCH_INTERVAL_S, "awake")
    assert after(30) == Idleness(SLOW_LOOK_S, WATCH_INTERVAL_S, "dim")
    assert after(60) == Idleness(GATED_LOOK_S, WATCH_INTERVAL_S, "dim")
    assert after(300) == Idleness(GATED_LOOK_S, WATCH_INTERVAL_S, "asleep")


def test_somebody_wakes_everything_at_once() -> None:
    idle = IdlePolicy(OPTIONS)
    idle.update("nobody", 0.0)
    assert idle.update("nobody", 1000.0).rest == "asleep"
    assert idle.update("unsure", 1000.05) == Idleness()
    assert idle.update("nobody", 1000.1) == Idleness()
    assert idle.update("nobody", 1009.0) == Idleness()


def test_movement_looks_at_full_rate_but_leaves_the_display_asleep() -> None:
    moved = after(400, moved_s=399.5)
    assert (moved.look_interval_s, moved.frame_interval_s, moved.rest) == (0.0, 0.0, "asleep")
    assert after(400, moved_s=397).look_interval_s == GATED_LOOK_S


def test_movement_is_noticed_and_a_face_found_well_within_the_waking_time() -> None:
    assert WATCH_INTERVAL_S <= 0.2
    assert SLOW_LOOK_S <= 0.5


def test_fault_is_dimmed_but_stays_to_be_read() -> None:
    assert after(86400, "fault").rest == "dim"


def test_starting_is_never_rested_on() -> None:
    assert after(86400, "starting") == Idleness()


def test_display_that_never_sleeps_is_still_dimmed() -> None:
    idle = IdlePolicy(IdleOptions(sleep_after_s=math.inf, dim_after_s=30))
    idle.update("nobody", 0.0)
    assert idle.update("nobody", 1e7).rest == "dim"


@given(
    st.lists(st.tuples(st.sampled_from(SHOWN), st.floats(0, 500), st.booleans()), max_size=60),
)
def test_rests_only_while_nobody_is_there(
    story: list[tuple[str, float, bool]],
) -> None:
    idle, t_s, moved_s, alone_s = IdlePolicy(OPTIONS), 0.0, -math.inf, 0.0
    before = ""
    for shown, gap_s, moved in story:
        t_s += gap_s
        moved_s = t_s if moved else moved_s
        quiet = shown in ("nobody", "fault")
        alone_s = alone_s + gap_s if quiet and before in ("nobody", "fault") else 0.0
        state = idle.update(shown, t_s, moved_s)
        if alone_s < 9.999:
            assert state == Idleness()
        if state.rest == "asleep":
            assert shown == "nobody"
            assert alone_s > 299.999
        if moved:
            assert state.look_interval_s == 0
        before = shown
