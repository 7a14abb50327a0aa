"""Pictures of how a net learned, epoch by epoch, for its model card."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from convert.plots.style import GRAY, INK, SERIES, SHADE, percent, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_curves(
    history: Sequence[Mapping[str, float]],
    out: Path,
    title: str,
    *,
    names: Mapping[str, str] | None = None,
    falling_epochs: int = 0,
    stages: Sequence[int] = (),
) -> None:
    """Loss and accuracies, epoch by epoch.

    Args:
        history: a row an epoch: `epoch`, `loss` and any accuracies, 0 to 1.
        out: the PNG.
        title: its further lines are set small.
        names: of the accuracies, if other words than the keys are to be shown.
        falling_epochs: over how many epochs at the end the learning rate falls; shaded.
        stages: epochs of each stage of the training, if it had several; every second is shaded.

    Raises:
        ValueError: no epochs, a row lacks a key of the first one, or an accuracy is not 0 to 1.
    """
    from matplotlib.ticker import MaxNLocator

    if not history:
        raise ValueError("there is no epoch to draw")
    accuracies = [key for key in history[0] if key not in ("epoch", "loss")]
    keys = {"epoch", "loss", *accuracies}
    if missing := {key for row in history for key in keys - row.keys()}:
        raise ValueError(f"not every epoch has {', '.join(sorted(missing))}")
    values = {key: np.array([row[key] for row in history]) for key in ("loss", *accuracies)}
    for key in accuracies:
        if not ((values[key] >= 0) & (values[key] <= 1)).all():
            raise ValueError(f"{key} is no accuracy: it leaves 0 to 1")
    epochs = np.array([row["epoch"] for row in history])
    parts = 2 if accuracies else 1
    with sheet(out, title, 3.6 if accuracies else 1.9) as figure:
        panels: list[Axes] = list(
            figure.subplots(
                parts, 1, sharex=True, squeeze=False, height_ratios=[2.2, 1.4][-parts:]
            )[:, 0]
        )
        falls_from = epochs[-1] - falling_epochs + 0.5
        for axes in panels:
            axes.grid(axis="y")
            if 0 < falling_epochs < len(epochs):
                axes.axvspan(falls_from, epochs[-1] + 0.5, color=SHADE, zorder=0, linewidth=0)
        if 0 < falling_epochs < len(epochs):
            panels[0].annotate(
                "learning rate falls",
                (falls_from, 0),
                xycoords=("data", "axes fraction"),
                xytext=(5, 5),
                textcoords="offset points",
                size=8,
                color=GRAY,
            )
        if len(stages) > 1:
            _mark_stages(panels, stages)
        ends = []
        for key, color in zip(accuracies, itertools.cycle(SERIES), strict=False):
            panels[0].plot(epochs, values[key], color=color)
            label = (names or {}).get(key, key)
            ends.append((float(values[key][-1]), f"{label}\n{percent(values[key][-1])}", color))
        if accuracies:
            panels[0].set_ylabel("accuracy")
            panels[0].yaxis.set_major_formatter(lambda value, _: f"{value * 100:.0f} %")
            _label_ends(panels[0], ends, 0.16)
        loss = panels[-1]
        loss.plot(epochs, values["loss"], color=INK, linewidth=1.5)
        loss.set_ylabel("loss")
        loss.set_xlabel("epoch")
        _label_ends(
            loss,
            [(float(values["loss"][-1]), f"training loss\n{values['loss'][-1]:.2f}", INK)],
            0.3,
        )
        loss.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
        loss.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        figure.align_ylabels()


def _mark_stages(panels: "list[Axes]", stages: Sequence[int]) -> None:
    """Shade every second stage and write its number below the curves."""
    begin = 0.5
    for number, length in enumerate(stages, 1):
        if number % 2 == 0:
            for axes in panels:
                axes.axvspan(begin, begin + length, color=SHADE, zorder=0, linewidth=0)
        panels[0].annotate(
            f"stage {number}" if number == 1 else str(number),
            (begin + length / 2, 0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            size=8,
            color=GRAY,
        )
        begin += length


def _label_ends(axes: "Axes", ends: Sequence[tuple[float, str, str]], apart: float) -> None:
    """Write (value, words, colour) right of the last point of each line, none over another.

    apart: how far at least, as a share of the panel's height.
    """
    low, high = axes.get_ylim()
    height = -np.inf
    for value, words, color in sorted(ends):
        height = max((value - low) / (high - low), height + apart, apart / 2)
        axes.annotate(
            words,
            (1, height),
            (6, 0),
            "axes fraction",
            "offset points",
            va="center",
            size=8.5,
            color=color,
            linespacing=1.15,
            annotation_clip=False,
        )
