from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from convert.plots.confusion import draw_confusion, draw_reliability
from tests.fakes.drawing import TITLE, Draw, check_drawing, check_refusal


def certainty(sure: float) -> dict[str, tuple[Any, Any]]:
    probabilities = np.tile([sure, 1 - sure], (40, 1))
    return {"temperature 1": (probabilities, np.repeat([0, 1], 20))}


def test_draws_what_is_taken_for_what(tmp_path: Path) -> None:
    one, other = np.array([[8, 2], [0, 9]]), np.array([[8, 2], [1, 8]])
    check_drawing(draw_confusion, one, other, tmp_path, labels=["sad", "happy"], title=TITLE)


def test_draws_how_far_probabilities_can_be_trusted(tmp_path: Path) -> None:
    check_drawing(draw_reliability, certainty(0.7), certainty(0.9), tmp_path, title=TITLE)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda out: draw_confusion(np.zeros((2, 2), int), ["a", "b"], out, TITLE), "counts"),
        (lambda out: draw_confusion(np.ones((3, 3), int), ["a", "b"], out, TITLE), "do not fit"),
        (lambda out: draw_reliability({}, out, TITLE), "no curve"),
        (
            lambda out: draw_reliability({"x": (np.ones((2, 7)), np.zeros(3, int))}, out, TITLE),
            "x: .*do not fit",
        ),
    ],
)
def test_refuses_what_cannot_be_drawn(draw: Draw, words: str, tmp_path: Path) -> None:
    check_refusal(draw, words, tmp_path)
