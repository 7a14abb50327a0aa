import numpy as np
import pytest

from convert.metrics import calibration_error, fit_temperature, score, wilson
from edge.perception.probability import softmax


def test_balanced_accuracy_does_not_favor_the_large_class() -> None:
    truth = np.array([0] * 90 + [1] * 10)
    scores = score(truth, np.zeros(100, int), 3)
    assert scores.accuracy == pytest.approx(0.9)
    assert scores.balanced_accuracy == pytest.approx(0.5)
    assert np.isnan(scores.recall[2])
    assert scores.confusion.tolist() == [[90, 0, 0], [10, 0, 0], [0, 0, 0]]


def test_temperature_of_overconfident_logits_is_found() -> None:
    random = np.random.default_rng(0)
    honest = random.normal(0, 1.5, (4000, 7))
    truth = np.array([random.choice(7, p=row) for row in softmax(honest, 1.0)])
    loud = honest * 3
    temperature = fit_temperature(loud, truth)
    assert temperature == pytest.approx(3, rel=0.1)
    before = calibration_error(softmax(loud, 1.0), truth)
    after = calibration_error(softmax(loud, temperature), truth)
    assert after < 0.03 < before


@pytest.mark.parametrize(
    ("hits", "cases", "low", "high"),
    [(0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763), (10, 10, 0.722, 1.0), (0, 0, 0.0, 1.0)],
)
def test_a_share_comes_with_wilsons_interval(
    hits: int, cases: int, low: float, high: float
) -> None:
    assert wilson(hits, cases) == pytest.approx((low, high), abs=1e-3)
