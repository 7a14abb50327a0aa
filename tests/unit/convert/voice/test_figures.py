from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")
pytest.importorskip("matplotlib")

from convert.voice import figures
from convert.voice.evaluate import Answers, Tuning
from convert.voice.splits import Corpus
from convert.voice.tables import FoldResult
from edge.perception.probability import softmax
from tests.fakes.voice_corpora import DATA, RECIPE, made_up_views


def fold(number: int, temperature: float) -> FoldResult:
    """Seven clips; as many as *number* of them are read rightly."""
    truth = np.arange(7)
    guess = np.where(truth < number, truth, (truth + 1) % 7)
    logits = (3 * np.eye(7)[guess]).astype(np.float32)
    answers = Answers(truth, truth, logits, np.zeros(7, np.float32))
    recipe = RECIPE.model_copy(update={"fold": number})
    history = [{"epoch": 1.0, "loss": 2.0, "accuracy": 0.5, "heard": 0.9}]
    tuning = Tuning(temperature, 0.9)
    return FoldResult(recipe, Path("m"), tuning, {"test": answers}, 0.5, history, 10)


def test_figures_are_of_all_folds_each_with_its_own_temperature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[str, Any] = {}

    def confusion(counts: NDArray[np.int64], _: object, __: object, title: str) -> None:
        drawn["confusion"], drawn["title"] = counts, title

    def reliability(curves: Mapping[str, Any], *_: object) -> None:
        drawn.update(curves)

    def bars(shares: Mapping[str, float], *_: object, **__: object) -> None:
        drawn["bars"] = shares

    monkeypatch.setattr(figures, "draw_confusion", confusion)
    monkeypatch.setattr(figures, "draw_reliability", reliability)
    monkeypatch.setattr(figures, "draw_fold_bars", bars)
    monkeypatch.setattr(figures, "load_split", lambda *_: [])
    first, second = fold(1, 2.0), fold(3, 0.5)
    figures.draw_voice(DATA, first, [first, second], tmp_path, tmp_path)
    assert drawn["confusion"].sum() == 14
    assert np.diag(drawn["confusion"]).sum() == 4
    assert "28.6 %" in drawn["title"]
    assert drawn["bars"] == {"fold 1": pytest.approx(1 / 7), "fold 3": pytest.approx(3 / 7)}
    calibrated, truth = drawn["calibrated"]
    np.testing.assert_array_equal(truth, np.tile(np.arange(7), 2))
    logits = [first.answers["test"].emotions, second.answers["test"].emotions]
    np.testing.assert_allclose(calibrated[:7], softmax(logits[0], 2.0))
    np.testing.assert_allclose(calibrated[7:], softmax(logits[1], 0.5))
    np.testing.assert_allclose(drawn["temperature 1"][0][7:], softmax(logits[1], 1.0))
    assert {file.name for file in tmp_path.iterdir()} == {"voice-curves.png", "voice-classes.png"}


def test_corpora_with_too_few_recordings_for_a_mean_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    front_end, recordings = RECIPE.front_end, DATA.of("ravdess")
    corpus = Corpus(
        "ravdess", made_up_views("ravdess"), recordings, np.arange(len(recordings)), front_end
    )
    monkeypatch.setattr(figures, "load_split", lambda *_: [corpus])
    figures.draw_voice(DATA, fold(1, 1.0), [], tmp_path, tmp_path)
    assert not list(tmp_path.glob("voice-means*"))
    assert "ravdess: 6 clips of one emotion are too few" in capsys.readouterr().out
