"""Pictures of the data sets for the model cards: how much of what, and what voices look like."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convert.plots.style import (
    FAINT,
    GRAY,
    INK,
    check_rows,
    emotion_color,
    mixed,
    ramp,
    sheet,
)
from edge.perception.spectrogram import FrontEnd, band_centers_hz

_COLUMNS: Final = 4
_TINTS: Final = (0.0, 0.45, 0.7, 0.82, 0.9)
"""How far towards white the bars of each further set are."""
_FRAMES_A_COLUMN: Final = 2
"""40 ms: a mean over many voices has no finer detail that meant anything."""
_COLORS: Final = 96
_STEPS: Final = 21
"""Colours of a spectrogram; an odd number has one for no difference."""
_TICKS_HZ: Final = (250, 1_000, 4_000)
_TICK_WORDS: Final = ("250", "1,000", "4,000")


def draw_class_counts(counts: Mapping[str, Mapping[str, int]], out: Path, title: str) -> None:
    """Bars of how many rows each class has in each set.

    Args:
        counts: set -> class -> rows; a class that a set lacks may be left out. At most five sets.
        out: the PNG.
        title: its further lines are set small.

    Raises:
        ValueError: nothing to count, a count below zero, or more than five sets.
    """
    labels = list(dict.fromkeys(label for of_set in counts.values() for label in of_set))
    if not labels or len(counts) > len(_TINTS):
        raise ValueError(f"one to {len(_TINTS)} sets with classes can be drawn, not {len(counts)}")
    most = max(max(of_set.values(), default=0) for of_set in counts.values())
    if most <= 0 or any(count < 0 for of_set in counts.values() for count in of_set.values()):
        raise ValueError("counts have to be zero or more, and one at least above zero")
    step = len(counts) + 0.9
    with sheet(out, title, 0.5 + 0.165 * step * len(labels)) as figure:
        axes = figure.subplots()
        for index, (name, of_set) in enumerate(counts.items()):
            total = max(sum(of_set.values()), 1)
            places = np.arange(len(labels)) * step + index
            axes.barh(
                places,
                [of_set.get(label, 0) for label in labels],
                0.86,
                color=[mixed(emotion_color(label), (1, 1, 1), _TINTS[index]) for label in labels],
            )
            gray = mixed((0.3, 0.34, 0.4), (1, 1, 1), _TINTS[index])
            axes.barh([0], [0], color=[gray], label=f"{name}: {total:,}")
            for place, label in zip(places, labels, strict=True):
                count = of_set.get(label)
                words = "none" if not count else f"{count:,}   {count / total * 100:.1f} %"
                axes.annotate(
                    words,
                    (count or 0, place),
                    (4, -0.5),
                    textcoords="offset points",
                    va="center",
                    size=7,
                    color=GRAY if count else FAINT,
                )
        axes.set_yticks(np.arange(len(labels)) * step + (len(counts) - 1) / 2, labels)
        axes.set_ylim(len(labels) * step - 0.9, -1)
        axes.set_xlim(0, most * 1.15)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            borderaxespad=0.1,
            borderpad=0.2,
            ncols=len(counts),
            handlelength=1,
            handleheight=0.9,
        )


def draw_mean_spectrograms(
    features: Mapping[str, NDArray[np.floating[Any]]],
    out: Path,
    title: str,
    *,
    front_end: FrontEnd | None = None,
    relative: bool = False,
) -> None:
    """The mean log-mel picture of each emotion in one corpus.

    Args:
        features: emotion -> float [n, bands, frames], as `Spectrogram.features` gives them,
            turned.
        out: the PNG.
        title: its further lines are set small.
        front_end: that computed them; the default one if not given.
        relative: draw how each emotion differs from the mean of all emotions.

    Raises:
        ValueError: nothing to draw, arrays of another shape than the front end's, or an emotion
            with fewer than `LEAST_ROWS` rows.
    """
    front_end = front_end or FrontEnd()
    if not features:
        raise ValueError("there is no emotion to draw")
    for label, windows in features.items():
        if windows.shape[1:] != (front_end.bands, front_end.frames):
            raise ValueError(
                f"features of {label} have the shape {windows.shape}, "
                f"not [n, {front_end.bands}, {front_end.frames}]"
            )
        check_rows(label, len(windows))
    columns = np.arange(0, front_end.frames, _FRAMES_A_COLUMN)
    widths = np.diff([*columns, front_end.frames])
    decibels = {}
    for label, windows in features.items():
        mean = np.add.reduceat(windows.mean(axis=0, dtype=np.float64), columns, axis=1) / widths
        decibels[label] = mean * front_end.unit_db + front_end.centre_db
    middle = np.mean(list(decibels.values()), axis=0)
    if relative:
        decibels = {label: mean - middle for label, mean in decibels.items()}
        limit = max(1.0, float(np.percentile(np.abs(list(decibels.values())), 99.5)))
        low, high = -limit, limit
        colors = ramp("#1b4ea8", "#8db4f2", "#fbfbfb", "#f3a871", "#b4430f", steps=_STEPS)
    else:
        low, high = (float(np.floor(middle.min())), float(np.ceil(np.max(list(decibels.values())))))
        colors = ramp("#0b1020", "#2a2a6e", "#8e3a8f", "#f0705f", "#ffd98a", steps=_STEPS)
    lines = -(-(len(features) + 1) // _COLUMNS)
    length_s = front_end.window_samples / front_end.rate_hz
    centers = band_centers_hz(front_end)
    ticks = np.interp(_TICKS_HZ, centers, np.arange(front_end.bands))
    with sheet(out, title, 1.45 * lines + 0.35, colors=_COLORS) as figure:
        grid = figure.subplots(lines, _COLUMNS, squeeze=False)
        shown = None
        for place, axes in enumerate(grid.ravel()):
            if place >= len(features):
                axes.set_axis_off()
                continue
            label = list(features)[place]
            shown = axes.imshow(
                decibels[label],
                colors,
                origin="lower",
                aspect="auto",
                vmin=low,
                vmax=high,
                extent=(0, length_s, -0.5, front_end.bands - 0.5),
                interpolation="bicubic",
                interpolation_stage="data",
            )
            axes.set_title(label, loc="left", color=INK, pad=4)
            axes.set_title(f"{len(features[label]):,}", loc="right", color=GRAY, size=8, pad=4)
            first, last = place % _COLUMNS == 0, place // _COLUMNS == lines - 1
            axes.set_yticks(ticks if first else [], _TICK_WORDS if first else [])
            axes.set_xticks(np.arange(int(length_s) + 1) if last else [])
            if first:
                axes.set_ylabel("Hz")
            if last:
                axes.set_xlabel("s")
            for spine in axes.spines.values():
                spine.set_visible(False)
        assert shown is not None
        spare = grid.ravel()[len(features)]
        bar = spare.inset_axes((0.02, 0.0, 0.07, 1.0))
        outline: Any = figure.colorbar(shown, cax=bar).outline
        outline.set_visible(False)
        bar.tick_params(length=2)
        words = "dB to the mean\nof all emotions" if relative else "dB to the\nloud frames"
        spare.text(0.42, 0.5, words, transform=spare.transAxes, va="center", size=8, color=GRAY)
