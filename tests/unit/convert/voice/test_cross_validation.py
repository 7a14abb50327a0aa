import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")

from convert.errors import DataError
from convert.voice import cross_validation, splits
from convert.voice.cross_validation import kept_folds, run_fold, run_folds
from convert.voice.data import VoiceData
from convert.voice.tables import fold_metrics, folds_table, pooled_metrics
from convert.voice.train import build_voice_net
from tests.fakes.voice_corpora import DATA, RECIPE, made_up_views
from tests.fakes.voice_model import LoudestBand


@pytest.fixture(autouse=True)
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Nothing is trained nor converted; the list says which folds would have been."""
    done: list[int] = []

    def train(_: object, recipe: Any, *__: object) -> tuple[object, list[dict[str, float]]]:
        done.append(recipe.fold)
        return build_voice_net(recipe), [{"epoch": 1.0, "loss": 2.0, "accuracy": 0.5}]

    def convert(net: object, samples: object, low: float, high: float, out: Path) -> None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(b"model of " + str(out.parent.name).encode())

    def views(data: VoiceData, corpus: str, *_: object) -> NDArray[np.float16]:
        return made_up_views(corpus)

    monkeypatch.setattr(splits, "load_views", views)
    monkeypatch.setattr(cross_validation, "train_voice", train)
    monkeypatch.setattr(cross_validation, "train_common", lambda *_: None)
    monkeypatch.setattr(cross_validation, "calibration_features", lambda *_: [])
    monkeypatch.setattr(cross_validation, "convert_int8", convert)
    monkeypatch.setattr(cross_validation, "VoiceRunner", LoudestBand)
    return done


def test_every_fold_is_run_once_and_all_rows_are_pooled(tmp_path: Path, trained: list[int]) -> None:
    results = run_folds(DATA, RECIPE, tmp_path)
    assert trained == [1, 2, 3]
    pooled = pooled_metrics(results)
    assert pooled["rows"] == len(DATA.of("ravdess"))
    assert pooled["noise recordings"] == 3
    each = [fold_metrics(result)["balanced accuracy"] for result in results]
    assert pooled["balanced accuracy, mean of folds"] == pytest.approx(np.mean(each))
    said = json.loads((tmp_path / "folds.json").read_text())
    assert len(said["folds"]) == 3
    assert said["pooled"]["rows"] == pooled["rows"]


def test_what_was_measured_is_not_measured_again(tmp_path: Path, trained: list[int]) -> None:
    first = run_folds(DATA, RECIPE, tmp_path)
    again = run_folds(DATA, RECIPE, tmp_path)
    assert trained == [1, 2, 3]
    assert folds_table(again) == folds_table(first)
    assert len(kept_folds(RECIPE, tmp_path)) == 3


def test_an_interrupted_run_goes_on_with_the_next_fold(tmp_path: Path, trained: list[int]) -> None:
    run_fold(DATA, RECIPE, tmp_path)
    assert kept_folds(RECIPE, tmp_path) == []
    run_folds(DATA, RECIPE, tmp_path)
    assert trained == [1, 2, 3]


def test_another_recipe_is_measured_anew(tmp_path: Path, trained: list[int]) -> None:
    run_fold(DATA, RECIPE, tmp_path)
    run_fold(DATA, RECIPE.model_copy(update={"seed": 2}), tmp_path)
    assert trained == [1, 1]


def test_a_model_that_is_not_the_measured_one_is_refused(tmp_path: Path) -> None:
    run_fold(DATA, RECIPE, tmp_path)
    (tmp_path / "fold1" / "voice_int8.tflite").write_bytes(b"another")
    with pytest.raises(
        DataError, match=r"has changed since it was measured; delete .*result\.json"
    ):
        run_fold(DATA, RECIPE, tmp_path)


@pytest.mark.parametrize("kept", ["answers.npz", "result.json"])
def test_a_result_that_is_not_whole_is_refused_with_what_to_do(tmp_path: Path, kept: str) -> None:
    run_fold(DATA, RECIPE, tmp_path)
    file = tmp_path / "fold1" / kept
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DataError, match=r"delete .*"):
        run_fold(DATA, RECIPE, tmp_path)
    (tmp_path / "fold1" / "answers.npz").unlink()
    with pytest.raises(DataError, match=r"delete .*"):
        run_fold(DATA, RECIPE, tmp_path)


def test_the_table_has_a_line_a_fold_with_its_actors_and_one_for_all(tmp_path: Path) -> None:
    table = folds_table(run_folds(DATA, RECIPE, tmp_path)).splitlines()
    columns = table[0].count("|")
    assert [line.count("|") for line in table[:7]] == [columns] * 7
    assert table[2].startswith("| 1 | 01 | 02 | 14 |")
    assert table[5].startswith("| **all** | | | 42 |")
    assert table[6].startswith("| mean |")
    assert any(line.startswith("| **surprise** |") for line in table)
