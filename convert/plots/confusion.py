"""Pictures of a net for its model card: what it confuses, and how far it can be trusted."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convert.metrics import Labels, calibration_error
from convert.plots.style import FAINT, GRAY, INK, PAPER, SERIES, percent, ramp, sheet

_BINS: Final = 15
"""As in `calibration_error`."""
_FEW: Final = 10
"""Rows under which a bin says little."""


def draw_confusion(
    confusion: NDArray[np.integer[Any]], labels: Sequence[str], out: Path, title: str
) -> None:
    """What was taken for what: each row in percent of its truth, with the counts.

    Args:
        confusion: [truth, guess], rows counted.
        labels: of the classes.
        out: the PNG.
        title: its further lines are set small.

    Raises:
        ValueError: no rows, counts below zero, or not one label a class.
    """
    classes = len(labels)
    if confusion.shape != (classes, classes) or classes == 0:
        raise ValueError(f"{classes} labels do not fit a confusion of shape {confusion.shape}")
    if (confusion < 0).any() or confusion.sum() == 0:
        raise ValueError("a confusion matrix needs counts, at least one above zero")
    rows = confusion.sum(axis=1)
    shares = confusion / np.maximum(rows, 1)[:, None]
    with sheet(out, title, 0.75 + 0.54 * classes) as figure:
        axes = figure.subplots()
        axes.imshow(
            shares,
            cmap=ramp(PAPER, "#c3d7f7", "#6d9eec", "#2b6cdf", "#123f91"),
            vmin=0,
            vmax=1,
            aspect="auto",
        )
        for truth, guess in np.ndindex(classes, classes):
            count, share = int(confusion[truth, guess]), float(shares[truth, guess])
            right, dark = truth == guess, share > 0.6
            if count == 0:
                axes.text(guess, truth, "0", ha="center", va="center", size=7, color=FAINT)
                continue
            number = "<1" if share < 0.005 else f"{share * 100:.0f}"
            axes.annotate(
                f"{number} %",
                (guess, truth),
                (0, 4.5),
                textcoords="offset points",
                ha="center",
                va="center",
                size=9.5,
                weight="bold" if right else "normal",
                color=PAPER if dark else INK,
            )
            axes.annotate(
                f"{count:,}",
                (guess, truth),
                (0, -7.5),
                textcoords="offset points",
                ha="center",
                va="center",
                size=7,
                color="#dbe7fb" if dark else INK if share > 0.3 else GRAY,
            )
        for place, (label, count) in enumerate(zip(labels, rows, strict=True)):
            for words, height, size, color in (
                (label, 4.5, 8.5, INK),
                (f"{count:,} rows", -7.5, 7, GRAY),
            ):
                axes.annotate(
                    words,
                    (0, place),
                    (-7, height),
                    ("axes fraction", "data"),
                    "offset points",
                    ha="right",
                    va="center",
                    size=size,
                    color=color,
                    annotation_clip=False,
                )
        axes.annotate(
            "truth",
            (0, 1),
            (-7, 5),
            "axes fraction",
            "offset points",
            ha="right",
            size=8.5,
            color=GRAY,
            annotation_clip=False,
        )
        axes.set_xticks(np.arange(classes), labels)
        axes.set_yticks([])
        axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
        axes.tick_params(labelcolor=INK)
        axes.set_xticks(np.arange(classes - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(classes - 1) + 0.5, minor=True)
        axes.grid(which="minor", color=PAPER, linewidth=2)
        axes.tick_params(which="minor", length=0)
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("taken for", labelpad=6)
        for spine in axes.spines.values():
            spine.set_visible(False)


def draw_reliability(
    curves: Mapping[str, tuple[NDArray[np.float64], Labels]], out: Path, title: str
) -> None:
    """How often it is right when it is so sure, and how sure it is how often.

    A bin of fewer than 10 rows is a hollow point beside the line.

    Args:
        curves: name -> (probabilities [rows, classes], truth [rows]); the expected calibration
            error of each stands in the legend.
        out: the PNG.
        title: its further lines are set small.

    Raises:
        ValueError: nothing to draw, or a curve's arrays do not fit each other.
    """
    if not curves:
        raise ValueError("there is no curve to draw")
    for name, (probabilities, truth) in curves.items():
        if probabilities.ndim != 2 or len(probabilities) != len(truth) or len(truth) == 0:
            raise ValueError(
                f"{name}: probabilities {probabilities.shape} do not fit {len(truth)} rows of truth"
            )
    edges = np.linspace(0, 1, _BINS + 1)
    grays_first = [GRAY, *SERIES] if len(curves) > 1 else list(SERIES)
    with sheet(out, title, 5.0) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.1, 1])
        upper.plot([0, 1], [0, 1], color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)))
        upper.text(
            0.012,
            0.024,
            "as often right as sure",
            size=8,
            color=GRAY,
            rotation=45,
            rotation_mode="anchor",
            transform_rotates_text=True,
        )
        for (name, (probabilities, truth)), color in zip(
            curves.items(), itertools.cycle(grays_first), strict=False
        ):
            top, guess = probabilities.max(axis=1), probabilities.argmax(axis=1)
            which = np.minimum((top * _BINS).astype(int), _BINS - 1)
            count = np.bincount(which, minlength=_BINS)
            filled = count > 0
            sure = np.bincount(which, top, _BINS)[filled] / count[filled]
            right = np.bincount(which, guess == truth, _BINS)[filled] / count[filled]
            error = calibration_error(probabilities, truth, _BINS)
            legend = f"{name}: calibration error {percent(error)}"
            many = count[filled] >= _FEW
            upper.plot(
                sure[many],
                right[many],
                color=color,
                label=legend,
                marker="o",
                markersize=5,
                markeredgecolor=PAPER,
                markeredgewidth=0.8,
            )
            upper.scatter(
                sure[~many], right[~many], 16, PAPER, edgecolor=[color], zorder=3, clip_on=False
            )
            lower.stairs(count / len(truth), edges, color=color, linewidth=1.6)
            lower.stairs(count / len(truth), edges, color=color, fill=True, alpha=0.1)
        upper.set_ylabel("how often it was right")
        lower.set_ylabel("share of rows")
        lower.set_xlabel("probability of its guess")
        upper.set_xlim(0, 1)
        upper.set_ylim(0, 1.02)
        upper.legend(loc="upper left")
        for axes in (upper, lower):
            axes.grid()
            axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:.0f} %")
        lower.xaxis.set_major_formatter(lambda value, _: f"{value * 100:.0f} %")
        figure.align_ylabels()
