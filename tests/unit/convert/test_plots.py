from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")

from convert.face.data import FaceData
from convert.face.plots import MeanFace, draw_class_maps, draw_mean_faces, mean_faces
from convert.plots.comparisons import asides, draw_fold_bars, draw_search
from convert.plots.confusion import draw_confusion, draw_reliability
from convert.plots.curves import draw_curves
from convert.plots.datasets import draw_class_counts, draw_mean_spectrograms
from convert.plots.style import (
    DPI,
    LEAST_ROWS,
    SOFT_DPI,
    WIDTH_IN,
    emotion_color,
    sheet,
)
from edge.emotions import COLOURS, EMOTIONS
from edge.perception.spectrogram import FrontEnd

TITLE = "What it shows\nwhich rows, which labels"
SMALL = FrontEnd(window_samples=6_400, bands=8)


@dataclass(frozen=True)
class Shape:
    name: str
    parameters: int
    macs: int
    fer2013: float
    ferplus: float


def history(last: float) -> list[dict[str, float]]:
    return [
        {"epoch": 1.0, "loss": 2.0, "fer2013": 0.3, "ferplus": 0.5},
        {"epoch": 2.0, "loss": 1.5, "fer2013": last, "ferplus": 0.7},
    ]


def certainty(sure: float) -> dict[str, tuple[Any, Any]]:
    probabilities = np.tile([sure, 1 - sure], (40, 1))
    return {"temperature 1": (probabilities, np.repeat([0, 1], 20))}


def shapes(best: float) -> list[Shape]:
    return [
        Shape("narrow", 380_000, 28_000_000, 0.55, 0.72),
        Shape("middle", 680_000, 48_000_000, best, 0.75),
    ]


def voices(level: float) -> dict[str, Any]:
    rows = np.full((LEAST_ROWS, SMALL.bands, SMALL.frames), -1.0)
    return {"sad": rows, "happy": rows + level * np.linspace(0, 1, SMALL.frames)}


def averages() -> dict[str, MeanFace]:
    gray = np.add.outer(np.arange(48.0), np.arange(48.0)).astype(np.float32)
    return {label: MeanFace(gray, gray, 200, 190) for label in EMOTIONS}


def maps(column: int) -> dict[str, Any]:
    evidence = np.zeros((3, 6, 6))
    evidence[:, 3, column] = 1.0
    return {"happy": evidence, "neutral": evidence}


def faces(rows_of_disgust: int = LEAST_ROWS, shade: int = 0) -> FaceData:
    counts = [rows_of_disgust if label == "disgust" else LEAST_ROWS for label in EMOTIONS]
    label = np.repeat(np.arange(len(EMOTIONS)), counts)
    slope = np.add.outer(np.arange(48), np.arange(48))
    pixels = (np.concatenate([np.arange(n) for n in counts])[:, None, None] + slope).astype(
        np.uint8
    )
    pixels[label == EMOTIONS.index("happy"), :24] += np.uint8(shade)
    return FaceData(
        pixels,
        label,
        np.zeros(len(label), np.uint8),
        np.zeros((len(label), 10), np.float32),
        np.full(len(label), -1),
        np.zeros(len(label), bool),
    )


Draw = Callable[[Any, Path], None]
CASES: dict[str, tuple[Draw, Any, Any, int]] = {
    "curves": (lambda data, out: draw_curves(data, out, TITLE), history(0.5), history(0.6), DPI),
    "confusion": (
        lambda data, out: draw_confusion(data, ["sad", "happy"], out, TITLE),
        np.array([[8, 2], [0, 9]]),
        np.array([[8, 2], [1, 8]]),
        DPI,
    ),
    "reliability": (
        lambda data, out: draw_reliability(data, out, TITLE),
        certainty(0.7),
        certainty(0.9),
        DPI,
    ),
    "counts": (
        lambda data, out: draw_class_counts(data, out, TITLE),
        {"Training": {"sad": 90, "happy": 40}, "PublicTest": {"sad": 9}},
        {"Training": {"sad": 90, "happy": 50}, "PublicTest": {"sad": 9}},
        DPI,
    ),
    "search": (
        lambda data, out: draw_search(data, "middle", out, TITLE),
        shapes(0.57),
        shapes(0.6),
        DPI,
    ),
    "folds": (
        lambda data, out: draw_fold_bars(data, 0.62, out, TITLE, chance=1 / 7),
        {"actors 01, 06": 0.6, "actors 02, 07": 0.65},
        {"actors 01, 06": 0.6, "actors 02, 07": 0.7},
        DPI,
    ),
    "faces": (lambda data, out: draw_mean_faces(data, out), faces(), faces(shade=40), SOFT_DPI),
    "maps": (
        lambda data, out: draw_class_maps(data, averages(), out, TITLE),
        maps(1),
        maps(4),
        120,
    ),
    "spectrograms": (
        lambda data, out: draw_mean_spectrograms(data, out, TITLE, front_end=SMALL),
        voices(1.0),
        voices(2.0),
        DPI,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_draws_a_light_page_wide_picture_that_changes_with_its_data(
    case: str, tmp_path: Path
) -> None:
    draw, data, other, dpi = CASES[case]
    draw(data, tmp_path / "one.png")
    draw(other, tmp_path / "other.png")
    one = (tmp_path / "one.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.format == "PNG"
        assert picture.width == round(WIDTH_IN * dpi)
        assert 0.2 < picture.height / picture.width < 1.2
        assert picture.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    assert len(one) < 80_000
    assert one != (tmp_path / "other.png").read_bytes()


def shade(file: Path, across: float, down: float) -> Any:
    with Image.open(file) as picture:
        place = (round(across * picture.width), round(down * picture.height))
        return picture.convert("RGB").getpixel(place)


def test_shades_the_epochs_in_which_the_rate_falls(tmp_path: Path) -> None:
    epochs = [{"epoch": float(number), "loss": 1.0} for number in range(1, 11)]
    draw_curves(epochs, tmp_path / "out.png", TITLE, falling_epochs=5)
    assert shade(tmp_path / "out.png", 0.3, 0.4) == (255, 255, 255)
    assert sum(shade(tmp_path / "out.png", 0.7, 0.4)) < 3 * 250


def test_draws_how_an_emotion_differs_from_the_mean_of_all(tmp_path: Path) -> None:
    rows = np.full((LEAST_ROWS, SMALL.bands, SMALL.frames), 0.0)
    voices = {"sad": rows - 1, "happy": rows + 1}
    draw_mean_spectrograms(voices, tmp_path / "out.png", TITLE, front_end=SMALL, relative=True)
    sad, happy = (shade(tmp_path / "out.png", across, 0.5) for across in (0.2, 0.42))
    assert sad[2] > sad[0] + 50  # blue: quieter
    assert happy[0] > happy[2] + 50  # orange: louder


def test_draws_the_same_bytes_for_the_same_data_and_notes_nothing_in_them(tmp_path: Path) -> None:
    for name in ("one.png", "again.png"):
        draw_fold_bars({"a": 0.5}, 0.5, tmp_path / name, TITLE)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        assert not picture.info.keys() - {"transparency"}


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda out: draw_curves([], out, TITLE), "no epoch"),
        (lambda out: draw_curves([*history(0.5), {"epoch": 3, "loss": 1}], out, TITLE), "fer2013"),
        (lambda out: draw_curves(history(1.5), out, TITLE), "no accuracy"),
        (lambda out: draw_confusion(np.zeros((2, 2), int), ["a", "b"], out, TITLE), "counts"),
        (lambda out: draw_confusion(np.ones((3, 3), int), ["a", "b"], out, TITLE), "do not fit"),
        (lambda out: draw_reliability({}, out, TITLE), "no curve"),
        (
            lambda out: draw_reliability({"x": (np.ones((2, 7)), np.zeros(3, int))}, out, TITLE),
            "x: .*do not fit",
        ),
        (lambda out: draw_class_counts({}, out, TITLE), "not 0"),
        (lambda out: draw_class_counts({"Training": {"sad": 0}}, out, TITLE), "above zero"),
        (lambda out: draw_search([], "middle", out, TITLE), "none of the 0"),
        (lambda out: draw_search(shapes(0.5), "widest", out, TITLE), "'widest'"),
        (lambda out: draw_fold_bars({}, 0.5, out, TITLE), "no fold"),
        (lambda out: draw_fold_bars({"a": 65.0}, 0.65, out, TITLE), "0 to 1"),
        (lambda out: draw_class_maps({}, averages(), out, TITLE), "no map"),
        (lambda out: draw_class_maps(maps(1), {}, out, TITLE), "mean face of happy"),
        (
            lambda out: draw_class_maps({"sad": np.zeros((0, 6, 6))}, averages(), out, TITLE),
            r"\(0, 6, 6\)",
        ),
        (lambda out: draw_mean_spectrograms({}, out, TITLE), "no emotion"),
        (lambda out: draw_mean_spectrograms(voices(1.0), out, TITLE), r"not \[n, 64, 149\]"),
        (lambda out: draw_fold_bars({"a": 0.5}, 0.5, out, " "), "title"),
    ],
)
def test_refuses_what_cannot_be_drawn_and_writes_nothing(
    draw: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=words):
        draw(tmp_path / "out.png")
    assert not list(tmp_path.iterdir())


def test_never_averages_so_few_images_that_one_could_be_recognized(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="disgust has 99 rows"):
        draw_mean_faces(faces(rows_of_disgust=99), tmp_path / "out.png")
    few = {label: rows[:-1] for label, rows in voices(1.0).items()}
    with pytest.raises(ValueError, match="sad has 99 rows"):
        draw_mean_spectrograms(few, tmp_path / "out.png", TITLE, front_end=SMALL)
    assert not list(tmp_path.iterdir())


def test_counts_copies_of_a_picture_once() -> None:
    data = faces(rows_of_disgust=LEAST_ROWS + 50)
    own = np.flatnonzero(data.label == EMOTIONS.index("disgust"))
    different = data.pixels[own[:LEAST_ROWS]].astype(np.float64)
    data.pixels[own[LEAST_ROWS:]] = data.pixels[own[0]]
    face = mean_faces(data)["disgust"]
    assert (face.rows, face.pictures) == (LEAST_ROWS + 50, LEAST_ROWS)
    np.testing.assert_allclose(face.mean, different.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(face.deviation, different.std(axis=0), atol=1e-3)
    data.pixels[own] = data.pixels[own[0]]
    with pytest.raises(ValueError, match="disgust has 1 rows"):
        mean_faces(data)


def test_draws_a_net_that_looks_everywhere_alike_without_complaint(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    draw_class_maps({"sad": np.ones((2, 6, 6))}, averages(), tmp_path / "out.png", TITLE)
    assert (tmp_path / "out.png").is_file()
    assert not recwarn.list


def test_makes_room_for_further_lines_of_the_title(tmp_path: Path) -> None:
    for name, title in (("one.png", "One"), ("three.png", "One\ntwo\nthree")):
        with sheet(tmp_path / name, title, 1.0) as figure:
            figure.subplots()
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "three.png") as three:
        assert three.height > one.height + 40
        assert three.width == one.width == WIDTH_IN * DPI


def test_colors_an_emotion_alike_by_either_name_and_unlike_any_other() -> None:
    assert emotion_color("happiness") == emotion_color("happy")
    named = {emotion_color(label) for label in (*COLOURS, "contempt", "unknown")}
    assert len(named) == len(COLOURS) + 2


def test_numbers_of_discs_that_cover_each_other_stand_apart() -> None:
    xs, ys = np.array([0.30, 0.31, 0.33, 0.60]), np.array([0.2, 0.21, 0.8, 0.2])
    left, right, above, far = asides(xs, ys)
    assert left < 0 < right
    assert above == far == 0
