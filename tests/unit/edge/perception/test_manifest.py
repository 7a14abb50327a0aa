import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.config.paths import MODELS, fetched_folder
from edge.errors import ModelError
from edge.perception.detector_files import DETECTOR_FILES
from edge.perception.face_finder import FaceFinder
from edge.perception.interpreter import Model
from edge.perception.manifest import load_manifest, open_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("manifest.json", "face_int8.tflite", "voice_int8.tflite"):
        shutil.copy(MODELS / name, tmp_path)
    return tmp_path


def put(folder: Path, values: dict[str, Any]) -> None:
    """Change values of the manifest by their dotted paths."""
    file = folder / "manifest.json"
    content = json.loads(file.read_text())
    for path, value in values.items():
        *above, last = path.split(".")
        table = content
        for name in above:
            table = table[name]
        table[last] = value
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
    with pytest.raises(
        ModelError, match=r"damaged or not the model of this release.*put the models"
    ):
        open_model(folder, load_manifest(folder).face)


def test_missing_model_is_named(folder: Path) -> None:
    (folder / "face_int8.tflite").unlink()
    with pytest.raises(ModelError, match=r"face_int8.tflite is not there"):
        open_model(folder, load_manifest(folder).face)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("face.labels", ["happy", "sad"], "has the labels happy, sad"),
        ("face.input.shape", [1, 64, 64, 1], "its input is"),
        ("face.input.scale", 0.5, "its input is"),
        ("face.output.shape", [1, 9], r"no single output of shape \[1, 9\]"),
    ],
)
def test_model_that_does_not_match_the_manifest_is_refused(
    folder: Path, path: str, value: Any, problem: str
) -> None:
    put(folder, {path: value})
    with pytest.raises(ModelError, match=problem):
        open_model(folder, load_manifest(folder).face)


def test_unreadable_manifest_is_one_sentence(folder: Path) -> None:
    for content in ("{", '{"schema_version": 9}', "[]"):
        (folder / "manifest.json").write_text(content)
        with pytest.raises(ModelError, match="put the models") as failure:
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
        put(folder, {"face.class_prior": prior})
        with pytest.raises(ModelError, match="class_prior"):
            load_manifest(folder)


@pytest.mark.parametrize("value", [0, -1, 10**9, float("nan"), float("inf"), None])
@pytest.mark.parametrize(
    "path",
    [
        *(f"voice.front_end.{name}" for name in ("rate_hz", "hop_samples", "fft_size", "bands")),
        *(f"voice.front_end.{name}" for name in ("frame_samples", "window_samples", "high_hz")),
        *("face.geometry.width_px", "face.temperature", "face.class_prior"),
    ],
)
def test_a_number_that_cannot_be_is_refused_by_its_name(
    folder: Path, path: str, value: object
) -> None:
    put(folder, {path: value})
    with pytest.raises(ModelError, match=path.rpartition(".")[2] + r".*put the models"):
        load_manifest(folder)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("face.file", name) for name in ("../../etc/passwd", "/etc/passwd", ".", "a\nb", "")),
        ("voice.recipe", "../recipe.toml"),
        *(("face.geometry.mouth", [24.0, y]) for y in (float("nan"), float("inf"), 1e300, -20.0)),
        ("face.geometry.left_eye", [14.71, 19.11]),
        ("face.class_maps.weights", [[float("nan")] * 128] * 7),
        ("face.class_maps.weights", [[0.5] * 128] * 6 + [[0.5]]),
        ("face.output.shape", [1, 10**6, 10**6]),
        ("face.output.zero_point", 10**9),
        ("face.sha256", "no hash"),
    ],
)
def test_what_would_reach_another_file_or_the_events_is_refused(
    folder: Path, path: str, value: object
) -> None:
    put(folder, {path: value})
    with pytest.raises(ModelError, match=rf"{path.rpartition('.')[0]}.*put the models"):
        load_manifest(folder)


@pytest.mark.parametrize("name", ["manifest.json", "face_int8.tflite"])
@pytest.mark.parametrize("kind", ["a pipe", "a device", "a folder", "larger than"])
def test_only_a_file_of_a_sane_size_is_opened(folder: Path, name: str, kind: str) -> None:
    file = folder / name
    file.unlink()
    if kind == "a pipe":
        os.mkfifo(file)
    elif kind == "a device":
        file.symlink_to("/dev/zero")
    elif kind == "a folder":
        file.mkdir()
    else:
        file.touch()
        os.truncate(file, 10**10)
    for attempt in (lambda: open_model(folder, load_manifest(folder).face), lambda: Model(file)):
        with pytest.raises(ModelError, match=kind):
            attempt()


CUT_SHORT = """
import os, sys
from contextlib import closing
from pathlib import Path
import numpy as np
from edge.config.paths import fetched_folder
from edge.messages import Frame
from edge.perception.detector_files import DETECTOR_FILES
from edge.perception.face_finder import FaceFinder
from edge.perception.interpreter import Model

folder = Path(sys.argv[1])
model = Model(folder / "voice_int8.tflite")
detector = folder / DETECTOR_FILES["short"].name
finder = FaceFinder(folder, "short") if detector.exists() else None
for file in folder.glob("*.tflite"):
    os.truncate(file, 0)
model.run(np.zeros(model.input.shape, model.input.dtype), model.outputs[0])
if finder is not None:
    with closing(finder):
        finder.find(Frame(np.zeros((480, 640, 3), np.uint8), 0.0))
print("still there")
"""


def test_a_model_that_is_cut_short_in_place_does_not_end_mien(folder: Path) -> None:
    for name in (file.name for file in DETECTOR_FILES.values()):
        if (fetched_folder() / name).is_file():
            shutil.copy(fetched_folder() / name, folder)
    command = [sys.executable, "-c", CUT_SHORT, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "still there\n"), done.stderr[-500:]


@pytest.mark.parametrize("reach", DETECTOR_FILES)
def test_a_damaged_detector_is_refused_before_a_library_reads_it(
    tmp_path: Path, reach: str
) -> None:
    """A few in a hundred would end the process by SIGSEGV."""
    (tmp_path / DETECTOR_FILES[reach].name).write_bytes(b"\x1c\0\0\0TFL3" + bytes(1000))
    with pytest.raises(ModelError, match=r"damaged or another file.*python -m edge\.fetch"):
        FaceFinder(tmp_path, reach)
