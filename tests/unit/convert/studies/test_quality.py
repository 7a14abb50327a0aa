"""What frames are spoiled by, and the curve that says how far readings can be trusted then."""

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("torch")
pytest.importorskip("tqdm")

from convert.studies.quality import (
    CONDITIONS,
    Reads,
    blurred,
    covered,
    darker,
    fit_curve,
    smaller,
)
from convert.studies.strangers import frame_of

FRAME = frame_of(np.random.default_rng(0).integers(60, 200, (96, 96)).astype(np.uint8))
RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_gives_a_frame_of_the_same_size(name: str) -> None:
    frame = FRAME
    for change in CONDITIONS[name]:
        frame = change(frame, RANDOM)
    assert frame.shape == FRAME.shape and frame.dtype == np.uint8
    assert (name == "as they are") == np.array_equal(frame, FRAME)


def test_what_is_done_to_a_frame_is_what_it_says() -> None:
    assert darker(0.05)(FRAME, RANDOM).mean() == pytest.approx(FRAME.mean() * 0.05, rel=0.1)
    middle = np.s_[144:336, 224:416]
    assert blurred(8.0)(FRAME, RANDOM)[middle].std() < 0.5 * FRAME[middle].std()
    masked = covered("mask")(FRAME, RANDOM)
    changed = np.abs(masked.astype(int) - FRAME).max(axis=2) > 10
    assert changed[middle][96:].mean() > 0.3 and changed[:130].mean() == 0
    far = np.zeros_like(FRAME)
    far[200:280, 280:360] = 255
    assert (smaller(0.25)(far, RANDOM) > 128).sum() == pytest.approx((far > 0).sum() / 16, rel=0.2)


def test_curve_finds_what_spoils_readings_and_holds_nothing_good_against_them() -> None:
    random = np.random.default_rng(2)
    known = random.random((4000, 7))
    truth = random.integers(0, 7, 4000)
    holds = random.random(4000) < 1 / (1 + np.exp(-(8 * known[:, 3] - 4)))
    said = np.where(holds, truth, random.integers(0, 7, 4000))
    probabilities = np.full((4000, 7), 0.1 / 6)
    probabilities[np.arange(4000), said] = 0.9
    reads = Reads(known, probabilities, truth, np.full(4000, "one"))
    curve = fit_curve(reads, np.ones(4000, bool))
    assert curve.weights.argmax() == 3 and curve.weights.min() >= 0
    assert curve.weights[3] == pytest.approx(8, rel=0.35)
    assert np.delete(curve.weights, 3).max() < 2
    low, high = curve.of(np.array([[0.5] * 3 + [each] + [0.5] * 3 for each in (0.0, 1.0)]))
    assert low < 0.2 and high > 0.8
