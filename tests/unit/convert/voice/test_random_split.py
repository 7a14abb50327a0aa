import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")

from convert.errors import RecipeError
from convert.voice import random_split, splits, train
from convert.voice.data import VoiceData
from convert.voice.random_split import run_random
from convert.voice.spectra_cache import made_spectra
from tests.fakes.voice_corpora import DATA, RECIPE, made_up_views
from tests.fakes.voice_model import LoudestBand

FIELD = RECIPE.model_copy(update={"shares": {**RECIPE.shares, "tess": 0.1}})


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Little is trained and nothing converted; the list says what is to be written as the models."""
    models = [b"model"]

    def views(data: VoiceData, corpus: str, *_: object) -> NDArray[np.float16]:
        assert corpus in ("ravdess", "tess")
        return made_up_views(corpus)

    def convert(net: object, samples: object, low: float, high: float, out: Path) -> None:
        out.write_bytes(models.pop(0))
        if out.read_bytes() == b"half":
            raise KeyboardInterrupt

    monkeypatch.setattr(splits, "load_views", views)
    monkeypatch.setattr(train, "made_spectra", partial(made_spectra, count=2))
    monkeypatch.setattr(random_split, "convert_int8", convert)
    monkeypatch.setattr(random_split, "VoiceRunner", LoudestBand)
    monkeypatch.setattr(random_split, "_EPOCHS", 2)
    return models


@pytest.mark.usefixtures("converted")
def test_the_fields_protocol_trains_on_its_two_sets_alone_and_says_that_it_leaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = run_random(DATA, FIELD, tmp_path)
    # a fifth of 42 clips of one and of 14 of the other, emotion by emotion
    assert scores.rows == 7
    assert scores.accuracy == 1, "the loudest band is the label's"
    assert "leaks speakers" in capsys.readouterr().out
    said = json.loads((tmp_path / "random.json").read_text())
    assert said["macro F1"] == 1
    assert said["split"] == "random split, leaks speakers"
    assert len(said["history"]) == 2


def test_a_conversion_that_was_interrupted_is_done_again(
    tmp_path: Path, converted: list[bytes]
) -> None:
    converted[:] = [b"half", b"whole"]
    with pytest.raises(KeyboardInterrupt):
        run_random(DATA, FIELD, tmp_path)
    run_random(DATA, FIELD, tmp_path)
    assert (tmp_path / "random" / "voice_int8.tflite").read_bytes() == b"whole"


def test_a_recipe_without_tess_cannot_be_measured_by_the_fields_protocol(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"shares lack tess; add it"):
        run_random(DATA, RECIPE, tmp_path)
