"""How far what the net says of a face can be trusted.

Fitted to how often it was right on faces as small, dark, turned, blurred or covered
(`python -m convert quality`).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.messages import Face

MEASURES: Final = ("size", "sharpness", "light", "contrast", "score")
WEIGHTS: Final = (0.0, 3.56, 1.31, 1.92, 3.60)
BIAS: Final = -6.11
"""Of the logistic curve through the measures; printed by `python -m convert quality`."""


def quality(face: Face, crop: NDArray[np.uint8], is_face: float = 1.0) -> float:
    """How far the reading of a crop can be trusted, 0-1.

    Profiles are not among the faces that the curve is fitted to; so how far a head faces the camera
    multiplies it, as does the chance that it is one.

    Args:
        face: as the finder gave it.
        crop: of it, grey, uint8 [height, width].
        is_face: probability that it is one, by the net.
    """
    odds = float(np.dot(WEIGHTS, measures(face, crop))) + BIAS
    return facing(face) * is_face / (1 + math.exp(-odds))


def measures(face: Face, crop: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What is known of a crop, [5], in the order of `MEASURES`; each 0-1, more being better."""
    light, contrast = float(crop.mean()), float(crop.std())
    return np.array(
        [
            _ramp(math.log2(max(face.width_px, 1.0)), 4, 7),  # 16 to 128 px
            sharpness(crop),
            _ramp(math.log2(light + 1), 2, 6),  # grey values of 3 to 63
            _ramp(math.log2(contrast + 1), 1, 5),  # 1 to 31
            _ramp(face.score, 0.3, 0.9),
        ]
    )


def facing(face: Face) -> float:
    """1 for a head that faces the camera, falling to 0 towards a profile."""
    eyes = np.subtract(face.left_eye, face.right_eye)
    apart = float(np.hypot(*eyes))
    if apart < 1e-6:
        return 0.0
    # How far the nose has wandered from the middle of the eyes, along the line of the eyes.
    nose = np.subtract(face.nose, face.right_eye)
    along = float(nose @ eyes) / apart**2
    return 1 - _ramp(abs(along - 0.5), 0.2, 0.6)


def sharpness(crop: NDArray[np.uint8]) -> float:
    """0 for a blank or smeared crop, 1 for one as sharp as the usual training crop.

    Energy of the Laplacian over the variance of the grey values, so that a dim picture is not
    taken for a blurred one.
    """
    gray = crop.astype(np.float64)
    variance = float(gray.var())
    if variance < 4:
        return 0.0
    laplacian = (
        gray[1:-1, :-2] + gray[1:-1, 2:] + gray[:-2, 1:-1] + gray[2:, 1:-1] - 4 * gray[1:-1, 1:-1]
    )
    return _ramp(float((laplacian**2).mean()) / variance, 0.005, 0.06)


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
