"""Draws a cartoon whose features lie where those of the real portrait lie."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.demo.landmarks import (
    EYE_CORNERS,
    LEFT_BROW,
    LEFT_CORNER,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LIP_BOTTOM,
    LIP_LOWER,
    LIP_TOP,
    LIP_UPPER,
    RIGHT_BROW,
    RIGHT_CORNER,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
)

BACKGROUND = (214, 206, 200)
SKIN = (226, 178, 150)
SUIT = (230, 90, 40)
TEETH = (250, 248, 240)
LIPS = (200, 110, 110)
IRIS = (40, 26, 20)


def _points(*groups: tuple[tuple[float, float], ...]) -> list[NDArray[np.int32]]:
    joined = [point for group in groups for point in group]
    return [np.round((np.array(joined) + 0.5) * 16).astype(np.int32)]


def draw_portrait() -> NDArray[np.uint8]:
    """A smiling cartoon woman: shape [512, 512, 3], RGB."""
    noise = np.random.default_rng(0).integers(-3, 4, (512, 512, 1))
    picture: NDArray[np.uint8] = (np.array(BACKGROUND) + noise).astype(np.uint8)
    outline = np.array([(60, 511), (70, 270), (150, 215), (300, 225), (345, 290), (350, 511)])
    cv2.fillPoly(picture, [outline], SUIT)
    cv2.rectangle(picture, (188, 150), (252, 250), (20, 20, 24), -1)  # collar and neck
    cv2.ellipse(picture, (228, 82), (72, 64), 0, 0, 360, (120, 84, 44), -1)  # hair
    cv2.ellipse(picture, (225, 124), (46, 54), 0, 0, 360, SKIN, -1)
    for brow in (RIGHT_BROW, LEFT_BROW):
        cv2.polylines(picture, _points(brow), False, (90, 60, 40), 2, cv2.LINE_AA, 4)
    eyes = ((RIGHT_UPPER_LID, RIGHT_LOWER_LID), (LEFT_UPPER_LID, LEFT_LOWER_LID))
    corners = ((EYE_CORNERS[0], EYE_CORNERS[1]), (EYE_CORNERS[3], EYE_CORNERS[2]))
    for (upper, lower), (outer, inner) in zip(eyes, corners, strict=True):
        eye = _points((outer,), upper, (inner,), lower[::-1])
        cv2.fillPoly(picture, eye, (240, 238, 236), cv2.LINE_AA, 4)
        middle = np.mean([upper[1], lower[1]], axis=0)
        cv2.circle(picture, (round(middle[0]), round(middle[1])), 3, IRIS, -1)
    ends = (RIGHT_CORNER,), (LEFT_CORNER,)
    cv2.fillPoly(
        picture, _points(ends[0], LIP_TOP, ends[1], LIP_BOTTOM[::-1]), LIPS, cv2.LINE_AA, 4
    )
    cv2.fillPoly(
        picture, _points(ends[0], LIP_UPPER, ends[1], LIP_LOWER[::-1]), TEETH, cv2.LINE_AA, 4
    )
    return picture
