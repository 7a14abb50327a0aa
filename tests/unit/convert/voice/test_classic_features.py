import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")
pytest.importorskip("librosa")
pytest.importorskip("sklearn")

from convert.voice.classic_features import OURS, Compared, compare_features, statistics
from tests.fakes.voice_corpora import DATA, RECIPE


def test_statistics_of_a_recording_tell_pitch_and_level() -> None:
    time_s = np.arange(48_000) / 16_000
    low = np.sin(2 * np.pi * 220 * time_s).astype(np.float32)
    high = np.sin(2 * np.pi * 3_000 * time_s).astype(np.float32)
    assert statistics(low).shape == (2 * (40 + 12 + 128 + 1 + 1),)
    # the last values are mean and deviation of zero crossings, then of RMS
    assert statistics(high)[-4] > 5 * statistics(low)[-4]
    half = (low / 2).astype(np.float32)
    assert statistics(low)[-2] == pytest.approx(2 * statistics(half)[-2], rel=1e-3)


def test_silence_has_finite_statistics() -> None:
    assert np.isfinite(statistics(np.zeros(48_000, np.float32))).all()


def test_both_splits_are_compared_and_tones_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = RECIPE.model_copy(update={"shares": {"ravdess": 0.5, "nemo": 0.3, "tess": 0.2}})
    ours = Compared(OURS, "our net, int8", "ravdess", "by speaker, fold 1", 14, 0.5, 0.5)
    lines = compare_features(DATA, recipe, tmp_path, [ours])
    assert [line.rows for line in lines] == [14, 14, 14, 14, 7, 7, 14]
    assert lines[-1] == ours
    assert lines[1].classifier.startswith("SVM")
    # the same tone for every speaker: the easiest of tasks
    assert all(line.balanced_accuracy > 0.9 for line in lines[1:-1:2])
    said = json.loads((tmp_path / "features.json").read_text())
    assert len(said["lines"]) == 7
    assert "leaks speakers" in capsys.readouterr().out
