import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from edge.config.paths import MODELS
from edge.errors import ModelError
from edge.perception.interpreter import Model
from edge.perception.manifest import load_manifest, open_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("manifest.json", "face_int8.tflite", "voice_int8.tflite"):
        shutil.copy(MODELS / name, tmp_path)
    return tmp_path


def change(folder: Path, **fields: Any) -> None:
    file = folder / "manifest.json"
    content = json.loads(file.read_text())
    content["face"].update(fields)
    file.write_text(json.dumps(content))


def test_untouched_folder_is_accepted(folder: Path) -> None:
    model, output = open_model(folder, load_manifest(folder).face)
    assert model.input.shape == (1, 48, 48, 1)
    assert output.shape == (1, 7)


def test_one_flipped_bit_is_refused(folder: Path) -> None:
    file = folder / "face_int8.tflite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged or not the model of this release.*restore"):
        open_model(folder, load_manifest(folder).face)


def test_missing_model_is_named(folder: Path) -> None:
    (folder / "face_int8.tflite").unlink()
    with pytest.raises(ModelError, match=r"face_int8.tflite is not there"):
        open_model(folder, load_manifest(folder).face)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"labels": ["happy", "sad"]}, "has the labels happy, sad"),
        (
            {
                "input": {
                    "shape": [1, 64, 64, 1],
                    "dtype": "int8",
                    "scale": 1 / 128,
                    "zero_point": 0,
                }
            },
            "its input is",
        ),
        (
            {"input": {"shape": [1, 48, 48, 1], "dtype": "int8", "scale": 0.5, "zero_point": 0}},
            "its input is",
        ),
        (
            {"output": {"shape": [1, 9], "dtype": "int8", "scale": 0.1, "zero_point": 0}},
            r"no single output of shape \[1, 9\]",
        ),
    ],
)
def test_model_that_does_not_match_the_manifest_is_refused(
    folder: Path, fields: dict[str, Any], problem: str
) -> None:
    change(folder, **fields)
    with pytest.raises(ModelError, match=problem):
        open_model(folder, load_manifest(folder).face)


def test_unreadable_manifest_is_one_sentence(folder: Path) -> None:
    for content in ("{", '{"schema_version": 9}', "[]"):
        (folder / "manifest.json").write_text(content)
        with pytest.raises(ModelError, match="restore models_tflite") as failure:
            load_manifest(folder)
        assert "\n" not in str(failure.value)
    (folder / "manifest.json").unlink()
    with pytest.raises(ModelError, match="is not there"):
        load_manifest(folder)


def test_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.tflite"
    text.write_text("not a model at all, but long enough to be read as one" * 10)
    with pytest.raises(ModelError, match="is no model"):
        Model(text)


def test_runtime_that_is_not_installed_says_what_to_install(folder: Path) -> None:
    with pytest.raises(ModelError, match="pip install"):
        Model(folder / "face_int8.tflite", runtime="tflite_runtime_that_is_missing.interpreter")


def test_nonsense_class_prior_is_refused(folder: Path) -> None:
    for prior in ([0.0] * 7, [1 / 8] * 8, [float("nan")] * 7):
        change(folder, class_prior=prior)
        with pytest.raises(ModelError, match="class_prior"):
            load_manifest(folder)
