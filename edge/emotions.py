"""The seven emotions in FER2013 order, their place in the affect plane and their colours."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EMOTIONS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Class order of every model output and every probability vector in Mien."""

DEFAULT_PRIOR: Final[dict[str, float]] = {
    "angry": 0.13,
    "disgust": 0.09,
    "fear": 0.09,
    "happy": 0.2,
    "sad": 0.14,
    "surprise": 0.13,
    "neutral": 0.22,
}
"""What a person in front of a machine mostly looks like, before anything is seen or heard."""

VALENCE: Final[dict[str, float]] = {
    "angry": -0.6,
    "disgust": -0.7,
    "fear": -0.6,
    "happy": 0.8,
    "sad": -0.7,
    "surprise": 0.2,
    "neutral": 0.0,
}
"""Pleasantness, -1 to 1, after the circumplex of Russell (1980): coarse positions of the words."""

AROUSAL: Final[dict[str, float]] = {
    "angry": 0.7,
    "disgust": 0.2,
    "fear": 0.7,
    "happy": 0.5,
    "sad": -0.5,
    "surprise": 0.8,
    "neutral": -0.1,
}
"""Activation, -1 (drowsy) to 1 (excited), after Russell (1980)."""

COLORS: Final[dict[str, tuple[int, int, int]]] = {
    "angry": (255, 40, 20),
    "disgust": (90, 180, 40),
    "fear": (150, 60, 230),
    "happy": (255, 190, 20),
    "sad": (40, 90, 255),
    "surprise": (255, 90, 190),
    "neutral": (150, 170, 180),
}
"""RGB, 0-255, of LEDs and colour displays."""


def affect(probabilities: "NDArray[np.float64]") -> tuple[float, float]:
    """Expected (valence, arousal), each -1 to 1, of a distribution of shape [7]."""
    import numpy as np  # not with the names, which are read by programs that have no time for it

    valence = np.array([VALENCE[name] for name in EMOTIONS])
    arousal = np.array([AROUSAL[name] for name in EMOTIONS])
    return float(probabilities @ valence), float(probabilities @ arousal)
