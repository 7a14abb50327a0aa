import pytest

from edge.messages import Face
from edge.perception.attention import Attention


def face(x_px: float, width_px: float, y_px: float = 100) -> Face:
    at = (x_px + width_px / 2, y_px + width_px / 2)
    return Face(x_px, y_px, width_px, width_px, at, at, at, at, at, at, 0.9)


def test_attends_to_the_widest_face_first() -> None:
    near, far = face(300, 120), face(50, 60)
    assert Attention().choose([far, near], 0) is near


def test_stays_with_the_attended_face_while_a_similar_one_comes_and_goes() -> None:
    attention = Attention()
    mine = face(100, 100)
    assert attention.choose([mine], 0) is mine
    for step in range(1, 60):
        mine, other = face(100 + step, 100), face(400, 130)
        assert attention.choose([other, mine], step / 15) is mine


def test_follows_a_moving_face_past_another() -> None:
    attention = Attention()
    attention.choose([face(0, 100)], 0)
    for step in range(1, 30):
        mine, other = face(step * 10.0, 100), face(500, 100)
        assert attention.choose([mine, other], step / 15) is mine


@pytest.mark.parametrize(("wider", "takes_over"), [(180, False), (181, True)])
def test_face_of_more_than_one_and_four_fifths_the_width_takes_over_after_a_second(
    wider: float, takes_over: bool
) -> None:
    attention = Attention()
    attention.choose([face(50, 100)], 0)
    chosen = [
        attention.choose([face(50, 100), face(300, wider)], t_s)
        for t_s in (0.25, 0.75, 1.125, 1.25)
    ]
    widths = [one.width_px if one else 0 for one in chosen]
    assert widths == [100, 100, 100, wider if takes_over else 100]


def test_time_in_front_is_counted_anew_after_stepping_back_and_at_any_rate() -> None:
    attention = Attention()
    mine, front = face(50, 100), face(300, 200)
    for t_s, faces in ((0, [mine]), (0.5, [mine, front]), (1.0, [mine]), (1.25, [mine, front])):
        assert attention.choose(faces, t_s) is mine
    for t_s, chosen in ((1.75, mine), (2.125, mine), (2.5, front)):
        assert attention.choose([mine, front], t_s) is chosen


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize(("jump_px", "is_mine"), [(80.5, True), (81.0, False)])
def test_face_whose_middle_jumps_four_fifths_of_its_width_is_another(
    down: bool, jump_px: float, is_mine: bool
) -> None:
    attention = Attention()
    attention.choose([face(100, 101, 100)], 0)
    # The middle was at 150.5; the next face is half as wide. 0.8 x 101 = 80.8.
    moved, kept = 150.5 + jump_px - 25.5, 150.5 - 25.5
    there = face(kept, 51, moved) if down else face(moved, 51, kept)
    assert attention.choose([there], 0.1) is (there if is_mine else None)


def test_lets_go_of_a_face_that_has_been_gone_for_seven_tenths_of_a_second() -> None:
    attention = Attention()
    attention.choose([face(50, 100)], 0)
    elsewhere = face(400, 100)
    assert attention.choose([elsewhere], 0.3) is None
    assert attention.choose([], 0.5) is None
    assert attention.choose([elsewhere], 0.7) is None
    assert attention.choose([elsewhere], 0.71) is elsewhere
