"""Cuts the woman out of the portrait."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE_PX: Final = 512
KEPT_HEIGHT_PX: Final = 350
"""Rows below show the helmet in her arm; the clip never shows them."""

_WITHIN: Final = (
    (165, 60), (185, 35), (225, 25), (270, 40), (290, 75), (285, 105), (264, 122), (262, 142),
    (252, 160), (250, 184), (275, 215), (296, 240), (330, 270), (345, 300), (348, 360), (45, 360),
    (55, 300), (80, 250), (125, 215), (140, 175), (185, 160), (185, 130), (165, 100),
)  # fmt: skip
"""Outline that lies safely inside her."""

_AROUND: Final = (
    (148, 80), (155, 50), (180, 20), (225, 8), (275, 22), (304, 70), (304, 105), (285, 135),
    (268, 160), (290, 190), (308, 225), (330, 245), (362, 285), (370, 320), (372, 372), (10, 372),
    (25, 300), (55, 250), (108, 205), (112, 175), (150, 145), (178, 142), (172, 125), (152, 105),
)  # fmt: skip
"""Outline that lies safely outside her."""


def _filled(outline: tuple[tuple[int, int], ...]) -> NDArray[np.uint8]:
    mask = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    cv2.fillPoly(mask, [np.array(outline, np.int32)], 1)
    return mask


def cut_out(portrait: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Find out which pixels of the portrait are the woman.

    Between an outline inside her and one around her, GrabCut (Rother et al. 2004) decides.

    Args:
        portrait: shape [512, 512, 3], RGB.

    Returns:
        Shape [512, 512], 0 (room behind) to 1 (woman), soft at the edge.
    """
    within, around = _filled(_WITHIN), _filled(_AROUND)
    mask = np.where(around, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    mask[within > 0] = cv2.GC_FGD
    cv2.setRNGSeed(1)
    cv2.grabCut(
        portrait,
        mask,
        (0, 0, 1, 1),  # unused: the mask tells where she is
        np.zeros((1, 65)),
        np.zeros((1, 65)),
        4,
        cv2.GC_INIT_WITH_MASK,
    )
    woman = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    woman = cv2.morphologyEx(woman, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, parts, sizes, _ = cv2.connectedComponentsWithStats(woman)
    largest = 1 + int(np.argmax(sizes[1:, cv2.CC_STAT_AREA])) if len(sizes) > 1 else 0
    alone = np.where(parts == largest, np.float32(1), np.float32(0))
    # A pixel in from the cut edge, where the old background no longer shines through, and soft.
    soft = cv2.GaussianBlur(alone, (0, 0), 1.6)
    result: NDArray[np.float32] = np.clip((soft - 0.45) / 0.5, 0, 1).astype(np.float32)
    return result
