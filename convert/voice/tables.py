"""The figures of the folds, each and together, and the table of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.metrics import calibration_error, confusion_table
from convert.training.loop import History
from convert.training.recipe import VoiceRecipe
from convert.voice.evaluate import (
    Answers,
    Tuning,
    accepted,
    calibration_errors,
    emotion_scores,
    false_alarms,
)
from edge.emotions import EMOTIONS
from edge.perception.probability import softmax


@dataclass(frozen=True, eq=False)
class FoldResult:
    """A trained fold."""

    recipe: VoiceRecipe
    model: Path
    tuning: Tuning
    answers: dict[str, Answers]
    floating: float | None
    """Balanced accuracy of the test by the net in floats; None where only the int8 one is there."""
    history: History
    parameters: int


def fold_metrics(result: FoldResult) -> dict[str, float]:
    """The figures of a fold."""
    test = emotion_scores(result.answers["test"])
    noisy = emotion_scores(result.answers["test noisy"])
    before, after = calibration_errors(result.answers["test"], result.tuning.temperature)
    recordings, windows = false_alarms(result.answers["noise"], result.tuning)
    return {
        "fold": float(result.recipe.fold),
        "rows": float(test.rows),
        "balanced accuracy": test.balanced_accuracy,
        "balanced accuracy, float": float("nan") if result.floating is None else result.floating,
        "macro F1": test.macro_f1,
        "balanced accuracy, noisy": noisy.balanced_accuracy,
        "temperature": result.tuning.temperature,
        "threshold": result.tuning.threshold,
        "calibration error, temperature 1": before,
        "calibration error": after,
        "noise recordings": float(len(np.unique(result.answers["noise"].recording))),
        "noise recordings shown as an emotion": recordings,
        "noise windows shown as an emotion": windows,
        "speech accepted": accepted(result.answers["test"], result.tuning),
        "noisy speech accepted": accepted(result.answers["test noisy"], result.tuning),
    }


def pooled_metrics(results: Sequence[FoldResult]) -> dict[str, float]:
    """The figures over the test rows of all folds together; each row by the net that held it out."""
    test = pooled_answers(results, "test")
    scores, noisy = emotion_scores(test), emotion_scores(pooled_answers(results, "test noisy"))
    raw, calibrated = pooled_probabilities(results)
    each = [fold_metrics(result) for result in results]
    weights = np.array([one["rows"] for one in each])
    recordings = np.array([one["noise recordings"] for one in each])
    windows = np.array([len(result.answers["noise"].truth) for result in results])

    def mean(name: str, by: NDArray[Any] | None) -> float:
        return float(np.average([one[name] for one in each], weights=by))

    pooled = {
        "rows": float(scores.rows),
        "balanced accuracy": scores.balanced_accuracy,
        "balanced accuracy, float, mean of folds": mean("balanced accuracy, float", None),
        "balanced accuracy, mean of folds": mean("balanced accuracy", None),
        "accuracy": scores.accuracy,
        "macro F1": scores.macro_f1,
        "balanced accuracy, noisy": noisy.balanced_accuracy,
        "calibration error, temperature 1": calibration_error(raw, test.truth),
        "calibration error": calibration_error(calibrated, test.truth),
        "noise recordings": float(recordings.sum()),
        "noise recordings shown as an emotion": mean(
            "noise recordings shown as an emotion", recordings
        ),
        "noise windows shown as an emotion": mean("noise windows shown as an emotion", windows),
        "speech accepted": mean("speech accepted", weights),
        "noisy speech accepted": mean("noisy speech accepted", weights),
    }
    for name in _elsewhere(results):
        other = pooled_answers(results, name)
        scores = emotion_scores(other)
        pooled[f"{name}: rows"] = float(scores.rows // len(results))
        pooled[f"{name}: balanced accuracy, mean of nets"] = float(
            np.mean([emotion_scores(one.answers[name]).balanced_accuracy for one in results])
        )
        pooled[f"{name}: accepted"] = float(
            np.mean([accepted(one.answers[name], one.tuning) for one in results])
        )
    return pooled


def folds_table(results: Sequence[FoldResult]) -> str:
    """Figures of each fold and of all rows together, and the pooled confusion matrix."""
    lines = [
        "| fold | test actors | validation actors | rows | balanced accuracy | float | macro F1 | "
        "over noise (10 dB) | temperature | ECE before | ECE after | threshold | "
        "noise recordings | shown as an emotion | their windows | speech accepted | over noise |",
        "|---" * 17 + "|",
    ]
    for result in results:
        row = fold_metrics(result)
        lines.append(
            f"| {result.recipe.fold} | {_numbers(result.recipe.held_out_actors)} | "
            f"{_numbers(result.recipe.validation_actors)} | {_cells(row)}"
        )
    pooled = pooled_metrics(results)
    pooled["balanced accuracy, float"] = float("nan")
    lines.append(f"| **all** | | | {_cells(pooled)}")
    if len(results) > 1:
        whole, floating = (
            f"{pooled[f'balanced accuracy, {name}mean of folds']:.1%}" for name in ("", "float, ")
        )
        lines.append(f"| mean | | | | {whole} | {floating} |" + " |" * 11)
    scores = emotion_scores(pooled_answers(results, "test"))
    return (
        "\n".join(lines)
        + f"\n\n{scores.rows:,} clips of RAVDESS, each by the net that held out its actor "
        f"(int8):\n\n{confusion_table(scores, EMOTIONS)}\n"
    )


def _cells(row: Mapping[str, float]) -> str:
    def per_cent(name: str) -> str:
        return "" if np.isnan(row[name]) else f"{row[name]:.1%}"

    return " | ".join(
        [
            f"{row['rows']:,.0f}",
            per_cent("balanced accuracy"),
            per_cent("balanced accuracy, float"),
            per_cent("macro F1"),
            per_cent("balanced accuracy, noisy"),
            f"{row['temperature']:.3f}" if "temperature" in row else "",
            f"{row['calibration error, temperature 1']:.3f}",
            f"{row['calibration error']:.3f}",
            f"{row['threshold']:.3f}" if "threshold" in row else "",
            f"{row['noise recordings']:.0f}",
            per_cent("noise recordings shown as an emotion"),
            per_cent("noise windows shown as an emotion"),
            per_cent("speech accepted"),
            per_cent("noisy speech accepted") + " |",
        ]
    )


def _numbers(actors: Sequence[int]) -> str:
    return " ".join(f"{actor:02d}" for actor in actors)


def _elsewhere(results: Sequence[FoldResult]) -> list[str]:
    return [name for name in results[0].recipe.shares if name in results[0].answers]


def pooled_answers(results: Sequence[FoldResult], name: str) -> Answers:
    """What all folds say of one of the sets of `answer_all`, one after another."""
    each = [result.answers[name] for result in results]
    return Answers(
        np.concatenate([one.truth for one in each]),
        np.concatenate([one.recording for one in each]),
        np.concatenate([one.emotions for one in each]),
        np.concatenate([one.heard for one in each]),
    )


def pooled_probabilities(
    results: Sequence[FoldResult],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[rows, 7] of all test rows, without and with the temperature of each row's own fold."""
    logits = [(result.answers["test"].emotions, result.tuning.temperature) for result in results]
    raw = np.concatenate([softmax(each, 1.0) for each, _ in logits])
    calibrated = np.concatenate([softmax(each, own) for each, own in logits])
    return raw, calibrated
