"""The figures by which a classifier is judged."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Scores:
    """How a set of guesses compares with the truth."""

    rows: int
    accuracy: float
    balanced_accuracy: float
    """Mean recall of the classes that occur."""
    macro_f1: float
    recall: NDArray[np.float64]
    """Shape [classes]; nan for a class without rows."""
    confusion: NDArray[np.int64]
    """Shape [truth, guess], rows counted."""


def score(truth: Labels, guess: Labels, classes: int) -> Scores:
    """Compare two vectors of class numbers of shape [rows]."""
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (truth, guess), 1)
    hits = np.diag(confusion).astype(np.float64)
    actual, claimed = confusion.sum(axis=1), confusion.sum(axis=0)
    recall = np.where(actual > 0, hits / np.maximum(actual, 1), np.nan)
    precision = hits / np.maximum(claimed, 1)
    occurring = actual > 0
    f1 = (
        2 * precision * np.nan_to_num(recall) / np.maximum(precision + np.nan_to_num(recall), 1e-12)
    )
    return Scores(
        rows=len(truth),
        accuracy=float(hits.sum() / len(truth)),
        balanced_accuracy=float(recall[occurring].mean()),
        macro_f1=float(f1[occurring].mean()),
        recall=recall,
        confusion=confusion,
    )


def calibration_error(
    probabilities: NDArray[np.float64],
    truth: Labels,
    bins: int = 15,
    weights: NDArray[np.float64] | None = None,
) -> float:
    """Expected calibration error, equal-width bins of the top probability (Guo et al. 2017).

    weights: how often each row is meant to occur, [rows]; None = all alike.
    """
    top, guess = probabilities.max(axis=1), probabilities.argmax(axis=1)
    share = np.ones(len(truth)) if weights is None else weights
    share = share / share.sum()
    which = np.minimum((top * bins).astype(int), bins - 1)
    total = 0.0
    for index in range(bins):
        inside = which == index
        total += abs(
            float((share[inside] * ((guess[inside] == truth[inside]) - top[inside])).sum())
        )
    return total


def fit_temperature(
    logits: NDArray[np.floating[Any]],
    truth: Labels | NDArray[np.floating[Any]],
    weights: NDArray[np.float64] | None = None,
) -> float:
    """The temperature (0.2 to 10) with the least cross-entropy, by golden-section search.

    truth: class numbers [rows], or a distribution for each row, [rows, classes]. weights: how much each
    row counts, [rows]; None = all alike.
    """
    share = np.ones(len(logits)) if weights is None else weights
    wanted = np.eye(logits.shape[1])[truth] if truth.ndim == 1 else truth

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        log_total = np.log(np.exp(scaled).sum(axis=1))
        return float(np.average(log_total - (wanted * scaled).sum(axis=1), weights=share))

    low, high, golden = np.log(0.2), np.log(10.0), (5**0.5 - 1) / 2
    while high - low > 1e-4:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def confusion_table(scores: Scores, labels: Sequence[str]) -> str:
    """The confusion matrix as a Markdown table, with the recall of each class."""
    lines = ["| truth \\ guess | " + " | ".join(labels) + " | recall |"]
    lines.append("|---" * (len(labels) + 2) + "|")
    for label, row, recall in zip(labels, scores.confusion, scores.recall, strict=True):
        cells = " | ".join(str(count) for count in row)
        lines.append(f"| **{label}** | {cells} | {recall:.1%} |")
    return "\n".join(lines)


def wilson(hits: float, cases: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share, 0-1; 95 % unless *z* says otherwise.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927).
    """
    if not cases:
        return (0.0, 1.0)
    share, weight = hits / cases, z * z / cases
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / cases + weight / (4 * cases)) / (1 + weight)
    return (max(0.0, middle - half), min(1.0, middle + half))
