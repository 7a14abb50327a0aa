"""Cuts a face out of a frame so that it is framed as the training crops are."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.messages import Face, Frame
from edge.perception.manifest import Geometry

_MAX_OVERSAMPLING = 8
_MIN_SCALE = 1e-6
"""Stands in for the scale 0 that eyes and mouth in one point give."""


def align(frame: Frame, face: Face, geometry: Geometry) -> NDArray[np.uint8]:
    """Grey crop of *face*, uint8 [height_px, width_px], upright, eyes and mouth where training has them.

    A similarity transform (turn, scale, shift) fitted by least squares to both eyes and the mouth:
    the mouth keeps the scale right when a turned head brings the eyes together. What lies
    outside the frame repeats its border, as in the training crops.
    """
    import cv2

    target = np.array([geometry.right_eye, geometry.left_eye, geometry.mouth])
    source = np.array([face.right_eye, face.left_eye, face.mouth])
    transform = fit_similarity(source, target)
    # Linear sampling skips pixels of a large face; sample finer, then average down.
    scale = max(math.hypot(transform[0, 0], transform[0, 1]), _MIN_SCALE)
    finer = min(_MAX_OVERSAMPLING, max(1, round(1 / scale)))
    stretched = transform.copy()
    stretched[:, 2] += 0.5  # pixel centres keep their place under scaling
    stretched *= finer
    stretched[:, 2] -= 0.5
    size = (geometry.width_px * finer, geometry.height_px * finer)
    crop: Any = cv2.warpAffine(
        frame.image, stretched, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    crop = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    if finer > 1:
        crop = cv2.resize(
            crop, (geometry.width_px, geometry.height_px), interpolation=cv2.INTER_AREA
        )
    return np.asarray(crop, np.uint8)


def fit_similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares turn + scale + shift taking *source* to *target*, both [n, 2]: float64 [2, 3].

    The closed form for the plane, with points as complex numbers (Umeyama 1991).
    """
    s = source[:, 0] + 1j * source[:, 1]
    t = target[:, 0] + 1j * target[:, 1]
    s_mean, t_mean = s.mean(), t.mean()
    spread = float((abs(s - s_mean) ** 2).sum())
    turn = (np.conj(s - s_mean) * (t - t_mean)).sum() / max(spread, 1e-9)
    shift = t_mean - turn * s_mean
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], np.float64
    )
