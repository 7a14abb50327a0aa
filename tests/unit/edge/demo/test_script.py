import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.demo.landmarks import EXPRESSIONS
from edge.demo.script import (
    BLINKS_S,
    DURATION_S,
    EASE_S,
    SCENES,
    expression_at,
    eyes_closed_at,
    place_at,
    scene_at,
)

times = st.floats(0, DURATION_S)


def test_scenes_follow_each_other_without_a_gap() -> None:
    assert SCENES[0].start_s == 0.0
    assert SCENES[-1].end_s == DURATION_S
    for before, after in itertools.pairwise(SCENES):
        assert before.end_s == after.start_s
    assert len({scene.name for scene in SCENES}) == len(SCENES)


@given(times)
def test_expression_is_a_mixture(t_s: float) -> None:
    weights = expression_at(t_s)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert all(0 <= weight <= 1 for weight in weights.values())


@given(times)
def test_expression_is_that_of_the_scene_once_it_has_settled(t_s: float) -> None:
    scene = scene_at(t_s)
    assert scene.start_s <= t_s
    if scene.face not in (None, "moving") and t_s >= scene.start_s + EASE_S:
        assert expression_at(t_s) == {scene.face: 1.0}


@given(times)
def test_she_is_in_her_place_exactly_while_a_face_is_expected(t_s: float) -> None:
    scene = scene_at(t_s)
    place = place_at(t_s)
    if scene.face is None:
        assert place is None
    elif scene.face != "moving":
        assert place == pytest.approx(0.0, abs=1e-9)
    else:
        assert place is not None and -1 <= place <= 1


@given(st.floats(0, DURATION_S - 0.02))
def test_nothing_jumps_while_she_is_there(t_s: float) -> None:
    later_s = t_s + 0.01
    before, after = place_at(t_s), place_at(later_s)
    if before is not None and after is not None:
        assert abs(before - after) < 0.03
    now, then = expression_at(t_s), expression_at(later_s)
    for name in EXPRESSIONS:
        assert abs(now.get(name, 0.0) - then.get(name, 0.0)) < 0.06


def test_blinks_are_short_and_happen_while_she_is_seen() -> None:
    for blink_s in BLINKS_S:
        assert eyes_closed_at(blink_s) == 1.0
        assert eyes_closed_at(blink_s - 0.11) == eyes_closed_at(blink_s + 0.16) == 0.0
        assert place_at(blink_s) == pytest.approx(0.0)
