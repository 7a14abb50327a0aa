from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from convert.plots.curves import draw_curves
from tests.fakes.drawing import TITLE, Draw, check_drawing, check_refusal, shade


def history(last: float) -> list[dict[str, float]]:
    return [
        {"epoch": 1.0, "loss": 2.0, "fer2013": 0.3, "ferplus": 0.5},
        {"epoch": 2.0, "loss": 1.5, "fer2013": last, "ferplus": 0.7},
    ]


def test_draws_each_epoch(tmp_path: Path) -> None:
    check_drawing(draw_curves, history(0.5), history(0.6), tmp_path, title=TITLE)


def test_shades_the_epochs_in_which_the_rate_falls(tmp_path: Path) -> None:
    epochs = [{"epoch": float(number), "loss": 1.0} for number in range(1, 11)]
    draw_curves(epochs, tmp_path / "out.png", TITLE, falling_epochs=5)
    assert shade(tmp_path / "out.png", 0.3, 0.4) == (255, 255, 255)
    assert sum(shade(tmp_path / "out.png", 0.7, 0.4)) < 3 * 250


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda out: draw_curves([], out, TITLE), "no epoch"),
        (lambda out: draw_curves([*history(0.5), {"epoch": 3, "loss": 1}], out, TITLE), "fer2013"),
        (lambda out: draw_curves(history(1.5), out, TITLE), "no accuracy"),
    ],
)
def test_refuses_what_cannot_be_drawn(draw: Draw, words: str, tmp_path: Path) -> None:
    check_refusal(draw, words, tmp_path)
