from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.runtime.restart_policy import RestartPolicy

# A sense has to be back within 5 s, so that five restarts come in less; a sixth within the same
# minute is no accident.
PAUSES_S, WITHIN_S = (0.0, 0.25, 0.5, 1.0, 2.0), 60.0
LOST_RETRY_S, STEADY_S = 30.0, 5.0
RESTARTS = len(PAUSES_S)

GAPS = st.lists(st.floats(0, 100), min_size=1, max_size=60)


def test_five_restarts_in_a_minute_then_lost() -> None:
    policy, t_s = RestartPolicy(), 1000.0
    for pause_s in PAUSES_S:
        decision = policy.failed(t_s)
        assert (decision.at_s, decision.lost) == (t_s + pause_s, False)
        t_s = decision.at_s
    decision = policy.failed(t_s)
    assert decision.lost
    assert decision.at_s == t_s + LOST_RETRY_S


def test_lost_part_is_tried_every_30_seconds_and_works_again_once_it_has_run_for_a_while() -> None:
    policy, t_s = RestartPolicy(), 0.0
    while not policy.lost:
        t_s = policy.failed(t_s).at_s
    for _ in range(10):
        decision = policy.failed(t_s)
        assert decision.at_s - t_s == LOST_RETRY_S
        t_s = decision.at_s
    assert not policy.ran(t_s, t_s + STEADY_S - 0.01)
    assert policy.lost
    assert policy.ran(t_s, t_s + STEADY_S + 1)
    assert not policy.lost
    assert not policy.ran(t_s, t_s + 2 * STEADY_S)


def test_restart_counts_for_a_minute() -> None:
    policy = RestartPolicy()
    assert policy.failed(1000.0).at_s == 1000.0
    assert policy.failed(1059.9).at_s == 1060.15  # the second within a minute waits a quarter
    assert policy.failed(1120.15).at_s == 1120.15
    for index in range(100):
        t_s = 2000.0 + 60.0 * index
        assert policy.failed(t_s).at_s == t_s


def test_known_reason_is_lost_at_once() -> None:
    policy = RestartPolicy()
    for failed_s, since_s, works_s in ((5.0, 10.0, 15.0), (20.0, 21.0, 43.0)):
        assert policy.failed(failed_s, hopeless=True).lost
        assert policy.ran(since_s, works_s)


@given(GAPS)
def test_never_more_than_five_restarts_in_any_minute_before_it_is_lost(gaps: list[float]) -> None:
    policy, t_s, restarts = RestartPolicy(), 0.0, list[float]()
    for gap_s in gaps:
        t_s += gap_s
        decision = policy.failed(t_s)
        assert decision.at_s >= t_s
        if decision.lost:
            break
        restarts.append(decision.at_s)
        t_s = decision.at_s
    for first, last in zip(restarts, restarts[RESTARTS:], strict=False):
        assert last - first >= WITHIN_S - 1e-9


@given(GAPS)
def test_restarts_come_in_order_and_lost_ones_no_closer_than_30_seconds(gaps: list[float]) -> None:
    policy, t_s, starts = RestartPolicy(), 0.0, list[float]()
    for gap_s in gaps:
        t_s += gap_s
        decision = policy.failed(t_s)
        starts.append(decision.at_s)
        if decision.lost:
            assert decision.at_s - t_s == pytest.approx(LOST_RETRY_S)
        t_s = decision.at_s
    assert all(one <= other for one, other in pairwise(starts))
