"""Looks for a face of any size in a large picture.

A detector sees a picture through an input of 128 or 192 pixels: a face of 100 pixels in a
photograph of 1,600 is but a dozen there, and is missed; a head that fills the picture is missed as
well, for it has never seen one. So the picture is searched as a whole, then from further away, then
in overlapping tiles of half the size, a quarter, and so on. In hundreds of tiles a detector also sees
faces where there are none, so each is looked at once more from close by. The first size of tiles that
shows a face for certain is enough: what comes after it can only find smaller ones. For photographs;
too slow for a camera.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.messages import Face, Frame
from edge.perception.blaze_face import OVERLAP
from edge.perception.face_reader import Finder
from edge.perception.windows import Window, around, cut, merged, overlap, starts

SMALLEST_TILE_PX: Final = 640
"""In which the full-range detector finds faces from 40 pixels on."""
_FAR: Final = 2.0
"""From further away a picture is seen within so many times its longer side."""
_WINDOW_PX: Final = 960
"""Larger windows are scaled down first; a finder does so further."""
SURE: Final = 0.75
"""Score from which a face is certain."""
_CLOSE: Final = 2.5
"""The second look at a face takes in so many times its size."""


class TileSearch:
    """A finder that also finds faces that are small, or larger than life, in a picture."""

    def __init__(self, finder: Finder) -> None:
        """Search with *finder*, which is closed with this."""
        self._finder = finder

    def find(self, frame: Frame) -> list[Face]:
        """The faces that are certain, those of the largest kind; else the one that is likeliest.

        In pixels of *frame*, best first.
        """
        likely: list[Face] = []
        for look in _looks(frame.image):
            found = [face for part in look for face in self._find(part, frame)]
            seen_twice = [face for face in (self._once_more(face, frame) for face in found) if face]
            sure = [face for face in seen_twice if face.score >= SURE]
            if sure:
                return merged(sure)
            likely += seen_twice
        return sorted(likely, key=lambda face: -face.score)[:1]

    def close(self) -> None:
        """Free the finder."""
        self._finder.close()

    def _find(self, part: Window, frame: Frame) -> list[Face]:
        faces = self._finder.find(Frame(np.ascontiguousarray(part.image), frame.t_s))
        return [part.to_whole(face) for face in faces if part.holds(face)]

    def _once_more(self, face: Face, frame: Frame) -> Face | None:
        """The better of both views of *face*; None if it is not seen from close by."""
        part = cut(frame.image, *around(face, _CLOSE), _WINDOW_PX)
        again = [each for each in self._find(part, frame) if overlap(face, each) > OVERLAP]
        return max([*again, face], key=lambda each: each.score) if again else None


def _looks(image: NDArray[np.uint8]) -> Iterator[Iterator[Window]]:
    yield iter([Window(image)])
    yield iter([_from_afar(image)])
    side = max(image.shape[:2])
    while side > SMALLEST_TILE_PX:
        side = -(-side // 2)
        yield _tiles(image, side)


def _from_afar(image: NDArray[np.uint8]) -> Window:
    height, width = image.shape[:2]
    side = _FAR * max(height, width)
    return cut(image, (width - side) / 2, (height - side) / 2, side, _WINDOW_PX)


def _tiles(image: NDArray[np.uint8], side: int) -> Iterator[Window]:
    """Squares of the picture that overlap by half."""
    height, width = image.shape[:2]
    for top in _corners(height, side):
        for left in _corners(width, side):
            part = image[top : top + side, left : left + side]
            outer = (left == 0, top == 0, left + side >= width, top + side >= height)
            yield Window(part, left, top, outer=outer)


def _corners(length: int, side: int) -> list[int]:
    """Whole pixels of the picture."""
    return [max(0, round(start)) for start in starts(length, side)]
