"""Parts of a picture that a detector looks at, and the faces in them, in pixels of the whole."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.messages import Face, Point
from edge.perception.blaze_face import as_face, blend, shared

_CUT: Final = 0.01
"""A face that comes so near to an inner edge of its window, in sides of it, goes on beyond it."""


@dataclass(frozen=True, eq=False)
class Window:
    """A part of a picture.

    image: uint8 [height, width, 3], RGB. left_px, top_px: its first corner in the whole picture.
    scale: pixels of the whole for each of its own. outer: whether its left, top, right and bottom
    edges are those of the whole picture.
    """

    image: NDArray[np.uint8]
    left_px: float = 0
    top_px: float = 0
    scale: float = 1
    outer: tuple[bool, bool, bool, bool] = (True, True, True, True)

    def holds(self, face: Face) -> bool:
        """*face*, in pixels of the window, is not cut off by an edge behind which the picture goes on."""
        height, width = self.image.shape[:2]
        least = _CUT * max(height, width)
        gaps = (
            face.x_px,
            face.y_px,
            width - face.x_px - face.width_px,
            height - face.y_px - face.height_px,
        )
        return all(outer or gap > least for outer, gap in zip(self.outer, gaps, strict=True))

    def to_whole(self, face: Face) -> Face:
        """*face*, in pixels of the window, in those of the whole picture."""
        scale, left, top = self.scale, self.left_px, self.top_px
        points = [(x * scale + left, y * scale + top) for x, y in points_of(face)]
        box = (face.x_px * scale + left, face.y_px * scale + top)
        return as_face(box, (face.width_px * scale, face.height_px * scale), points, face.score)


def cut(image: NDArray[np.uint8], left: float, top: float, side: float, most_px: int) -> Window:
    """The square of *image* with that corner and *side*, black where it goes beyond.

    It is scaled down to *most_px* a side if it is larger.
    """
    import cv2

    height, width = image.shape[:2]
    x, y, end_x, end_y = (
        min(max(round(edge), 0), most)
        for edge, most in ((left, width), (top, height), (left + side, width), (top + side, height))
    )
    scale = max(1.0, side / most_px)
    inner: Any = image[y:end_y, x:end_x]
    if scale > 1 and inner.size:
        size = (max(1, round((end_x - x) / scale)), max(1, round((end_y - y) / scale)))
        inner = cv2.resize(inner, size, interpolation=cv2.INTER_AREA)
    before_x, before_y = round((x - left) / scale), round((y - top) / scale)
    whole = round(side / scale)
    framed = np.zeros((whole, whole, 3), np.uint8)
    inner = inner[: max(0, whole - before_y), : max(0, whole - before_x)]
    framed[before_y : before_y + inner.shape[0], before_x : before_x + inner.shape[1]] = inner
    outer = (left <= 0, top <= 0, left + side >= width, top + side >= height)
    return Window(framed, x - before_x * scale, y - before_y * scale, scale, outer)


def around(face: Face, times: float) -> tuple[float, float, float]:
    """Left, top and side of the square about *face* that is *times* as large."""
    side = max(8.0, times * max(face.width_px, face.height_px))
    return (
        face.x_px + (face.width_px - side) / 2,
        face.y_px + (face.height_px - side) / 2,
        side,
    )


def overlap(one: Face, other: Face) -> float:
    """Intersection over union of the boxes of two faces, 0-1."""
    first, second = _detections([one, other])
    return float(shared(first, second[None])[0])


def merged(faces: Sequence[Face]) -> list[Face]:
    """One for each face that several windows hold, best first."""
    faces = sorted(faces, key=lambda face: -face.score)
    scores = np.array([face.score for face in faces], np.float32)
    found = []
    for points, score in zip(*blend(_detections(faces), scores), strict=True):
        (x, y), (end_x, end_y), *others = ((float(x), float(y)) for x, y in points)
        found.append(as_face((x, y), (end_x - x, end_y - y), others, float(score)))
    return found


def starts(length: int, side: float) -> list[float]:
    """Where windows of *side* begin that overlap by at least half of it; one where the length is less.

    So whatever is half as large as a window lies whole in one of them. One that is longer than *length*
    begins before 0 and has it in its middle.
    """
    if length <= side:
        return [(length - side) / 2]
    count = math.ceil(2 * (length - side) / side)
    return [index * (length - side) / count for index in range(count + 1)]


def points_of(face: Face) -> list[Point]:
    """Right eye, left eye, nose, mouth, right ear and left ear, as `blaze_face.as_face` takes them."""
    return [
        face.right_eye, face.left_eye, face.nose, face.mouth, face.right_ear, face.left_ear
    ]  # fmt: skip


def _detections(faces: Sequence[Face]) -> NDArray[np.float32]:
    """As `blaze_face.blend` takes them: [k, POINTS, 2]."""
    return np.array(
        [
            [
                (face.x_px, face.y_px),
                (face.x_px + face.width_px, face.y_px + face.height_px),
                *points_of(face),
            ]
            for face in faces
        ],
        np.float32,
    ).reshape(-1, 8, 2)
