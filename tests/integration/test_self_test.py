"""An installation that reads a face and a voice of the demo says so; one that cannot, why."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.config.paths import MODELS, PORTRAIT, fetched_folder
from edge.config.schema import Settings
from edge.demo.excerpt import excerpt
from edge.diagnostics.self_test import run_self_test
from edge.errors import MienError
from edge.perception.detector_files import DETECTOR_FILES

pytestmark = pytest.mark.skipif(
    not PORTRAIT.is_file()
    or not all((fetched_folder() / file.name).is_file() for file in DETECTOR_FILES.values()),
    reason="needs what python -m edge.fetch fetches",
)


def settings(**models: str) -> Settings:
    return Settings.model_validate({"models": models} if models else {})


def test_a_face_and_a_voice_of_the_demo_are_read() -> None:
    said = run_self_test(settings(), *excerpt())
    assert said.startswith("Of the demo clip the face is read as happy (")
    assert " and the voice as " in said


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(MODELS, tmp_path / "models"))
    with (folder / "voice_int8.tflite").open("r+b") as file:
        file.seek(4000)
        file.write(b"damaged")
    with pytest.raises(MienError, match=r"voice_int8\.tflite"):
        run_self_test(settings(folder=str(folder)), *excerpt())


def test_a_net_that_finds_nobody_is_no_release(tmp_path: Path) -> None:
    _, sound = excerpt()
    with pytest.raises(MienError, match="The face of the demo clip is not found"):
        run_self_test(settings(), np.zeros((480, 640, 3), np.uint8), sound)
    with pytest.raises(MienError, match="Nobody is heard"):
        run_self_test(settings(), excerpt().picture, np.zeros(160_000, np.float32))
