"""Glasses and masks on training crops."""

import numpy as np
import pytest

pytest.importorskip("cv2")

from convert.face.covers import LEFT_EYE, MOUTH, RIGHT_EYE, cover

FACE = np.full((48, 48), 128, np.uint8)


def changed(seed: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    return np.asarray(cover(FACE, np.random.default_rng(seed)) != FACE)


def test_every_cover_hides_eyes_or_mouth_and_leaves_the_rest_of_the_face() -> None:
    places = [(round(y), round(x)) for x, y in (RIGHT_EYE, LEFT_EYE, MOUTH)]
    kinds = set()
    for seed in range(60):
        where = changed(seed)
        right, left, mouth = (
            bool(where[y - 6 : y + 7, x - 7 : x + 8].mean() > 0.1) for y, x in places
        )
        assert right == left
        assert right != mouth
        assert 0.02 < where.mean() < 0.6
        assert not where[:4].any() and not where[:8, :12].any()
        kinds.add(mouth)
    assert kinds == {True, False}


def test_the_same_random_numbers_draw_the_same_and_others_another() -> None:
    assert (changed(3) == changed(3)).all()
    assert (changed(3) != changed(4)).any()
