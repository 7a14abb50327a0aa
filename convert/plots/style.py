"""The look of the model cards' pictures: paper, type, colours, and how a sheet becomes a PNG."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from edge.emotions import COLORS
from edge.process.written_files import written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

Color = tuple[float, float, float]
"""Red, green, blue, each 0 to 1."""

INK: Final = "#1d2530"
GRAY: Final = "#66717f"
FAINT: Final = "#a9b2bd"
RULE: Final = "#e4e8ed"
SHADE: Final = "#f3f5f8"
PAPER: Final = "#ffffff"
ACCENT: Final = "#2b6cdf"
SERIES: Final = (ACCENT, "#e07b28", "#159a8c", "#8e4fd0", "#c43d6b", "#7a8694")
"""One for each line of a chart, told apart also by those who see red and green alike."""

WIDTH_IN: Final = 7.2
DPI: Final = 200
"""1440 px: twice what a page shows, so that it is sharp on fine displays too."""
SOFT_DPI: Final = 140
SOFT_COLORS: Final = 112
"""1008 px and few colours, for pictures of soft shades, which would become large files."""
_LINE_IN: Final = 0.19
"""Height of a line under the title."""

LEAST_ROWS: Final = 100
"""The data sets are not ours to show, and nobody in them was asked: pictures of them are drawn from
counts, and from means over no fewer rows than this."""

_FERPLUS: Final = {"happiness": "happy", "sadness": "sad", "anger": "angry"}
"""FER+ and Mien name three emotions differently."""
_CONTEMPT: Final = (0.60, 0.45, 0.25)
_OTHER: Final = (0.40, 0.44, 0.50)
"""FER+ knows contempt, which no display shows; anything else is grey."""

_STYLE: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters everywhere
    "font.size": 9,
    "text.color": INK,
    "text.hinting": "none",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": GRAY,
    "axes.labelsize": 8.5,
    "axes.titlesize": 9,
    "axes.facecolor": PAPER,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": GRAY,
    "ytick.labelcolor": GRAY,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": PAPER,
}


@contextmanager
def sheet(
    out: Path,
    title: str,
    body_in: float,
    *,
    dpi: int = DPI,
    colors: int = 255,
    pad_in: float = 0.08,
) -> Iterator["Figure"]:
    """A figure under a title, written to *out* as a PNG of `WIDTH_IN * dpi` pixels width.

    Args:
        out: the PNG.
        title: its first line is set large, further ones small and grey: what was measured, on
            which rows.
        body_in: height below the title in inches.
        dpi: dots an inch.
        colors: of the palette that is kept.
        pad_in: room around each panel in inches.

    Raises:
        ValueError: *title* is empty.
    """
    if not title.strip():
        raise ValueError("a picture needs a title that says what it shows")
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    heading, *lines = title.strip().split("\n")
    head_in = 0.42 + _LINE_IN * len(lines)
    height_in = head_in + body_in
    style: Any = _STYLE  # matplotlib's type for it lists every key that there is
    with rc_context(style):
        figure = Figure(figsize=(WIDTH_IN, height_in), dpi=dpi, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        engine: Any = figure.get_layout_engine()
        engine.set(w_pad=pad_in, h_pad=0.75 * pad_in, rect=(0, 0, 1, body_in / height_in))
        left = 0.12 / WIDTH_IN
        figure.text(
            left, 1 - 0.1 / height_in, heading, size=12, weight="bold", va="top", in_layout=False
        )
        for number, line in enumerate(lines):
            below = 1 - (0.36 + _LINE_IN * number) / height_in
            figure.text(left, below, line, size=8.5, color=GRAY, va="top", in_layout=False)
        yield figure
        buffer = io.BytesIO()
        canvas.print_png(buffer)
    # Without the time and the version that matplotlib notes, in few colours: small, and the same
    # bytes for the same data.
    picture = Image.open(buffer).convert("RGB").quantize(colors, kmeans=1)
    with written_whole(out) as stream:
        picture.save(stream, format="PNG", optimize=True)


def emotion_color(label: str) -> Color:
    """The display colour of an emotion, as ink; grey for a name of neither Mien nor FER+."""
    name = label.lower()
    if name == "contempt":
        return _CONTEMPT
    color = COLORS.get(_FERPLUS.get(name, name))
    if color is None:
        return _OTHER
    red, green, blue = color
    # What glows on a display is loud on paper.
    return mixed((red / 255, green / 255, blue / 255), _OTHER, 0.22)


def mixed(color: Color, other: Color, share: float) -> Color:
    """*color*, *share* of the way to *other*."""
    red, green, blue = (a + (b - a) * share for a, b in zip(color, other, strict=True))
    return red, green, blue


def ramp(*colors: str, steps: int = 256) -> "Colormap":
    """A colour map that runs evenly through *colors*."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("ramp", colors, N=steps)


def bare(axes: "Axes") -> None:
    """Take away ticks and frame: for pictures and tables."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def percent(value: float) -> str:
    """0.6547 -> "65.5 %"."""
    return f"{value * 100:.1f} %"


def check_rows(label: str, rows: int) -> None:
    """Refuse to average so few rows that the mean could show one of them.

    Raises:
        ValueError: *rows* is less than `LEAST_ROWS`.
    """
    if rows < LEAST_ROWS:
        raise ValueError(
            f"{label} has {rows} rows; a mean of fewer than {LEAST_ROWS} could show somebody"
        )
