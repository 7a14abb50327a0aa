"""How far a reading is trusted: less the worse the face can be seen, and never more than wholly."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.perception.quality import MEASURES, WEIGHTS, facing, measures, quality, sharpness
from tests.unit.edge.perception.test_framing import posed_face

FACE = posed_face((320, 240), 4, 0)


def textured(light: float = 1.0) -> NDArray[np.uint8]:
    """A sharp crop."""
    grey = np.random.default_rng(0).integers(0, 255, (48, 48))
    return np.asarray(grey * light, np.uint8)


def test_quality_falls_with_blur_pose_darkness_and_doubt() -> None:
    best = quality(FACE, textured())
    smooth = np.tile(np.linspace(60, 200, 48), (48, 1)).astype(np.uint8)
    assert best > 0.9
    assert quality(FACE, smooth) < 0.8 * best
    assert quality(FACE, textured(0.03)) < 0.95 * best
    assert quality(dataclasses.replace(FACE, score=0.4), textured()) < 0.9 * best
    assert quality(dataclasses.replace(FACE, nose=FACE.left_eye), textured()) < 0.5 * best
    assert quality(FACE, textured(), is_face=0.1) == pytest.approx(0.1 * best)


@given(
    st.floats(0, 2000),
    st.floats(0, 1),
    st.integers(0, 255),
    st.integers(0, 255),
    st.floats(0, 1),
)
def test_every_measure_is_a_share_and_so_is_the_quality(
    width_px: float, score: float, dark: int, bright: int, is_face: float
) -> None:
    face = dataclasses.replace(FACE, width_px=width_px, score=score)
    crop = np.full((48, 48), dark, np.uint8)
    crop[::2] = bright
    known = measures(face, crop)
    assert known.shape == (len(MEASURES),)
    assert ((known >= 0) & (known <= 1)).all()
    assert 0 <= quality(face, crop, is_face) <= 1


def test_nothing_that_makes_a_face_clearer_is_held_against_it() -> None:
    assert len(WEIGHTS) == len(MEASURES) and min(WEIGHTS) >= 0


def test_blank_crop_has_no_sharpness_and_dim_is_as_sharp_as_bright() -> None:
    bright = textured(0.8)
    assert sharpness(np.full((48, 48), 90, np.uint8)) == 0
    assert sharpness(bright // 5 + 10) == pytest.approx(sharpness(bright), abs=0.05)


def test_eyes_in_one_place_face_nowhere() -> None:
    assert facing(FACE) == pytest.approx(1)
    assert facing(dataclasses.replace(FACE, left_eye=FACE.right_eye)) == 0
