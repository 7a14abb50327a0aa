import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")

from convert.errors import DataError
from convert.voice.card import voice_card, voice_metrics
from convert.voice.evaluate import Answers, Tuning
from convert.voice.tables import FoldResult
from tests.fakes.voice_corpora import RECIPE


def answers(count: int, truth: int | None = None) -> Answers:
    random = np.random.default_rng(count)
    labels = np.arange(count) % 7 if truth is None else np.full(count, truth)
    return Answers(
        labels,
        np.arange(count),
        random.normal(size=(count, 7)).astype(np.float32),
        random.normal(size=count).astype(np.float32),
    )


def result(fold: int = 1) -> FoldResult:
    said = {
        "validation": answers(14),
        "noise validation": answers(20, -1),
        "test": answers(21),
        "test noisy": answers(21),
        "noise": answers(30, -1),
        "nemo": answers(12),
    }
    recipe = RECIPE.model_copy(update={"fold": fold})
    return FoldResult(recipe, Path("m.tflite"), Tuning(1.2, 0.9), said, 0.5, [], 1_000)


def test_every_figure_names_its_split_rows_and_precision(tmp_path: Path) -> None:
    for metric in voice_metrics(result(), [result(1), result(2), result(3)], tmp_path):
        assert metric.split
        assert metric.label_set
        assert metric.rows > 0
        assert 0 <= metric.value <= 1
        assert (metric.precision == "float") == (metric.value == 0.5)


def test_pooled_and_random_figures_are_there_only_when_measured(tmp_path: Path) -> None:
    alone = {metric.split for metric in voice_metrics(result(), [], tmp_path)}
    assert not [split for split in alone if "five folds" in split or "leaks" in split]
    (tmp_path / "random.json").write_text(json.dumps({"macro F1": 0.93, "rows": 824}))
    everyone = [result(1), result(2), result(3)]
    metrics = voice_metrics(result(), everyone, tmp_path)
    (leaking,) = [metric for metric in metrics if "leaks speakers" in metric.split]
    assert (leaking.name, leaking.value, leaking.rows) == ("macro F1", 0.93, 824)
    pooled = [metric for metric in metrics if "five folds" in metric.split]
    assert {metric.rows for metric in pooled} == {63, 90}


def test_the_card_says_how_to_use_and_remake_it(tmp_path: Path) -> None:
    everyone = [result(1), result(2), result(3)]
    metrics = voice_metrics(result(), everyone, tmp_path)
    text = voice_card(result(), everyone, metrics, "231 kB", tmp_path)
    assert "temperature 1.200" in text
    assert "probability of 0.900" in text
    assert "noise fold 2" in text
    for command in ("voice ", "voice-folds", "voice-random", "voice-features", "evaluate voice"):
        assert f"python -m convert {command}" in text
    assert "fold 1: 01; fold 2: 02; fold 3: 03" in text.replace("\n", " ")
    assert "Features compared" not in text


def test_the_card_shows_the_features_that_were_compared(tmp_path: Path) -> None:
    line = {
        "features": "MFCC",
        "classifier": "SVM",
        "training_set": "RAVDESS",
        "split": "by speaker, fold 1",
        "rows": 299,
        "balanced_accuracy": 0.41,
        "macro_f1": 0.4,
    }
    (tmp_path / "features.json").write_text(json.dumps({"seed": 1, "lines": [line]}))
    text = voice_card(result(), [], voice_metrics(result(), [], tmp_path), "231 kB", tmp_path)
    assert "| MFCC | SVM | RAVDESS | by speaker, fold 1 | 299 | 41.0% | 40.0% |" in text


@pytest.mark.parametrize("content", ['{"macro F1": 0.9', "[]", '{"lines": [{"rows": 3}]}'])
def test_kept_figures_that_are_damaged_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "random.json").write_text(content)
    with pytest.raises(DataError, match=r"random\.json is damaged .*; delete it"):
        voice_metrics(result(), [], tmp_path)
    metrics = voice_metrics(result(), [], tmp_path / "none")
    (tmp_path / "features.json").write_text(content)
    with pytest.raises(DataError, match=r"features\.json is damaged .*; delete it"):
        voice_card(result(), [], metrics, "231 kB", tmp_path)
