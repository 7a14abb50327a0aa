"""What BlazeFace's numbers mean: from a frame to its input, from its outputs to faces.

The net and its anchors are those of Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face
Detection on Mobile GPUs" (2019), as is the blending of overlapping detections in place of plain
suppression. Numbers that the paper leaves open are those by which the outcome equals that of
MediaPipe's face detector: tests/integration/test_lite_face_finder.py compares the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.messages import Face

Floats = NDArray[np.float32]
Place = tuple[float, float]
"""x and y."""

POINTS: Final = 8
"""Of a detection: its box's first and last corner, then right eye, left eye, nose, mouth, right ear
and left ear."""
VALUES: Final = 16
"""That the net gives for each anchor: the box's middle and size, then six points, all x before y."""
OVERLAP: Final = 0.3
"""Detections that share more than this (intersection over union) are of one face."""


@dataclass(frozen=True)
class Net:
    """One of the two nets."""

    side_px: int
    """Of its square input."""
    grids: tuple[tuple[int, int], ...]
    """Of each: cells along a side, and anchors in every cell."""


NETS: Final = {
    "short": Net(128, ((16, 2), (8, 6))),
    "full": Net(192, ((48, 1),)),
}


def anchors(net: Net) -> Floats:
    """Middles of the cells that the net speaks of, in its order: [n, 2], in sides of its input."""
    grids = []
    for cells, repeats in net.grids:
        y, x = np.divmod(np.arange(cells * cells), cells)
        middles = (np.stack([x, y], axis=1) + 0.5) / cells
        grids.append(middles.repeat(repeats, axis=0))
    return np.concatenate(grids).astype(np.float32)


def prepare(image: NDArray[np.uint8], side_px: int) -> Floats:
    """Input of the net: [1, side_px, side_px, 3], -1 to 1.

    The whole of *image* (uint8 [height, width, 3], RGB) in the middle of a black square.
    """
    import cv2

    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    # Corner on corner and without half a pixel's shift, as MediaPipe does.
    matrix = np.array(
        [
            [scale, 0, (side_px - width * scale) / 2],
            [0, scale, (side_px - height * scale) / 2],
        ]
    )
    square = cv2.warpAffine(image, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR)
    values = np.asarray(square, np.float32)
    values *= np.float32(2 / 255)
    values -= np.float32(1)
    return values[None]


def decode(
    values: Floats, logits: Floats, places: Floats, side_px: int, min_score: float
) -> tuple[Floats, Floats]:
    """What the net gave for each anchor -> detections, best first.

    Args:
        values: [n, VALUES], in pixels of the input from the anchor.
        logits: [n]; how sure the net is, before the logistic function.
        places: [n, 2]; the anchors.
        side_px: of the input.
        min_score: weaker ones are dropped, 0-1.

    Returns:
        Points [k, POINTS, 2] in sides of the input and scores [k]. Boxes of a size below 0 and
        whatever is not finite are left out.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        scores = 1 / (1 + np.exp(-np.clip(logits, -100, 100)))
        sure = scores >= min_score
        given = values[sure].reshape(-1, VALUES // 2, 2) / np.float32(side_px)
        middle = given[:, 0] + places[sure]
        half = given[:, 1] / 2
        points = np.concatenate(
            [(middle - half)[:, None], (middle + half)[:, None], given[:, 2:] + places[sure, None]],
            axis=1,
        )
    scores = scores[sure]
    sound = (half >= 0).all(axis=1) & np.isfinite(points).all(axis=(1, 2)) & np.isfinite(scores)
    points, scores = points[sound], scores[sound]
    order = np.argsort(-scores, kind="stable")
    return points[order].astype(np.float32), scores[order].astype(np.float32)


def blend(points: Floats, scores: Floats, overlap: float = OVERLAP) -> tuple[Floats, Floats]:
    """One detection for each face: the mean of those that overlap the best, weighted by score.

    Args:
        points: [k, POINTS, 2], best first.
        scores: [k].
        overlap: detections that share more than this with the best one are of its face.

    Returns:
        The same for the faces; each has the score of its best detection.
    """
    faces: list[Floats] = []
    best: list[np.float32] = []
    while len(scores):
        same = shared(points[0], points) > overlap
        same[0] = True  # also where its box is but a line, which shares nothing even with itself
        weights = scores[same].astype(np.float64)
        mean = np.average(points[same], axis=0, weights=weights) if weights.sum() else points[0]
        faces.append(mean.astype(np.float32))
        best.append(scores[0])
        points, scores = points[~same], scores[~same]
    return np.array(faces, np.float32).reshape(-1, POINTS, 2), np.array(best, np.float32)


def shared(one: Floats, others: Floats) -> Floats:
    """Intersection over union of the boxes of *one* [POINTS, 2] and *others* [k, POINTS, 2]: [k]."""
    low = np.maximum(one[0], others[:, 0])
    high = np.minimum(one[1], others[:, 1])
    both = np.prod(np.clip(high - low, 0, None), axis=1)
    union = np.prod(one[1] - one[0]) + np.prod(others[:, 1] - others[:, 0], axis=1) - both
    result = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return np.asarray(result, np.float32)


def to_frame(points: Floats, width_px: int, height_px: int) -> Floats:
    """Points in sides of the input -> pixels of a frame of that size; undoes `prepare`."""
    longer = max(width_px, height_px)
    edge = np.array([(longer - width_px) / 2, (longer - height_px) / 2], np.float32)
    return np.asarray(points * np.float32(longer) - edge, np.float32)


def as_face(box: Place, size: Place, points: Sequence[Place], score: float) -> Face:
    """A detection as it is passed on, all in pixels of the frame.

    Args:
        box: first corner of its box.
        size: width and height of the box.
        points: right eye, left eye, nose, mouth, right ear, left ear.
        score: 0-1.
    """
    right_eye, left_eye, nose, mouth, right_ear, left_ear = points
    return Face(
        x_px=box[0],
        y_px=box[1],
        width_px=size[0],
        height_px=size[1],
        right_eye=right_eye,
        left_eye=left_eye,
        nose=nose,
        mouth=mouth,
        right_ear=right_ear,
        left_ear=left_ear,
        score=score,
    )
