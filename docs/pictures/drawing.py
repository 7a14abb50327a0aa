"""The pen for the pictures of the documentation: everything is drawn large and scaled down once."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

Color = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

BACKGROUND: Final = (13, 15, 20)
GLASS: Final = (3, 4, 7)
BEZEL: Final = (28, 31, 39)
EDGE: Final = (52, 58, 70)
FAINT: Final = (112, 122, 138)
TEXT: Final = (206, 216, 228)
BRIGHT: Final = (240, 246, 252)
"""The dark panel of `edge.face.gallery`, and greys that go with it."""

_FINE: Final = 3
"""How many times larger everything is drawn than it is kept."""


class Sheet:
    """A dark sheet that is drawn on in the pixels of the finished picture."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self._image = Image.new("RGB", (width * _FINE, height * _FINE), BACKGROUND)
        self._draw = ImageDraw.Draw(self._image)

    def panel(
        self,
        box: Box,
        fill: Color = BEZEL,
        *,
        edge: Color | None = EDGE,
        radius: float = 10,
        width: float = 1.5,
    ) -> None:
        """A box with round corners."""
        self._draw.rounded_rectangle(
            _scaled(box), radius * _FINE, fill, edge, round(width * _FINE) if edge else 0
        )

    def disc(self, center: Point, radius: float, fill: Color, edge: Color | None = None) -> None:
        """A filled circle."""
        x, y = center
        box = _scaled((x - radius, y - radius, x + radius, y + radius))
        self._draw.ellipse(box, fill, edge, round(1.5 * _FINE) if edge else 0)

    def glow(self, center: Point, radius: float, color: Color, strength: float = 0.8) -> None:
        """Light around a point."""
        x, y = (part * _FINE for part in center)
        reach = radius * _FINE
        light = Image.new("L", self._image.size)
        ImageDraw.Draw(light).ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
        self._light(light.filter(ImageFilter.GaussianBlur(reach * 0.7)), color, strength)

    def halo(self, box: Box, color: Color, strength: float = 0.5, reach: float = 12) -> None:
        """Light around a box that is drawn afterwards."""
        light = Image.new("L", self._image.size)
        ImageDraw.Draw(light).rounded_rectangle(_scaled(box), 10 * _FINE, fill=255)
        self._light(light.filter(ImageFilter.GaussianBlur(reach * _FINE)), color, strength)

    def _light(self, light: Image.Image, color: Color, strength: float) -> None:
        light = light.point(lambda value: value * strength)
        lit = Image.composite(
            Image.new("RGB", light.size, color), Image.new("RGB", light.size), light
        )
        self._image.paste(ImageChops.lighter(self._image, lit))

    def line(
        self,
        points: Sequence[Point],
        color: Color,
        width: float = 3,
        *,
        bend: float = 0,
        rim: Color | None = None,
        dash: float = 0,
    ) -> None:
        """A line with round ends.

        Args:
            points: its corners.
            color: of the line.
            width: in pixels.
            bend: radius of its corners.
            rim: colour of a rim that sets it off from lines which it crosses.
            dash: length of its dashes; 0 draws it whole.
        """
        path = _rounded(points, bend) if bend else list(points)
        if rim is not None:
            self._stroke(path, rim, width + 4)
        if dash:
            for piece in _dashes(path, dash):
                self._stroke(piece, color, width)
        else:
            self._stroke(path, color, width)

    def _stroke(self, path: Sequence[Point], color: Color, width: float) -> None:
        large = [(x * _FINE, y * _FINE) for x, y in path]
        self._draw.line(large, color, round(width * _FINE), joint="curve")
        reach = width * _FINE / 2
        for x, y in (large[0], large[-1]):
            self._draw.ellipse((x - reach, y - reach, x + reach, y + reach), color)

    def arrow(self, points: Sequence[Point], color: Color, width: float = 3) -> None:
        """A bent line with a head at its end."""
        (x0, y0), (x1, y1) = points[-2], points[-1]
        length = math.dist((x0, y0), (x1, y1))
        along = ((x1 - x0) / length, (y1 - y0) / length)
        back = (x1 - along[0] * 9, y1 - along[1] * 9)
        self.line([*points[:-1], back], color, width, bend=14)
        side = (-along[1] * 6, along[0] * 6)
        self.polygon(
            [
                (x1, y1),
                (back[0] - along[0] * 3 + side[0], back[1] - along[1] * 3 + side[1]),
                (back[0] - along[0] * 3 - side[0], back[1] - along[1] * 3 - side[1]),
            ],
            color,
        )

    def polygon(self, points: Sequence[Point], fill: Color) -> None:
        """A filled shape."""
        self._draw.polygon([(x * _FINE, y * _FINE) for x, y in points], fill)

    def text(
        self,
        place: Point,
        text: str,
        *,
        size: float = 15,
        color: Color = TEXT,
        anchor: str = "mm",
        strong: bool = False,
    ) -> None:
        """Words; *anchor* as in Pillow: "lm" begins at *place*, "mm" is centred on it."""
        x, y = place
        self._draw.text(
            (x * _FINE, y * _FINE),
            text,
            color,
            ImageFont.load_default(size * _FINE),
            anchor,
            stroke_width=round(0.35 * _FINE) if strong else 0,
        )

    def paste(self, picture: Image.Image, place: Point, width: float) -> None:
        """A picture, scaled to *width*."""
        scale = width * _FINE / picture.width
        large = picture.resize(
            (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS
        )
        self._image.paste(large, (round(place[0] * _FINE), round(place[1] * _FINE)))

    def save(self, path: Path, colors: int = 256) -> None:
        """Scale down and write an optimised PNG."""
        small = self._image.resize(self.size, Image.Resampling.LANCZOS)
        save(small, path, colors)


def save(picture: Image.Image, path: Path, colors: int = 256) -> None:
    """Write *picture* as a PNG of that many colours and say how large it became."""
    picture.quantize(colors, kmeans=2).save(path, format="PNG", optimize=True)
    print(f"{path}: {picture.width}x{picture.height}, {path.stat().st_size / 1000:.0f} kB")


def text_width(text: str, size: float) -> float:
    """How wide *text* becomes."""
    return float(ImageFont.load_default(size * _FINE).getlength(text)) / _FINE


def lightened(color: Color, share: float = 0.35) -> Color:
    """*color*, *share* of the way to white: for letters on a dark ground."""
    red, green, blue = (round(part + (255 - part) * share) for part in color)
    return red, green, blue


def dimmed(color: Color, share: float = 0.6) -> Color:
    """*color*, *share* of the way to the background."""
    red, green, blue = (
        round(part + (dark - part) * share) for part, dark in zip(color, BACKGROUND, strict=True)
    )
    return red, green, blue


def _scaled(box: Box) -> Box:
    left, top, right, bottom = (round(side * _FINE) for side in box)
    return left, top, right, bottom


def _rounded(points: Sequence[Point], radius: float) -> list[Point]:
    """*points* with each corner replaced by a curve that begins *radius* before it."""
    path = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near = _towards(corner, before, min(radius, math.dist(corner, before) / 2))
        far = _towards(corner, after, min(radius, math.dist(corner, after) / 2))
        for step in range(13):
            share = step / 12
            path.append(
                (
                    (1 - share) ** 2 * near[0]
                    + 2 * share * (1 - share) * corner[0]
                    + share**2 * far[0],
                    (1 - share) ** 2 * near[1]
                    + 2 * share * (1 - share) * corner[1]
                    + share**2 * far[1],
                )
            )
    return [*path, points[-1]]


def _towards(start: Point, end: Point, way: float) -> Point:
    length = math.dist(start, end) or 1.0
    return (
        start[0] + (end[0] - start[0]) * way / length,
        start[1] + (end[1] - start[1]) * way / length,
    )


def _dashes(path: Sequence[Point], dash: float) -> list[list[Point]]:
    """Cut *path* into dashes with gaps of the same length."""
    pieces: list[list[Point]] = []
    for start, end in itertools.pairwise(path):
        length = math.dist(start, end)
        for number in range(int(length // (2 * dash)) + 1):
            first, last = 2 * dash * number, min(2 * dash * number + dash, length)
            if last > first:
                pieces.append([_towards(start, end, first), _towards(start, end, last)])
    return pieces
