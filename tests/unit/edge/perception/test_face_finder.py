from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.messages import Face
from edge.perception.face_finder import Attention, FaceFinder


def face(x_px: float, width_px: float) -> Face:
    def at(right: float, down: float) -> tuple[float, float]:
        return (x_px + right * width_px, 100 + down * width_px)

    return Face(
        x_px,
        100,
        width_px,
        width_px,
        right_eye=at(0.3, 0.35),
        left_eye=at(0.7, 0.35),
        nose=at(0.5, 0.55),
        mouth=at(0.5, 0.75),
        right_ear=at(0.05, 0.4),
        left_ear=at(0.95, 0.4),
        score=0.9,
    )


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


def test_somebody_stepping_in_front_takes_over_after_a_second() -> None:
    attention = Attention()
    attention.choose([face(50, 60)], 0)
    chosen = [attention.choose([face(50, 60), face(300, 200)], step / 10) for step in range(1, 16)]
    widths = [one.width_px if one else 0 for one in chosen]
    assert widths[:9] == [60] * 9
    assert widths[-1] == 200


def test_lets_go_of_a_face_that_has_left() -> None:
    attention = Attention()
    attention.choose([face(50, 100)], 0)
    elsewhere = face(400, 100)
    assert attention.choose([elsewhere], 0.3) is None
    assert attention.choose([], 0.5) is None
    assert attention.choose([elsewhere], 1.5) is elsewhere


def test_missing_detector_is_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"face_detection_full_range.*python -m edge.fetch"):
        FaceFinder(tmp_path)
