"""Accessories around the face (tears, question mark, snoring ...) and the icons of lost senses."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.face.canvas import DARK, Canvas, Ink, Points
from edge.face.layout import EYE_DX, EYE_DY, Layout
from edge.face.pose import Extras

_WATER: Final[Ink] = (120, 200, 255)
_BLUSH: Final[Ink] = (255, 120, 130)
_AMBER: Final[Ink] = (255, 150, 30)
_GREEN: Final[Ink] = (150, 230, 70)
_RED: Final[Ink] = (255, 70, 50)

_Z: Final = np.array([[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]])
_TURN: Final = np.linspace(0, 2 * np.pi, 25)[:-1]


class _Pen:
    """Draws in design pixels from a middle that keeps the eyes where they were designed."""

    def __init__(self, canvas: Canvas, place: Layout, shift: tuple[float, float]) -> None:
        self._canvas = canvas
        self.unit = place.unit
        self._center = (
            place.center_x + shift[0],
            place.center_y + shift[1] + place.eye_dy - EYE_DY * place.unit,
        )
        self._half_width = place.width / 2 / place.unit
        self._spread = place.eye_dx / place.unit - EYE_DX
        self._top = -self._center[1] / place.unit
        self._bottom = (place.height - self._center[1]) / place.unit
        self._stretch = place.stretch
        self.eye_bottom = EYE_DY + 15 * place.stretch
        self.mouth_y = (place.mouth_dy + place.center_y - self._center[1]) / place.unit
        self.mouth_scale = place.mouth_unit / place.unit

    def at(self, points: Points) -> Points:
        return points * self.unit + self._center

    def fill(self, points: Points, ink: Ink) -> None:
        self._canvas.fill(self.at(points), ink)

    def lines(self, points: Points, weight: float, ink: Ink) -> None:
        self._canvas.lines(self.at(points), weight * self.unit, ink)

    def stroke(self, points: Points, weight: float, ink: Ink) -> None:
        self._canvas.stroke(self.at(points), weight * self.unit, ink)

    def dot(self, x: float, y: float, size: float, ink: Ink) -> None:
        place = self.at(np.array([x, y]))
        self._canvas.dot(float(place[0]), float(place[1]), size * self.unit, size * self.unit, ink)

    def side(self, wanted: float, margin: float) -> float:
        """The x beside the right eye, moved in so that *margin* is left to the panel's edge."""
        return min(wanted + self._spread, self._half_width - margin - 1)

    def level(self, wanted: float, margin: float) -> float:
        """The y moved so that *margin* is left to the upper and the lower edge."""
        wanted *= self._stretch if wanted < 0 else 1  # keeps above eyes that are drawn taller
        return max(min(wanted, self._bottom - margin), self._top + margin)


def draw_marks(
    canvas: Canvas, extras: Extras, place: Layout, shift: tuple[float, float], ink: Ink
) -> None:
    """Draw every accessory of *extras* around a face that is off its place by *shift* pixels."""
    pen = _Pen(canvas, place, shift)
    for name, mark in _MARKS.items():
        amount = getattr(extras, name)
        if amount > 0.1:
            mark(pen, min(amount, 1.2), extras.phase, ink)


def _drop(x: float, y: float, size: float) -> Points:
    """Outline of a drop of water *size* wide whose round end is around (x, y)."""
    round_end = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1) * size / 2
    # The upper half is drawn out to a tip.
    upper = round_end[:, 1] < 0
    round_end[upper, 0] *= 1 - (-round_end[upper, 1] / (size / 2)) ** 1.2
    round_end[upper, 1] *= 2.1
    round_end += np.array([x, y])
    return round_end


def _blush(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    """Three short slanted lines on either cheek."""
    x, y = pen.side(45, 9), pen.level(11.5, 4.4)
    for side in (-1, 1):
        for step in (-1, 0, 1):
            middle = side * x + step * 4.6
            line = np.array([[middle + 1.3, y - 2.1], [middle - 1.3, y + 2.1]])
            pen.stroke(line, 1.9 * amount, _BLUSH)


def _tear(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    """A tear that swells under the eye, runs down and falls off."""
    swell = min(phase / 0.3, 1.0)
    fall = max(phase - 0.3, 0) / 0.7
    y = pen.eye_bottom + 4 + 22 * fall**2
    shape = _drop(-pen.side(36, 4), y, 6.4 * amount * (0.55 + 0.45 * swell))
    pen.fill(shape, _WATER)


def _sweat(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    """Drops at the temples that slide down slowly."""
    slide = 5 * phase
    pen.fill(_drop(pen.side(52, 6), -13 + slide, 9 * amount), _WATER)
    pen.fill(_drop(-pen.side(54, 5), -4 + slide * 0.6, 6.5 * amount), _WATER)


def _snore(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    """Three Z, each larger and further up, rising and growing with the phase."""
    for step in range(3):
        along = (step + phase) / 3
        size = (2.8 + 6.5 * along) * amount
        x = pen.side(27 + 29 * along, 2 + size / 2 + 10 * (1 - along))
        y = pen.level(-9 - 18 * along, size / 2 + 2)
        pen.lines(_Z * size + (x, y), 1.4 + 0.9 * along, ink)


def _question(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    size = 9.0 * amount
    turn = np.linspace(np.pi, 2.45 * np.pi, 22)
    hook = np.stack([np.cos(turn) * 0.42, np.sin(turn) * 0.42 - 0.5], axis=1)
    tail = np.array([[0.02, 0.12], [0.0, 0.45]])
    center = (pen.side(55, 7), pen.level(-14, 13) + np.sin(phase * 2 * np.pi))
    pen.stroke(np.concatenate([hook, tail]) * size * 1.25 + center, 2.8 * amount, ink)
    pen.dot(center[0], center[1] + size * 1.12, 3.4 * amount, ink)


def _alarm(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    reach = 1 + 0.16 * np.sin(phase * 2 * np.pi)
    x, y = pen.side(50, 10), -6
    for side in (-1, 1):
        for angle in (-0.62, 0.0, 0.62):
            ray = np.array([np.cos(angle), np.sin(angle)])
            line = np.stack([ray * 1.0, ray * (1.0 + 6.5 * amount * reach)]) + np.array(
                [0, angle * 12]
            )
            pen.stroke(line * (side, 1) + (side * x, y), 2.4, ink)


def _vein(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    """Four bent strokes whose corners point at a common middle."""
    size = 5.0 * amount * (1 + 0.1 * np.sin(phase * 2 * np.pi))
    corner = np.array([[1.25, 0.35], [0.62, 0.48], [0.42, 0.68], [0.35, 1.25]])
    for turn_x, turn_y in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        pen.stroke(
            corner * (turn_x, turn_y) * size + (pen.side(54, 8), pen.level(-22, 8)), 2.2, _RED
        )


def _fumes(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    up = np.linspace(0, 1, 19)
    for x, low, length in ((-pen.side(57, 5), 15, 17), (-pen.side(49.5, 12), 19, 13)):
        foot = pen.level(low, 2)
        wave = 1.8 * np.sin((up * length / 11 + phase) * 2 * np.pi)
        line = np.stack([x + wave, foot - length * amount * up], axis=1)
        pen.stroke(line, 2.2, _GREEN)


def _wrinkle(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    """Two folds across the bridge of the nose, where no flat panel has put the mouth."""
    if pen.mouth_y < 0:
        return
    across = np.linspace(-1, 1, 9)
    for step in range(2):
        half = (3.6 + 2.0 * step) * amount
        y = EYE_DY - 1 + step * 5.6 + 2.6 * across**2
        pen.stroke(np.stack([across * half, y], axis=1), 2.2, ink)


def _dots(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    for step in range(3):
        lit = int(phase * 4) % 4 > step
        x, y = (step - 1) * 13 * pen.mouth_scale, pen.mouth_y + 21 * pen.mouth_scale
        pen.dot(x, pen.level(y, 5), (8.0 if lit else 4.0) * amount * pen.mouth_scale, ink)


def _warning(pen: _Pen, amount: float, phase: float, ink: Ink) -> None:
    size = 8.5 * amount
    corners = np.array([[0, -0.95], [1, 0.8], [-1, 0.8]]) * size
    center = np.array([pen.side(53, 10), pen.level(-20, 10)])
    pen.lines(np.concatenate([corners, corners[:1]]) * 0.85 + center, 4.0, _AMBER)
    pen.fill(corners * 0.85 + center, _AMBER)
    pen.stroke(np.array([[0, -2.6], [0, 1.2]]) * amount + center, 2.4 * amount, DARK)
    pen.dot(float(center[0]), float(center[1]) + 4.6 * amount, 2.6 * amount, DARK)


_MARKS: Final[dict[str, Callable[[_Pen, float, float, Ink], None]]] = {
    "blush": _blush,
    "tear": _tear,
    "sweat": _sweat,
    "snore": _snore,
    "question": _question,
    "alarm": _alarm,
    "cross_vein": _vein,
    "fumes": _fumes,
    "wrinkle": _wrinkle,
    "dots": _dots,
    "warning": _warning,
}

_CAMERA: Final = (
    "....#####....",
    ".###########.",
    "#############",
    "#####...#####",
    "####.....####",
    "####.....####",
    "####.....####",
    "#####...#####",
    "#############",
    ".###########.",
)
_MICROPHONE: Final = (
    "....###....",
    "...#####...",
    "...#####...",
    "...#####...",
    ".#.#####.#.",
    ".#.#####.#.",
    ".#..###..#.",
    "..#.....#..",
    "...#####...",
    ".....#.....",
    "...#####...",
)


def _struck_out(rows: tuple[str, ...]) -> NDArray[np.bool_]:
    """The bits of an icon with a line falling through its middle at 45 degrees."""
    bits = np.pad(np.array([[mark == "#" for mark in row] for row in rows]), 2)
    height, width = bits.shape
    down, across = np.mgrid[0:height, 0:width]
    aside = across - down - (width - height) // 2
    bits[np.abs(aside) <= 2] = False
    bits[np.isin(aside, (0, 1)) & (down > 0) & (down < height - 1)] = True
    return bits


def draw_icons(picture: Image.Image, extras: Extras) -> None:
    """Put the icons of lost senses into the lower corners of *picture*, pixel by pixel."""
    width, height = picture.size
    scale = max(min(width // 128, height // 64), 1)
    for amount, rows, right in (
        (extras.camera_lost, _CAMERA, False),
        (extras.microphone_lost, _MICROPHONE, True),
    ):
        if amount <= 0.5:
            continue
        icon = np.kron(_struck_out(rows), np.ones((scale, scale), dtype=bool))
        stamp = Image.fromarray(icon.astype(np.uint8) * 255)
        ink: int | Ink = _AMBER if picture.mode == "RGB" else 255
        x, y = (width - stamp.width if right else 0), height - stamp.height
        picture.paste(DARK if picture.mode == "RGB" else 0, (x, y, x + stamp.width, height))
        picture.paste(ink, (x, y), stamp)
