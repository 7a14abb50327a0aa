from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")

from convert.voice.evaluate import (
    Answers,
    Tuning,
    accepted,
    answer_all,
    calibration_errors,
    emotion_scores,
    false_alarms,
    load_answers,
    save_answers,
    tune,
)
from edge.emotions import EMOTIONS
from edge.perception.probability import sigmoid
from tests.fakes.voice_corpora import DATA, RECIPE
from tests.fakes.voice_model import LoudestBand

ANGRY, NEUTRAL = EMOTIONS.index("angry"), EMOTIONS.index("neutral")


def logits_for(
    labels: list[int], sure: float = 4.0
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rows = np.zeros((len(labels), 7), np.float32)
    rows[np.arange(len(labels)), labels] = sure
    return rows


def noise(heard: list[float], shown: list[int], recording: list[int]) -> Answers:
    return Answers(
        np.full(len(heard), -1),
        np.array(recording),
        logits_for(shown),
        np.array(heard, np.float32),
    )


def voice() -> Answers:
    every = list(range(7))
    return Answers(np.array(every), np.array(every), logits_for(every), np.full(7, 9, np.float32))


def test_a_recording_alarms_once_however_many_of_its_windows_do() -> None:
    tuning = Tuning(1.0, 0.7)
    answers = noise([3, 3, 3, -3, 3, -3], [0, 0, 0, 0, NEUTRAL, 0], [0, 0, 0, 1, 2, 3])
    assert false_alarms(answers, tuning) == (0.25, 0.5)


def test_noise_that_is_read_as_neutral_or_not_heard_is_no_alarm() -> None:
    answers = noise([3, -3], [NEUTRAL, ANGRY], [0, 1])
    assert false_alarms(answers, Tuning(1.0, 0.7)) == (0, 0)


def test_no_validation_noise_passes_the_threshold_and_it_is_no_higher_than_needed() -> None:
    heard = np.random.default_rng(0).normal(-1, 1, 300).astype(np.float32)
    silent = noise(heard.tolist(), [0] * 300, list(range(300)))
    threshold = tune({"validation": voice(), "noise validation": silent}).threshold
    loudest = sigmoid(heard).max()
    assert loudest < threshold <= loudest + 0.002


@pytest.mark.parametrize(("logit", "least", "most"), [(-6.0, 0.5, 0.5), (30.0, 0.99, 0.99)])
def test_the_threshold_stays_within_reason(logit: float, least: float, most: float) -> None:
    silent = noise([logit] * 20, [0] * 20, list(range(20)))
    assert least <= tune({"validation": voice(), "noise validation": silent}).threshold <= most


def test_temperature_is_that_of_the_validation_actors_and_mends_overconfidence() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(7, size=400)
    guess = np.where(random.random(400) < 0.6, truth, random.integers(7, size=400))
    answers = Answers(
        truth, np.arange(400), logits_for(guess.tolist(), 9.0), np.ones(400, np.float32)
    )
    tuning = tune({"validation": answers, "noise validation": noise([-5], [0], [0])})
    before, after = calibration_errors(answers, tuning.temperature)
    assert before > 0.25
    assert after < 0.03
    assert emotion_scores(answers).accuracy == pytest.approx((truth == guess).mean())


def test_what_is_accepted_is_at_or_over_the_threshold() -> None:
    answers = noise([-1, 0, 1, 2], [0] * 4, [0] * 4)
    assert accepted(answers, Tuning(1.0, 0.5)) == 0.75


def test_answers_come_back_as_they_were_kept(tmp_path: Path) -> None:
    kept = {"test": noise([1, 2], [0, 1], [0, 0]), "noise validation": noise([3], [2], [0])}
    save_answers(kept, tmp_path / "a.npz")
    loaded = load_answers(tmp_path / "a.npz")
    assert list(loaded) == ["test", "noise validation"]
    np.testing.assert_array_equal(loaded["test"].emotions, kept["test"].emotions)
    np.testing.assert_array_equal(loaded["noise validation"].heard, [3])


def test_every_set_is_asked_about_with_its_own_labels(tmp_path: Path) -> None:
    answers = answer_all(LoudestBand(), DATA, RECIPE, tmp_path)  # type: ignore[arg-type]
    assert list(answers) == [
        "validation",
        "noise validation",
        "test",
        "test noisy",
        "noise",
        "nemo",
    ]
    for name in ("validation", "test", "test noisy"):
        assert np.bincount(answers[name].truth).tolist() == [2] * 7
    assert (answers["noise"].truth == -1).all()
    assert len(answers["nemo"].truth) == 12
    # tones of higher labels are louder in higher bands
    tones = answers["test"]
    assert np.corrcoef(tones.truth, tones.emotions.argmax(axis=1))[0, 1] > 0.8
