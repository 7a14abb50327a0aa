import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")

from convert import voice_parts, voice_random, voice_training
from convert.voice_data import VoiceData
from convert.voice_random import run_random
from convert.voice_views import made_spectra
from tests.fakes.voice_corpora import DATA, RECIPE, made_up_views
from tests.fakes.voice_model import LoudestBand


def test_the_fields_protocol_learns_from_its_two_sets_alone_and_says_that_it_leaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def views(data: VoiceData, corpus: str, *_: object) -> NDArray[np.float16]:
        assert corpus in ("ravdess", "tess")
        return made_up_views(corpus)

    def convert(net: object, samples: object, low: float, high: float, out: Path) -> None:
        out.write_bytes(b"model")

    monkeypatch.setattr(voice_parts, "load_views", views)
    monkeypatch.setattr(voice_training, "made_spectra", partial(made_spectra, count=2))
    monkeypatch.setattr(voice_random, "convert_int8", convert)
    monkeypatch.setattr(voice_random, "Int8Voice", LoudestBand)
    monkeypatch.setattr(voice_random, "_EPOCHS", 2)
    scores = run_random(DATA, RECIPE, tmp_path)
    # a fifth of 42 clips of one and of 14 of the other, emotion by emotion
    assert scores.rows == 7
    assert scores.accuracy == 1, "the loudest band is the label's"
    assert "leaks speakers" in capsys.readouterr().out
    said = json.loads((tmp_path / "random.json").read_text())
    assert said["macro F1"] == 1
    assert said["split"] == "random split, leaks speakers"
    assert len(said["history"]) == 2
