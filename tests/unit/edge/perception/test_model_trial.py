"""Models that did not come with Mien are tried elsewhere first."""

from pathlib import Path

import pytest

from edge.config.paths import MODELS
from edge.errors import ModelError
from edge.perception.manifest import load_manifest
from edge.perception.model_trial import SHIPPED, run_elsewhere, try_model


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime that does in the other process what it is told to; its `runs` counts how often."""
    folder = tmp_path / "packages"
    (folder / "ai_edge_litert").mkdir(parents=True)
    (folder / "ai_edge_litert/__init__.py").touch()
    (folder / "ai_edge_litert/interpreter.py").write_text(
        "import os\n"
        "class Interpreter:\n"
        "    def __init__(self, model_content, num_threads):\n"
        f"        open({str(tmp_path / 'runs')!r}, 'a').write('x')\n"
        "        exec(model_content)\n"
        "    def allocate_tensors(self): pass\n"
        "    def get_input_details(self): return []\n"
        "    def invoke(self): pass\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    return tmp_path


def model(folder: Path, does: str) -> Path:
    (folder / "model.tflite").write_text(does)
    return folder / "model.tflite"


def test_one_that_would_end_the_process_is_a_sentence(runtime: Path) -> None:
    with pytest.raises(
        ModelError, match=r"ends the process that it is in \(SIGSEGV\); put the models"
    ):
        try_model(model(runtime, "os.kill(os.getpid(), 11)"), "1" * 64)


def test_one_that_goes_well_or_has_a_sentence_of_its_own_is_tried_once(runtime: Path) -> None:
    for number, does in enumerate(("pass", "raise ValueError('no model')")):
        for _ in range(3):
            try_model(model(runtime, does), f"{number}" * 64)
    assert (runtime / "runs").read_text() == "xx"


def test_those_that_came_with_mien_are_not_tried(runtime: Path) -> None:
    manifest = load_manifest(MODELS)
    assert {manifest.face.sha256, manifest.voice.sha256} == SHIPPED
    try_model(model(runtime, "os.abort()"), manifest.face.sha256)
    assert not (runtime / "runs").exists()


def test_a_real_model_runs_in_the_trial_as_it_does_here() -> None:
    trial = run_elsewhere(MODELS / load_manifest(MODELS).voice.file)
    assert trial.trouble == ""
    assert "Error" not in trial.said
