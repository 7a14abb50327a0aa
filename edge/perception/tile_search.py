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
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.messages import Face, Frame
from edge.perception.blaze_face import OVERLAP, as_face, blend, shared
from edge.perception.face_reader import Finder

SMALLEST_TILE_PX: Final = 640
"""In which the full-range detector finds faces from 40 pixels on."""
_FAR: Final = 2.0
"""From further away a picture is seen within so many times its longer side."""
_WINDOW_PX: Final = 960
"""Larger windows are scaled down first; a finder does so further."""
SURE: Final = 0.75
"""Score from which a face is certain; `edge.perception.framing.quality` trusts it fully from there."""
_CLOSE: Final = 2.5
"""The second look at a face takes in so many times its size."""
_CUT: Final = 0.01
"""A face that comes so near to an inner edge of its tile, in sides of it, goes on beyond it."""


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
                return _merged(sure)
            likely += seen_twice
        return sorted(likely, key=lambda face: -face.score)[:1]

    def close(self) -> None:
        """Free the finder."""
        self._finder.close()

    def _find(self, part: "_Part", frame: Frame) -> list[Face]:
        faces = self._finder.find(Frame(np.ascontiguousarray(part.image), frame.t_s))
        return [
            _moved(face, part.left_px, part.top_px, part.scale)
            for face in faces
            if part.holds(face)
        ]

    def _once_more(self, face: Face, frame: Frame) -> Face | None:
        """The better of both views of *face*; None if it is not seen from close by."""
        side = max(8.0, _CLOSE * max(face.width_px, face.height_px))
        left = face.x_px + (face.width_px - side) / 2
        top = face.y_px + (face.height_px - side) / 2
        part = _window(frame.image, left, top, side)
        again = [each for each in self._find(part, frame) if _overlap(face, each) > OVERLAP]
        return max([*again, face], key=lambda each: each.score) if again else None


class _Part:
    """A picture cut out of another."""

    def __init__(
        self,
        image: NDArray[np.uint8],
        left_px: float = 0,
        top_px: float = 0,
        scale: float = 1,
        outer: tuple[bool, bool, bool, bool] = (True, True, True, True),
    ) -> None:
        self.image, self.left_px, self.top_px, self.scale = image, left_px, top_px, scale
        self.outer = outer
        """Whether the left, top, right and bottom edges are those of the whole picture."""

    def holds(self, face: Face) -> bool:
        """The face is not cut off by an edge behind which the picture goes on."""
        height, width = self.image.shape[:2]
        least = _CUT * max(height, width)
        gaps = (
            face.x_px,
            face.y_px,
            width - face.x_px - face.width_px,
            height - face.y_px - face.height_px,
        )
        return all(outer or gap > least for outer, gap in zip(self.outer, gaps, strict=True))


def _looks(image: NDArray[np.uint8]) -> Iterator[Iterator[_Part]]:
    yield iter([_Part(image)])
    yield iter([_from_afar(image)])
    side = max(image.shape[:2])
    while side > SMALLEST_TILE_PX:
        side = -(-side // 2)
        yield _tiles(image, side)


def _from_afar(image: NDArray[np.uint8]) -> _Part:
    height, width = image.shape[:2]
    side = _FAR * max(height, width)
    return _window(image, (width - side) / 2, (height - side) / 2, side)


def _window(image: NDArray[np.uint8], left: float, top: float, side: float) -> _Part:
    """A square of *image*, black where it goes beyond, scaled down as far as a finder may see it."""
    import cv2

    height, width = image.shape[:2]
    x, y, end_x, end_y = (
        min(max(round(edge), 0), most)
        for edge, most in ((left, width), (top, height), (left + side, width), (top + side, height))
    )
    scale = max(1.0, side / _WINDOW_PX)
    inner: Any = image[y:end_y, x:end_x]
    if scale > 1:
        size = (max(1, round((end_x - x) / scale)), max(1, round((end_y - y) / scale)))
        inner = cv2.resize(inner, size, interpolation=cv2.INTER_AREA)
    before_x, before_y = round((x - left) / scale), round((y - top) / scale)
    whole = round(side / scale)
    after_x = max(0, whole - before_x - inner.shape[1])
    after_y = max(0, whole - before_y - inner.shape[0])
    framed = np.pad(inner, ((before_y, after_y), (before_x, after_x), (0, 0)))
    return _Part(framed, x - before_x * scale, y - before_y * scale, scale)


def _tiles(image: NDArray[np.uint8], side: int) -> Iterator[_Part]:
    """Squares that overlap by half, so that whatever is half as large lies whole in one of them."""
    height, width = image.shape[:2]
    for top in _starts(height, side):
        for left in _starts(width, side):
            part = image[top : top + side, left : left + side]
            outer = (left == 0, top == 0, left + side >= width, top + side >= height)
            yield _Part(part, left, top, outer=outer)


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = -(-2 * (length - side) // side)
    return [round(index * (length - side) / count) for index in range(count + 1)]


def _moved(face: Face, left: float, top: float, scale: float) -> Face:
    """*face* in pixels of the whole picture."""
    points = [(x * scale + left, y * scale + top) for x, y in _points(face)]
    box = (face.x_px * scale + left, face.y_px * scale + top)
    return as_face(box, (face.width_px * scale, face.height_px * scale), points, face.score)


def _points(face: Face) -> list[tuple[float, float]]:
    return [
        face.right_eye, face.left_eye, face.nose, face.mouth, face.right_ear, face.left_ear
    ]  # fmt: skip


def _detections(faces: list[Face]) -> NDArray[np.float32]:
    """As `blaze_face.blend` takes them: [k, POINTS, 2]."""
    return np.array(
        [
            [
                (face.x_px, face.y_px),
                (face.x_px + face.width_px, face.y_px + face.height_px),
                *_points(face),
            ]
            for face in faces
        ],
        np.float32,
    )


def _overlap(one: Face, other: Face) -> float:
    first, second = _detections([one, other])
    return float(shared(first, second[None])[0])


def _merged(faces: list[Face]) -> list[Face]:
    """One for each face that several tiles hold."""
    faces = sorted(faces, key=lambda face: -face.score)
    scores = np.array([face.score for face in faces], np.float32)
    merged = []
    for points, score in zip(*blend(_detections(faces), scores), strict=True):
        (x, y), (end_x, end_y), *others = ((float(x), float(y)) for x, y in points)
        merged.append(as_face((x, y), (end_x - x, end_y - y), others, float(score)))
    return merged
