from typing import Any

import numpy as np
import pytest

from convert.studies import calibration as study
from convert.studies.calibration import NEUTRALS, Speaker, effect, run_filter
from edge.calibration import prior
from edge.emotions import EMOTIONS
from edge.fusion import FusionOptions

NEUTRAL, SAD = EMOTIONS.index("neutral"), EMOTIONS.index("sad")
OPTIONS = FusionOptions(voice_weight=0.6)


def speaker(rests_as: int, neutral: int = 10) -> Speaker:
    """Every emotion reads as itself, and neutral more as *rests_as* than as neutral."""
    labels = np.repeat(np.arange(7), [6] * 6 + [neutral])
    readings = np.full((len(labels), 7), 0.04)
    readings[np.arange(len(labels)), labels] = 0.76
    resting = np.full(7, 0.04)
    resting[NEUTRAL] += 0.1
    resting[rests_as] += 0.62
    readings[labels == NEUTRAL] = resting
    return Speaker("somebody", readings, labels)


def test_somebody_who_sounds_sad_at_rest_is_read_as_neutral_afterwards() -> None:
    for before, after in effect(speaker(SAD), OPTIONS, 2.0, draws=3):
        assert before.false == 1
        assert after.false == 0
        assert after.balanced > before.balanced
        assert after.surprise < before.surprise


def test_strength_zero_changes_nothing() -> None:
    for before, after in effect(speaker(SAD), OPTIONS, 0.0, draws=2):
        assert after == before


def test_recordings_that_were_calibrated_with_are_never_scored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known: list[int] = []
    scored: list[int] = []
    real_metrics = study._metrics

    def baseline_of(probabilities: Any, weights_s: Any, model: str) -> Any:
        known.append(len(probabilities))
        return prior.baseline_of(probabilities, weights_s, model)

    def metrics(outcomes: Any, truth: Any) -> Any:
        scored.append(int((truth == NEUTRAL).sum()))
        return real_metrics(outcomes, truth)

    monkeypatch.setattr(study, "baseline_of", baseline_of)
    monkeypatch.setattr(study, "_metrics", metrics)
    effect(speaker(SAD, neutral=9), OPTIONS, 1.0, draws=2)
    assert known == [NEUTRALS, NEUTRALS]
    assert scored == [9 - NEUTRALS] * 4


def test_draws_are_the_same_every_time() -> None:
    somebody = speaker(SAD)
    mixed = somebody.probabilities.copy()
    rows = np.flatnonzero(somebody.labels == NEUTRAL)
    mixed[rows[::2]] = np.roll(mixed[rows[::2]], 1, axis=1)
    varied = Speaker("somebody", mixed, somebody.labels)
    assert effect(varied, OPTIONS, 1.0, draws=3) == effect(varied, OPTIONS, 1.0, draws=3)


def test_speaker_with_hardly_any_neutral_recordings_is_refused() -> None:
    with pytest.raises(ValueError, match="only 3 neutral clips"):
        effect(speaker(SAD, neutral=3), OPTIONS, 1.0)


def test_three_seconds_of_one_tone_are_heard_as_that() -> None:
    tone = np.full(7, 0.02)
    tone[SAD] = 0.88
    outcome = run_filter(OPTIONS, tone)
    assert outcome.shown == "sad"
    assert outcome.belief.argmax() == SAD
