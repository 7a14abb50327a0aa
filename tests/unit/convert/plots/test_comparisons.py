from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from convert.plots.comparisons import asides, draw_fold_bars, draw_search
from tests.fakes.drawing import TITLE, Draw, check_drawing, check_refusal


@dataclass(frozen=True)
class Shape:
    name: str
    parameters: int
    macs: int
    fer2013: float
    ferplus: float


def shapes(best: float) -> list[Shape]:
    return [
        Shape("narrow", 380_000, 28_000_000, 0.55, 0.72),
        Shape("middle", 680_000, 48_000_000, best, 0.75),
    ]


def test_draws_accuracy_against_work(tmp_path: Path) -> None:
    one, other = shapes(0.57), shapes(0.6)
    check_drawing(draw_search, one, other, tmp_path, chosen="middle", title=TITLE)


def test_draws_how_much_folds_differ(tmp_path: Path) -> None:
    one, other = ({"actors 01, 06": 0.6, "actors 02, 07": share} for share in (0.65, 0.7))
    check_drawing(draw_fold_bars, one, other, tmp_path, pooled=0.62, title=TITLE, chance=1 / 7)


def test_numbers_of_discs_that_cover_each_other_stand_apart() -> None:
    xs, ys = np.array([0.30, 0.31, 0.33, 0.60]), np.array([0.2, 0.21, 0.8, 0.2])
    left, right, above, far = asides(xs, ys)
    assert left < 0 < right
    assert above == far == 0


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda out: draw_search([], "middle", out, TITLE), "none of the 0"),
        (lambda out: draw_search(shapes(0.5), "widest", out, TITLE), "'widest'"),
        (lambda out: draw_fold_bars({}, 0.5, out, TITLE), "no fold"),
        (lambda out: draw_fold_bars({"a": 65.0}, 0.65, out, TITLE), "0 to 1"),
    ],
)
def test_refuses_what_cannot_be_drawn(draw: Draw, words: str, tmp_path: Path) -> None:
    check_refusal(draw, words, tmp_path)
