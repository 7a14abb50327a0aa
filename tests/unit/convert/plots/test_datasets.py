from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from convert.plots.datasets import draw_class_counts, draw_mean_spectrograms
from convert.plots.style import LEAST_ROWS
from edge.perception.spectrogram import FrontEnd
from tests.fakes.drawing import TITLE, Draw, check_drawing, check_refusal, shade

SMALL = FrontEnd(window_samples=6_400, bands=8)


def voices(level: float) -> dict[str, Any]:
    rows = np.full((LEAST_ROWS, SMALL.bands, SMALL.frames), -1.0)
    return {"sad": rows, "happy": rows + level * np.linspace(0, 1, SMALL.frames)}


def test_draws_how_many_rows_each_class_has(tmp_path: Path) -> None:
    one, other = (
        {"Training": {"sad": 90, "happy": rows}, "PublicTest": {"sad": 9}} for rows in (40, 50)
    )
    check_drawing(draw_class_counts, one, other, tmp_path, title=TITLE)


def test_draws_the_mean_spectrogram_of_each_emotion(tmp_path: Path) -> None:
    one, other = voices(1.0), voices(2.0)
    check_drawing(draw_mean_spectrograms, one, other, tmp_path, title=TITLE, front_end=SMALL)


def test_draws_how_an_emotion_differs_from_the_mean_of_all(tmp_path: Path) -> None:
    rows = np.full((LEAST_ROWS, SMALL.bands, SMALL.frames), 0.0)
    voices = {"sad": rows - 1, "happy": rows + 1}
    draw_mean_spectrograms(voices, tmp_path / "out.png", TITLE, front_end=SMALL, relative=True)
    sad, happy = (shade(tmp_path / "out.png", across, 0.5) for across in (0.2, 0.42))
    assert sad[2] > sad[0] + 50  # blue: quieter
    assert happy[0] > happy[2] + 50  # orange: louder


def test_never_averages_so_few_voices_that_one_could_be_recognized(tmp_path: Path) -> None:
    few = {label: rows[:-1] for label, rows in voices(1.0).items()}
    with pytest.raises(ValueError, match="sad has 99 rows"):
        draw_mean_spectrograms(few, tmp_path / "out.png", TITLE, front_end=SMALL)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda out: draw_class_counts({}, out, TITLE), "not 0"),
        (lambda out: draw_class_counts({"Training": {"sad": 0}}, out, TITLE), "above zero"),
        (lambda out: draw_mean_spectrograms({}, out, TITLE), "no emotion"),
        (lambda out: draw_mean_spectrograms(voices(1.0), out, TITLE), r"not \[n, 64, 149\]"),
    ],
)
def test_refuses_what_cannot_be_drawn(draw: Draw, words: str, tmp_path: Path) -> None:
    check_refusal(draw, words, tmp_path)
