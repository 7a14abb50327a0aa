import errno
import io
import json
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from convert.commands import command_line
from convert.errors import ConversionError, DataError
from convert.quantize.command import quantize
from tests.fakes.tflite import write_classifier

SHAPE = (1, 6, 8, 3)
quantizer = pytest.mark.skipif(
    find_spec("ai_edge_quantizer") is None,
    reason="the quantizer is a part of the convert extra",
)
pytest.importorskip("ai_edge_litert")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "net.tflite"
    write_classifier(file, SHAPE)
    return file


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    folder.mkdir()
    real = np.random.default_rng(3).uniform(-0.9, 0.9, (60, *SHAPE[1:]))
    np.save(folder / "batch.npy", real.astype(np.float32))
    return folder


def quiet() -> Console:
    return Console(file=io.StringIO(), width=100)


@quantizer
def test_makes_an_int8_model_that_agrees_and_draws_no_bars(
    model: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from edge.perception.interpreter import Model

    out, written = tmp_path / "new" / "int8.tflite", tmp_path / "report.json"
    report = quantize(model, samples, out, (-1.0, 1.0), 50, written, quiet())
    assert capsys.readouterr() == ("", "")
    made = Model(out)
    assert report.outputs[0].name == made.outputs[0].name == "y0"
    assert made.input.dtype == made.outputs[0].dtype == np.int8
    assert made.input.scale == pytest.approx(2 / 255)
    assert report.agreement is not None and report.agreement >= 0.95
    assert report.outputs[0].mean_error < 1
    assert report.macs == 4 * 6 * 8 * 3
    assert report.samples == 50 and report.left_in_float == ()
    assert report.int8_bytes == out.stat().st_size
    assert 20 < report.worst_layers[0].sqnr_db < 60
    content = json.loads(written.read_text())
    assert content["worst_layers"][0]["operation"] == "FULLY_CONNECTED"
    assert not list(out.parent.glob("*.part"))


@quantizer
def test_covers_the_range_of_arrays_when_none_is_given(
    model: Path, samples: Path, tmp_path: Path
) -> None:
    report = quantize(model, samples, tmp_path / "o.tflite", console=quiet())
    assert report.input.scale == pytest.approx(1.8 / 255, rel=0.01)


@quantizer
def test_fails_after_writing_when_the_classes_differ(samples: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "hair.tflite", tmp_path / "o.tflite"
    # All outputs lie within a thousandth of each other, far below a step of the int8 output.
    base = np.random.default_rng(5).normal(size=(1, 144))
    tiny = np.random.default_rng(6).normal(size=(4, 144)) * 1e-3
    write_classifier(model, SHAPE, weights=(base + tiny).astype(np.float32))
    with pytest.raises(ConversionError, match="was written, but names the same class"):
        quantize(model, samples, out, console=quiet())
    assert out.is_file()


@quantizer
def test_blames_the_net_for_values_that_are_no_number(samples: Path, tmp_path: Path) -> None:
    model = tmp_path / "nan.tflite"
    write_classifier(model, SHAPE, weights=np.full((4, 144), np.inf, np.float32))
    with pytest.raises(ConversionError, match="The net gives values that are no number"):
        quantize(model, samples, tmp_path / "o.tflite", console=quiet())
    assert not (tmp_path / "o.tflite").exists()


def test_says_in_a_sentence_that_there_is_no_room_to_work(
    model: Path, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/x")

    monkeypatch.setattr("convert.quantize.command.to_float_tflite", full)
    with pytest.raises(ConversionError, match=r"too little room in .* TMPDIR"):
        quantize(model, samples, tmp_path / "o.tflite", console=quiet())


def test_asks_for_room_before_the_work(
    model: Path, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = SimpleNamespace(free=4 * model.stat().st_size)
    monkeypatch.setattr("shutil.disk_usage", lambda _: room)
    with pytest.raises(ConversionError, match=r"too little room in .* TMPDIR"):
        quantize(model, samples, tmp_path / "o.tflite", console=quiet())


def test_leaves_nothing_behind_when_the_samples_are_of_no_use(model: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="holds no samples"):
        quantize(model, tmp_path / "none", tmp_path / "new" / "o.tflite", console=quiet())
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("model_name", "out", "words"),
    [
        ("net.tflite", "net.tflite", "is the model itself"),
        ("net.tflite", "samples", "is a folder"),
        ("net.tflite", "mine.tflite/o.tflite", "cannot be written"),
        ("mine.tflite", "o.tflite", r"mine\.tflite is no \.tflite model"),
    ],
)
@pytest.mark.usefixtures("model")
def test_finds_out_early_that_it_cannot_read_or_write(
    model_name: str, out: str, words: str, samples: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.tflite").write_text("no model")
    with pytest.raises(ConversionError, match=words):
        quantize(tmp_path / model_name, samples, tmp_path / out, console=quiet())


def test_ends_with_one_sentence_on_the_command_line(
    samples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("edge.process.native_output.mute_native_code", lambda: None)
    arguments = ["quantize", "none.tflite", "--samples", str(samples), "--out", str(tmp_path / "o")]
    monkeypatch.setattr("sys.argv", ["convert", *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 1
    assert (
        capsys.readouterr().err == "convert: The model none.tflite is not there; check the path.\n"
    )
