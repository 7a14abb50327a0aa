"""Heads pasted into pictures: where they are, and that nothing else changes."""

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("tqdm")

from convert.studies.finders import FRAME, Head, paste

BEHIND = np.full((100, 130, 3), (90, 120, 150), np.uint8)


@pytest.mark.parametrize("width_px", [40, 200, 528])
def test_a_head_is_as_wide_as_asked_and_its_eyes_are_where_they_are_said(width_px: int) -> None:
    pixels = np.full((96, 96), 250, np.uint8)
    pixels[34:40, 30:36] = pixels[34:40, 60:66] = 0
    scene = paste(Head(pixels, 2 / 3, ((33, 37), (63, 37))), BEHIND, (320, 240), width_px, None)
    assert scene.image.shape == (FRAME[1], FRAME[0], 3)
    bright = np.flatnonzero((scene.image[240] > 200).all(axis=1))
    assert np.ptp(bright) == pytest.approx(0.82 * 1.5 * width_px, rel=0.06) or np.ptp(bright) > 600
    assert scene.eyes is not None
    for x, y in scene.eyes:
        assert scene.image[round(y), round(x)].max() < 130


def test_colour_and_grey_reach_the_whole_frame() -> None:
    head = Head(np.full((48, 48), 100, np.uint8), 1.0, None)
    grey = paste(head, BEHIND, (100, 100), 60, None).image
    assert (grey == grey[..., :1]).all()
    tinted = paste(head, BEHIND, (100, 100), 60, (1.2, 1.0, 0.8)).image
    assert tinted[100, 100].tolist() == [120, 100, 80]
    assert tinted[400, 600].tolist() == [90, 120, 150]
