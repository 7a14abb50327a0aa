"""What an int8 voice model says of validation and test windows, and its metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.metrics import (
    Labels,
    Scores,
    calibration_error,
    fit_temperature,
    score,
)
from convert.training.recipe import VoiceRecipe
from convert.voice.data import VoiceData
from convert.voice.mix import Features
from convert.voice.runner import VoiceRunner
from convert.voice.splits import load_split, noise_windows, noisy_features
from edge.emotions import EMOTIONS
from edge.perception.probability import sigmoid, softmax
from edge.process.written_files import written_whole

NOISY_SNR_DB = 10.0
_NEUTRAL = EMOTIONS.index("neutral")
_NO_LABEL = -1
_THRESHOLDS = (0.5, 0.99)
"""However clear the validation noise is, the threshold stays between these."""
_FIELDS = ("truth", "recording", "emotions", "heard")


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model says of n windows."""

    truth: Labels
    """Shape [n]; -1 for background."""
    recording: Labels
    """Shape [n]: which recording the window was cut from."""
    emotions: NDArray[np.float32]
    """Logits [n, 7]."""
    heard: NDArray[np.float32]
    """Logits [n]."""


@dataclass(frozen=True)
class Tuning:
    """What the validation actors and noise decide."""

    temperature: float
    threshold: float
    """Least probability of a voice."""


def answer_all(
    model: VoiceRunner, data: VoiceData, recipe: VoiceRecipe, work: Path
) -> dict[str, Answers]:
    """Answers to each set.

    `validation` and `noise validation`, `test`, `test noisy` (the same clips over
    unseen noise 10 dB below), `noise` (windows of unseen recordings), and one for each corpus with
    unseen speakers.
    """

    def spoken(features: Features, labels: Labels) -> Answers:
        return Answers(labels, np.arange(len(labels)), *model.logits(features))

    def noise(windows: Sequence[Features]) -> Answers:
        recording = np.repeat(np.arange(len(windows)), [len(each) for each in windows])
        truth = np.full(len(recording), _NO_LABEL)
        return Answers(truth, recording, *model.logits(np.concatenate(windows)))

    (validation,) = load_split(data, recipe, "validation", work)
    (test,) = load_split(data, recipe, "test", work)
    noisy = noisy_features(data, recipe, [test.recordings[row] for row in test.rows], NOISY_SNR_DB)
    answers = {
        "validation": spoken(validation.plain(), validation.labels),
        "noise validation": noise(noise_windows(data, recipe, "validation")),
        "test": spoken(test.plain(), test.labels),
        "test noisy": spoken(noisy, test.labels),
        "noise": noise(noise_windows(data, recipe, "test")),
    }
    for corpus in load_split(data, recipe, "elsewhere", work):
        answers[corpus.name] = spoken(corpus.plain(), corpus.labels)
    return answers


def save_answers(answers: Mapping[str, Answers], file: Path) -> None:
    """Keep *answers* in an .npz file."""
    arrays = {
        f"{name}/{field}": getattr(each, field)
        for name, each in answers.items()
        for field in _FIELDS
    }
    with written_whole(file) as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def load_answers(file: Path) -> dict[str, Answers]:
    """What `save_answers` kept."""
    with np.load(file) as arrays:
        names = dict.fromkeys(key.split("/")[0] for key in arrays.files)
        return {name: Answers(*(arrays[f"{name}/{field}"] for field in _FIELDS)) for name in names}


def tune(answers: Mapping[str, Answers]) -> Tuning:
    """Temperature and threshold by the validation actors and noise.

    The threshold is the least one that no window of the noise passes, but at most 0.99.
    """
    validation, noise = answers["validation"], answers["noise validation"]
    loudest = float(sigmoid(noise.heard).max())
    threshold = float(np.clip(np.ceil(loudest * 1_000 + 0.5) / 1_000, *_THRESHOLDS))
    return Tuning(fit_temperature(validation.emotions, validation.truth), round(threshold, 3))


def emotion_scores(answers: Answers) -> Scores:
    """How well the seven emotions are told."""
    return score(answers.truth, answers.emotions.argmax(axis=1), len(EMOTIONS))


def accepted(answers: Answers, tuning: Tuning) -> float:
    """Share of the windows that are taken for a voice."""
    return float((sigmoid(answers.heard) >= tuning.threshold).mean())


def false_alarms(answers: Answers, tuning: Tuning) -> tuple[float, float]:
    """Share of recordings of background, and of their windows, shown as an emotion but neutral.

    A recording counts as soon as one of its windows does.
    """
    heard = sigmoid(answers.heard) >= tuning.threshold
    shown = heard & (answers.emotions.argmax(axis=1) != _NEUTRAL)
    recordings = np.unique(answers.recording)
    alarming = np.unique(answers.recording[shown])
    return len(alarming) / len(recordings), float(shown.mean())


def calibration_errors(answers: Answers, temperature: float) -> tuple[float, float]:
    """Expected calibration error without and with the temperature."""
    before = calibration_error(softmax(answers.emotions, 1.0), answers.truth)
    after = calibration_error(softmax(answers.emotions, temperature), answers.truth)
    return before, after
