"""The pattern of libcamera's virtual camera: eight bars, one pixel further left with every picture."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

BARS: Final = (
    (255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0),
    (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0),
)  # fmt: skip
TOLERANCE: Final = 12
"""Of a colour, in levels of 255: what YUV in whole numbers costs, there and back."""
_LUMA: Final = np.array([0.299, 0.587, 0.114])
_EDGE_PX: Final = 3
"""Beside an edge colours run into each other, because there is one for two columns."""


def row(width_px: int, shift_px: int) -> NDArray[np.uint8]:
    """One row of the pattern, shape [width, 3], RGB; *width_px* a multiple of eight."""
    bars = np.repeat(np.array(BARS, np.uint8), width_px // len(BARS), axis=0)
    return np.roll(bars, -shift_px, axis=0)


def shift_px(image: NDArray[np.uint8]) -> int:
    """How far the pattern has moved to the left, 0 to the width.

    Args:
        image: shape [height, width, 3], RGB.

    Raises:
        ValueError: it is not the pattern, or not in every row.
    """
    height, width, _ = image.shape
    bar_px = width // len(BARS)
    # Luma is there for every column. White follows on black, and stays for a bar.
    luma = image[height // 2] @ _LUMA
    bright = luma > 250
    begins = np.flatnonzero(bright & ~np.roll(bright, 1) & np.roll(bright, -bar_px // 2))
    candidates: list[int] = [int(-at + near) % width for at in begins for near in (-2, -1, 0, 1, 2)]
    if not candidates:
        raise ValueError("there is no white bar in the picture")
    found = min(candidates, key=lambda shift: float(np.abs(row(width, shift) @ _LUMA - luma).sum()))
    worst = int(_away_from_edges(_apart(image, found), found).max())
    if worst > TOLERANCE:
        raise ValueError(f"the picture differs from the pattern by up to {worst} levels")
    return found


def _apart(image: NDArray[np.uint8], shift: int) -> NDArray[np.int16]:
    """Of each pixel, the largest difference of a colour from the pattern; shape [height, width]."""
    wanted = row(image.shape[1], shift).astype(np.int16)
    apart: NDArray[np.int16] = np.abs(image - wanted).max(axis=2)
    return apart


def _away_from_edges(apart: NDArray[np.int16], shift: int) -> NDArray[np.int16]:
    width = apart.shape[1]
    place = (np.arange(width) + shift) % (width // len(BARS))
    inner = (place >= _EDGE_PX) & (place < width // len(BARS) - _EDGE_PX)
    return apart[:, inner]
