"""Logits to probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def softmax(logits: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float64]:
    """Logits [..., classes] -> calibrated probabilities (temperature scaling, Guo et al. 2017)."""
    scaled = np.asarray(logits, np.float64) / temperature
    weights = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = weights / weights.sum(axis=-1, keepdims=True)
    return probabilities


def sigmoid(logits: NDArray[np.floating[Any]] | float) -> NDArray[np.float64]:
    """Logits of any shape -> probabilities 0-1; what is no number stays none."""
    probabilities: NDArray[np.float64] = 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, np.float64)))
    return probabilities
