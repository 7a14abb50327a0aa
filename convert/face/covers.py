"""Glasses, sunglasses and masks, drawn on training crops where their eyes and mouth are.

No set of faces has enough of them, and what covers a face is told from a feeling only by a net that has
seen it. Places are those of the mean face of FER2013, [48, 48], each drawing a little apart from them.
"""

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.face.extra import NET_PX

RIGHT_EYE: Final = (14.7, 19.1)
LEFT_EYE: Final = (32.3, 19.1)
"""As we see them: x and y in pixels, from `convert.face.framing`."""
MOUTH: Final = (23.5, 37.3)
FINER: Final = 4
"""It is drawn at so many times the size, and averaged down."""

COVERS: Final = ("glasses", "sunglasses", "mask")

Cover = Callable[["Canvas", np.random.Generator], None]


class Canvas:
    """A layer to draw on: grey, and how much it hides, both finer than the crop that it covers."""

    def __init__(self) -> None:
        side = NET_PX * FINER
        self._grey = np.zeros((side, side), np.float32)
        self._hides = np.zeros((side, side), np.float32)

    def fill(self, points: NDArray[Any], grey: float, hides: float) -> None:
        """Fill the polygon *points* [n, 2], in pixels of the crop, with *grey*, *hides* 0-1."""
        mask = np.zeros(self._hides.shape, np.uint8)
        cv2.fillPoly(mask, [self._place(points)], 1, cv2.LINE_8)
        self._put(mask > 0, grey, hides)

    def line(self, points: NDArray[Any], width: float, grey: float, closed: bool = False) -> None:
        """Draw a line through *points* that hides all."""
        mask = np.zeros(self._hides.shape, np.uint8)
        thick = max(1, round(width * FINER))
        cv2.polylines(mask, [self._place(points)], closed, 1, thick, cv2.LINE_8)
        self._put(mask > 0, grey, 1.0)

    def over(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """It in front of *picture*, uint8 [side, side], which is framed as a crop is."""
        size = picture.shape
        hides = cv2.resize(self._hides, size, interpolation=cv2.INTER_AREA)
        grey = cv2.resize(self._grey * self._hides, size, interpolation=cv2.INTER_AREA)
        return np.clip(picture * (1 - hides) + grey, 0, 255).astype(np.uint8)

    def _place(self, points: NDArray[Any]) -> NDArray[np.int32]:
        return np.asarray((np.asarray(points) + 0.5) * FINER, np.int32)

    def _put(self, mask: NDArray[np.bool_], grey: float, hides: float) -> None:
        behind = self._hides[mask] * (1 - hides)
        together = np.maximum(hides + behind, 1e-6)
        self._grey[mask] = (grey * hides + self._grey[mask] * behind) / together
        self._hides[mask] = hides + behind


def cover(
    crop: NDArray[np.uint8], random: np.random.Generator, kind: str | None = None
) -> NDArray[np.uint8]:
    """The crop, uint8 [side, side] and framed as the net's input is, with one of `COVERS` on.

    *kind* says which; any, if it says nothing.
    """
    canvas = Canvas()
    kinds: dict[str, Cover] = {"glasses": _glasses, "sunglasses": _sunglasses, "mask": _mask}
    assert tuple(kinds) == COVERS
    kinds[kind or COVERS[int(random.integers(len(COVERS)))]](canvas, random)
    return canvas.over(crop)


def _lens(
    eye: tuple[float, float], size: tuple[float, float], square: float
) -> NDArray[np.float64]:
    """Outline around *eye*: an ellipse, the more of a rectangle the higher *square*, from 2 on."""
    turn = np.linspace(0, 2 * np.pi, 40)[:-1]
    x, y = np.cos(turn), np.sin(turn)
    power = 2 / square
    across = np.sign(x) * np.abs(x) ** power * size[0] + eye[0]
    down = np.sign(y) * np.abs(y) ** power * size[1] + eye[1]
    return np.stack([across, down], axis=1)


def _eyewear(canvas: Canvas, random: np.random.Generator, lens_hides: float, rim_px: float) -> None:
    shift = random.normal(0, 0.8, 2)
    size = (random.uniform(5.5, 8.3), random.uniform(4, 7.5))
    square, grey = random.uniform(2, 6), random.uniform(5, 70)
    eyes = [(x + shift[0], y + 0.6 + shift[1]) for x, y in (RIGHT_EYE, LEFT_EYE)]
    for eye in eyes:
        outline = _lens(eye, size, square)
        if lens_hides:
            canvas.fill(outline, random.uniform(0, 60), lens_hides)
        canvas.line(outline, rim_px, grey, closed=True)
        if random.random() < 0.4:  # the light of a window or a lamp in it
            spot = _lens(
                (eye[0] + random.uniform(-3, 3), eye[1] - 1), (random.uniform(0.8, 3), 1.2), 2
            )
            canvas.fill(spot, random.uniform(160, 255), random.uniform(0.4, 0.9))
    (right, y), (left, _) = eyes
    bridge = np.array([[right + size[0], y - 1], [left - size[0], y - 1]])
    canvas.line(bridge, rim_px, grey)
    for inner, outer in ((right - size[0], -1), (left + size[0], 48)):
        canvas.line(np.array([[inner, y - 1], [outer, y - random.uniform(0, 2)]]), rim_px, grey)


def _glasses(canvas: Canvas, random: np.random.Generator) -> None:
    _eyewear(canvas, random, 0.0, random.uniform(0.5, 1.6))


def _sunglasses(canvas: Canvas, random: np.random.Generator) -> None:
    _eyewear(canvas, random, random.uniform(0.8, 1.0), random.uniform(0.5, 1.8))


def _mask(canvas: Canvas, random: np.random.Generator) -> None:
    """From the bridge of the nose over mouth and chin, in one grey with some folds."""
    x, y = MOUTH[0] + random.normal(0, 0.8), MOUTH[1]
    top = y - random.uniform(7, 13)
    half, low = random.uniform(14, 19), random.uniform(8, 13)
    points = np.array(
        [
            [x - half, top + random.uniform(1, 4)],
            [x - 4, top],
            [x + 4, top],
            [x + half, top + random.uniform(1, 4)],
            [x + half * 0.85, y + 2],
            [x + half * 0.4, y + low],
            [x - half * 0.4, y + low],
            [x - half * 0.85, y + 2],
        ]
    )
    grey = random.uniform(10, 60) if random.random() < 0.5 else random.uniform(120, 250)
    canvas.fill(points, grey, 1.0)
    for _ in range(int(random.integers(4))):
        fold = top + random.uniform(4, 14)
        canvas.line(np.array([[x - half * 0.7, fold], [x + half * 0.7, fold]]), 0.5, grey * 0.85)
    for side in (-1, 1):
        ear = np.array([[x + side * half, top + 3], [x + side * 26, top - random.uniform(2, 8)]])
        canvas.line(ear, 0.6, grey)
