"""A surface to draw smooth shapes on, in design pixels, for mono, grey and colour panels."""

from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Mode = Literal["1", "L", "RGB"]
Ink = tuple[int, int, int]
Points = NDArray[np.float64]
"""Shape [n, 2]: x, y."""

DARK: Final[Ink] = (0, 0, 0)
WHITE: Final[Ink] = (255, 255, 255)

# Four samples a side give 17 levels of coverage, enough for a threshold; eight cost four times.
_OVERSAMPLING: Final = 4
_SHRINK: Final = 1 - 1e-6
_LIT: Final = [0] * 128 + [255] * 128
"""Half covered and more is lit."""
_ROUND_CAP: Final = np.linspace(0, 2 * np.pi, 25)[:-1]
_UNIT_CIRCLE: Final = np.stack([np.cos(_ROUND_CAP), np.sin(_ROUND_CAP)], axis=1)


class Canvas:
    """Shapes are given in pixels of the panel; one pixel may be split as finely as wanted."""

    def __init__(self, size: tuple[int, int], mode: Mode) -> None:
        self.size = size
        self.mode: Mode = mode
        self._image = Image.new(
            "RGB" if mode == "RGB" else "L",
            (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING),
        )
        self._draw = ImageDraw.Draw(self._image)

    def _color(self, ink: Ink) -> int | Ink:
        """On mono and grey panels everything that is not dark is fully lit."""
        if self.mode == "RGB":
            return ink
        return 0 if ink == DARK else 255

    def fill(self, points: Points, ink: Ink) -> None:
        """Fill the polygon through *points*."""
        # Pillow cuts the fraction off: a corner on a whole number would count as one sample
        # further to the right, and faces would not be symmetric.
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        scaled = (middle + (points - middle) * _SHRINK) * _OVERSAMPLING
        self._draw.polygon([tuple(point) for point in scaled.tolist()], fill=self._color(ink))

    def dot(self, x: float, y: float, width: float, height: float, ink: Ink) -> None:
        """Fill an ellipse around (x, y)."""
        if width > 0 and height > 0:
            self.fill(_UNIT_CIRCLE * (width / 2, height / 2) + (x, y), ink)

    def stroke(self, points: Points, weight: float, ink: Ink) -> None:
        """Draw a line *weight* thick through *points*, with round ends."""
        if weight <= 0 or len(points) < 2:
            return
        along = np.gradient(points, axis=0)
        length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
        aside = np.stack([-along[:, 1], along[:, 0]], axis=1) / length * (weight / 2)
        self.fill(np.concatenate([points + aside, (points - aside)[::-1]]), ink)
        for x, y in (points[0], points[-1]):
            self.dot(x, y, weight, weight, ink)

    def lines(self, points: Points, weight: float, ink: Ink) -> None:
        """Draw straight lines *weight* thick from point to point, with round corners."""
        for start, end in pairwise(points):
            self.stroke(np.stack([start, end]), weight, ink)

    def finish(self) -> Image.Image:
        """The picture in the size and mode of the panel."""
        small = self._image.reduce(_OVERSAMPLING)
        if self.mode == "1":
            return small.point(_LIT, "1")
        return small
