"""Pictures that compare, for the model cards: shapes of the net, folds of speakers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from convert.plots.style import ACCENT, FAINT, GRAY, INK, PAPER, percent, sheet

MOST_MACS: Final = 80e6
"""What a face net may cost."""
WANTED_MACS: Final = 40e6
"""What it had better cost."""
_NEAR: Final = 0.06
"""Discs nearer than this share of the panel cover each other."""
_ASIDE_PT: Final = 4.5


class Tried(Protocol):
    """What is drawn of an architecture search's `Candidate`, without the torch that it needs."""

    @property
    def name(self) -> str:
        """How the shape is called."""

    @property
    def parameters(self) -> int:
        """Weights that it has."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates an inference."""

    @property
    def fer2013(self) -> float:
        """Accuracy by the FER2013 labels, 0 to 1."""

    @property
    def ferplus(self) -> float:
        """Accuracy by the FER+ majority, 0 to 1."""


def draw_search(candidates: Sequence[Tried], chosen: str, out: Path, title: str) -> None:
    """Accuracy against multiply-accumulates of the shapes that were tried, by both label sets.

    Args:
        candidates: what was tried.
        chosen: name of the one that was taken.
        out: the PNG.
        title: its further lines are set small.

    Raises:
        ValueError: nothing to draw, or the chosen one is not among them.
    """
    ordered = sorted(candidates, key=lambda each: each.macs)
    if chosen not in {each.name for each in ordered}:
        raise ValueError(f"{chosen!r} is none of the {len(ordered)} candidates")
    macs = np.array([each.macs / 1e6 for each in ordered])
    areas = np.array([each.parameters / 1e6 for each in ordered]) * 500 + 60
    lines = (len(ordered) + 1) // 2
    with sheet(out, title, 3.1 + 0.2 * lines) as figure:
        grid = figure.add_gridspec(2, 2, height_ratios=[3.0, 0.2 * lines])
        keys = [figure.add_subplot(grid[1, column]) for column in range(2)]
        for column, (values, name) in enumerate(
            [
                ([each.fer2013 for each in ordered], "FER2013 label, 7 classes"),
                ([each.ferplus for each in ordered], "FER+ majority, 8 classes"),
            ]
        ):
            axes = figure.add_subplot(grid[0, column])
            axes.set_title(name, loc="left", color=INK)
            axes.grid()
            widest = max(float(macs.max()), MOST_MACS / 1e6) * 1.12
            low, high = min(values), max(values)
            room = max(high - low, 0.01) * 0.25
            aside = asides(macs / widest, np.array(values) / (high - low + 2 * room))
            for index, each in enumerate(ordered):
                x, y, taken = macs[index], values[index], each.name == chosen
                axes.scatter(
                    [x],
                    [y],
                    areas[index],
                    ACCENT if taken else "#9db3d1",
                    edgecolor=PAPER,
                    linewidth=1.2,
                    zorder=5 if taken else 3,
                )
                axes.annotate(
                    str(index + 1),
                    (x, y),
                    (aside[index], 0),
                    textcoords="offset points",
                    size=7.5,
                    weight="bold",
                    ha="center",
                    va="center_baseline",
                    color=PAPER if taken else INK,
                    zorder=6 if taken else 4,
                )
            axes.set_xlim(0, widest)
            axes.set_ylim(low - room, high + room)
            for limit, word in ((WANTED_MACS, "goal"), (MOST_MACS, "limit")):
                axes.axvline(limit / 1e6, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
                axes.annotate(
                    word,
                    (limit / 1e6, 0),
                    (3, 4),
                    ("data", "axes fraction"),
                    "offset points",
                    size=7.5,
                    color=GRAY,
                )
            axes.locator_params(axis="y", nbins=6)
            axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:.1f} %")
            axes.set_xlabel("million multiply-accumulates")
            if column == 0:
                axes.set_ylabel("accuracy")
        for key in keys:
            key.set_axis_off()
            key.set_xlim(0, 1)
            key.set_ylim(lines, 0)
        for index, each in enumerate(ordered):
            column, line = divmod(index, lines)
            taken = each.name == chosen
            keys[column].text(
                0,
                line + 0.5,
                f"{index + 1}  {each.name}, {each.parameters / 1e6:.2f} M parameters",
                size=8,
                va="center",
                color=ACCENT if taken else INK,
            )


def asides(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> list[float]:
    """How far aside each disc's number goes, in points, so that none lies over another.

    xs, ys: middles of the discs in ascending *xs*, as shares of the panel's sides.
    """
    found = []
    for own, (x, y) in enumerate(zip(xs, ys, strict=True)):
        near = (np.abs(xs - x) < _NEAR) & (np.abs(ys - y) < _NEAR)
        left, right = near[:own].any(), near[own + 1 :].any()
        found.append(_ASIDE_PT * (float(left) - float(right)))
    return found


def draw_fold_bars(
    folds: Mapping[str, float],
    pooled: float,
    out: Path,
    title: str,
    *,
    chance: float | None = None,
) -> None:
    """Balanced accuracy of each fold, and over the guesses of all folds taken together.

    Args:
        folds: name, with its speakers -> balanced accuracy, 0 to 1.
        pooled: over all folds, 0 to 1.
        out: the PNG.
        title: its further lines are set small.
        chance: what guessing would reach, drawn as a line if given.

    Raises:
        ValueError: no folds, or a value is not 0 to 1.
    """
    if not folds:
        raise ValueError("there is no fold to draw")
    if not all(0 <= value <= 1 for value in (*folds.values(), pooled)):
        raise ValueError("a balanced accuracy is not 0 to 1")
    with sheet(out, title, 0.75 + 0.34 * len(folds)) as figure:
        axes = figure.subplots()
        places = np.arange(len(folds))
        axes.barh(places, list(folds.values()), 0.62, color="#a9c4f0", zorder=2)
        for place, value in zip(places, folds.values(), strict=True):
            axes.annotate(
                percent(value),
                (1, float(place)),
                (4, -1),
                ("axes fraction", "data"),
                "offset points",
                va="center",
                size=8.5,
                color=INK,
                annotation_clip=False,
            )
        for line, word, color in ((pooled, "all folds", ACCENT), (chance, "chance", GRAY)):
            if line is None:
                continue
            axes.axvline(line, color=color, linewidth=1.4, linestyle=(0, (4, 3)), zorder=3)
            axes.annotate(
                f"{word} {percent(line)}",
                (line, 1),
                (0, 4),
                ("data", "axes fraction"),
                "offset points",
                ha="center",
                size=8.5,
                color=color,
                annotation_clip=False,
            )
        axes.set_yticks(places, list(folds))
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_ylim(len(folds) - 0.5, -0.5)
        axes.set_xlim(0, min(1.0, max(*folds.values(), pooled) * 1.03))
        axes.set_xlabel("balanced accuracy")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:.0f} %")
        axes.grid(axis="x")
