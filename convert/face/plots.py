"""Pictures of faces for the model card: means over many, never one of the data set's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convert.face.data import FaceData
from convert.plots.style import (
    GRAY,
    INK,
    SOFT_COLORS,
    SOFT_DPI,
    bare,
    check_rows,
    ramp,
    sheet,
)
from edge.emotions import EMOTIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

_COLUMNS: Final = 4
_LEVELS: Final = (0.5, 0.7, 0.85, 1.001)
_VEILS: Final = ((1.0, 0.5, 0.1, 0.2), (1.0, 0.5, 0.1, 0.42), (1.0, 0.5, 0.1, 0.68))
"""Evidence, least 0 and most 1, from which an area is tinted, and how strongly."""
_MAP_DPI: Final = 120
_MAP_COLORS: Final = 96
_FINER: Final = 4
"""Points a pixel, for smooth lines."""


@dataclass(frozen=True, eq=False)
class MeanFace:
    """What the pictures of one emotion have in common."""

    mean: NDArray[np.float32]
    """Grey 0 to 255, shape [48, 48]."""
    deviation: NDArray[np.float32]
    """Standard deviation of each pixel, shape [48, 48]."""
    rows: int
    images: int
    """Different ones among the rows; each counts once."""


def mean_faces(data: FaceData, split: str = "Training") -> dict[str, MeanFace]:
    """Mean and deviation of the pictures of each emotion in *split*, by FER2013 label.

    Raises:
        ValueError: an emotion has fewer than `LEAST_ROWS` different pictures.
    """
    rows, faces = data.rows(split), {}
    for number, label in enumerate(EMOTIONS):
        own = rows[data.label[rows] == number]
        pixels = np.unique(data.pixels[own], axis=0).astype(np.float32)
        check_rows(label, len(pixels))
        faces[label] = MeanFace(pixels.mean(axis=0), pixels.std(axis=0), len(own), len(pixels))
    return faces


def draw_mean_faces(data: FaceData, out: Path, title: str | None = None) -> None:
    """The sample sheet: mean and standard deviation of each emotion's training pictures.

    Raises:
        ValueError: an emotion has fewer than `LEAST_ROWS` different pictures.
    """
    faces = mean_faces(data)
    title = title or (
        "What the training faces have in common\nFER2013 Training by FER2013 label: mean picture, "
        "and how much each pixel varies (bright: much)"
    )
    least, most = _range([face.mean for face in faces.values()])
    least_varied, most_varied = _range([face.deviation for face in faces.values()])
    with sheet(out, title, 2.62, dpi=SOFT_DPI, colors=SOFT_COLORS, pad_in=0.04) as figure:
        grid = figure.subplots(2, len(EMOTIONS))
        for (upper, lower), (label, face) in zip(grid.T, faces.items(), strict=True):
            upper.imshow(face.mean, "gray", vmin=least, vmax=most, interpolation="bilinear")
            lower.imshow(
                face.deviation,
                ramp("#0d1a33", "#2b6cdf", "#f4f8ff"),
                vmin=least_varied,
                vmax=most_varied,
                interpolation="bilinear",
            )
            upper.set_title(label, color=INK, pad=5)
            lower.set_xlabel(f"{face.rows:,} rows\n{face.images:,} different", labelpad=5, size=8)
            for axes in (upper, lower):
                bare(axes)


def draw_class_maps(
    maps: Mapping[str, NDArray[np.floating[Any]]],
    faces: Mapping[str, MeanFace],
    out: Path,
    title: str,
) -> None:
    """Where the net looks: the mean class-activation map of each emotion over its mean face.

    Args:
        maps: emotion -> float [n, h, w], the map of that class for each of its rows.
        faces: of the same emotions, from `mean_faces`; no picture of the data set is needed.
        out: the PNG.
        title: its further lines are set small.

    Raises:
        ValueError: nothing to draw, no mean face of an emotion, or arrays of another shape.
    """
    if not maps:
        raise ValueError("there is no map to draw")
    for label, of_class in maps.items():
        if label not in faces:
            raise ValueError(f"there is no mean face of {label}")
        if of_class.ndim != 3 or of_class.size == 0:
            raise ValueError(f"maps of {label} have the shape {of_class.shape}, not [n, h, w]")
    least, most = _range([faces[label].mean for label in maps])
    means = {label: of_class.mean(axis=0) for label, of_class in maps.items()}
    lines = -(-(len(maps) + 1) // _COLUMNS)
    with sheet(out, title, 2.05 * lines, dpi=_MAP_DPI, colors=_MAP_COLORS) as figure:
        grid = figure.subplots(lines, _COLUMNS, squeeze=False).ravel()
        for axes in grid[len(maps) :]:
            axes.set_axis_off()
        for axes, (label, mean) in zip(grid, means.items(), strict=False):
            face = faces[label].mean
            high, wide = face.shape
            box = (-0.5, wide - 0.5, high - 0.5, -0.5)
            axes.imshow(
                face,
                _pale(),
                vmin=least,
                vmax=most,
                interpolation="bilinear",
                interpolation_stage="data",
                extent=box,
            )
            fine = Image.fromarray(mean.astype(np.float32)).resize(
                (wide * _FINER, high * _FINER), Image.Resampling.BICUBIC
            )
            evidence = np.array(fine)
            evidence -= evidence.min()
            x = (np.arange(wide * _FINER) + 0.5) / _FINER - 0.5
            y = (np.arange(high * _FINER) + 0.5) / _FINER - 0.5
            if (most_evidence := float(evidence.max())) > 0:
                evidence /= most_evidence
                axes.contourf(x, y, evidence, _LEVELS, colors=_VEILS)
                axes.contour(x, y, evidence, _LEVELS[:-1], colors="#c8500a", linewidths=0.9)
            axes.set_title(label, loc="left", color=INK, pad=4)
            axes.set_title(f"{len(maps[label]):,} rows", loc="right", color=GRAY, size=8, pad=4)
            bare(axes)
            axes.set_xlim(-0.5, wide - 0.5)
            axes.set_ylim(high - 0.5, -0.5)
        _draw_scale(grid[len(maps)])


def _range(images: list[NDArray[np.float32]]) -> tuple[float, float]:
    return min(float(each.min()) for each in images), max(float(each.max()) for each in images)


def _pale() -> "Colormap":
    """Greys that leave room for a tint on top."""
    return ramp("#4a4f57", "#ffffff")


def _draw_scale(axes: "Axes") -> None:
    """Say what the tints mean, in a place that is left over."""
    axes.set_xlim(0, 1)
    axes.set_ylim(1, 0)
    axes.text(0.08, 0.3, "evidence for\nthe emotion", va="bottom", size=8.5, color=INK)
    for index, (veil, low) in enumerate(zip(_VEILS, _LEVELS, strict=False)):
        y = 0.42 + 0.14 * index
        axes.scatter([0.13], [y], 90, "#b8bcc2", marker="s")
        axes.scatter([0.13], [y], 90, [veil], marker="s", edgecolor="#c8500a", linewidth=0.9)
        axes.text(
            0.22,
            y,
            f"over {low * 100:.0f} % of the most",
            va="center",
            size=8,
            color=GRAY,
        )
