import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from convert.errors import ConversionError
from convert.quantize.sources import kind_of, to_float_tflite


class FakeTensorFlow(ModuleType):
    """Behaves as tensorflow 2.x does at the three calls that are made of it."""

    def __init__(self) -> None:
        super().__init__("tensorflow")
        self.loaded: list[tuple[str, bool]] = []
        fake = self

        class TFLiteConverter:
            def __init__(self, content: bytes) -> None:
                self._content = content

            @classmethod
            def from_keras_model(cls, model: SimpleNamespace) -> "TFLiteConverter":
                return cls(b"keras " + str(model.name).encode())

            @classmethod
            def from_saved_model(
                cls, saved_model_dir: str, signature_keys: list[str] | None
            ) -> "TFLiteConverter":
                if not isinstance(saved_model_dir, str):
                    raise TypeError("Expected binary or unicode string")
                entry = (signature_keys or ["none"])[0]
                return cls(f"saved {Path(saved_model_dir).name} {entry}".encode())

            def convert(self) -> bytes:
                print("Saved artifact at '/tmp/x'.")
                if b"lstm" in self._content:
                    raise ValueError(
                        '<unknown>:0: error: loc(callsite(fused["x:", "/a/b.py"] at c)): '
                        "'tf.TensorListReserve' op requires element_shape\nmore"
                    )
                return self._content

        def load_model(filepath: str, compile: bool = True) -> SimpleNamespace:
            fake.loaded.append((filepath, compile))
            if b"torn" in Path(filepath).read_bytes():
                raise ValueError("File not found or unreadable\nlong advice")
            return SimpleNamespace(name=Path(filepath).stem)

        self.lite = SimpleNamespace(TFLiteConverter=TFLiteConverter)
        self.keras = SimpleNamespace(models=SimpleNamespace(load_model=load_model))
        self.signatures = ["serving_default"]
        self.saved_model = SimpleNamespace(
            load=lambda folder: SimpleNamespace(signatures=dict.fromkeys(fake.signatures))
        )


@pytest.fixture
def tensorflow(monkeypatch: pytest.MonkeyPatch) -> FakeTensorFlow:
    fake = FakeTensorFlow()
    monkeypatch.setitem(sys.modules, "tensorflow", fake)
    return fake


def test_tells_models_apart_by_name(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    (saved / "saved_model.pb").touch()
    assert kind_of(saved) == "SavedModel"
    for name, kind in (("a.TFLITE", "LiteRT"), ("a.pt2", "PyTorch"), ("a.h5", "Keras")):
        (tmp_path / name).touch()
        assert kind_of(tmp_path / name) == kind


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("net.pt", "torch.export.save"),
        ("net.onnx", "from where it was trained"),
        ("saved_model.pb", "whole SavedModel folder"),
        ("net.xyz", r"give a float \.tflite"),
    ],
)
def test_says_what_to_do_with_other_files(tmp_path: Path, name: str, remedy: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(ConversionError, match=remedy):
        kind_of(tmp_path / name)


def test_refuses_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="is not there"):
        kind_of(tmp_path / "none.keras")
    with pytest.raises(ConversionError, match=r"holds no saved_model\.pb"):
        kind_of(tmp_path)


def test_converts_keras_without_its_training_state(
    tmp_path: Path, tensorflow: FakeTensorFlow, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = tmp_path / "mine.keras", tmp_path / "f.tflite"
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr("config.json", "{}")
    assert to_float_tflite(model, out) == "Keras"
    assert out.read_bytes() == b"keras mine"
    assert tensorflow.loaded == [(str(model), False)]
    assert capsys.readouterr().out == ""


def test_converts_a_saved_model_folder(tmp_path: Path, tensorflow: FakeTensorFlow) -> None:
    model, out = tmp_path / "folder", tmp_path / "f.tflite"
    model.mkdir()
    (model / "saved_model.pb").touch()
    assert to_float_tflite(model, out) == "SavedModel"
    assert out.read_bytes() == b"saved folder serving_default"
    tensorflow.signatures = ["predict_image"]
    to_float_tflite(model, out)
    assert out.read_bytes() == b"saved folder predict_image"
    tensorflow.signatures = ["features", "serving_default"]
    to_float_tflite(model, out)
    assert out.read_bytes() == b"saved folder serving_default"
    tensorflow.signatures = ["a", "b"]
    with pytest.raises(ConversionError, match=r"several signatures \(a, b\)"):
        to_float_tflite(model, out)


def test_passes_on_why_tensorflow_failed(tmp_path: Path, tensorflow: FakeTensorFlow) -> None:
    model = tmp_path / "mine.h5"
    model.write_bytes(b"\x89HDF\r\n\x1a\ntorn")
    with pytest.raises(ConversionError, match=r"mine\.h5 \(File not found or unreadable\); call"):
        to_float_tflite(model, tmp_path / "f.tflite")


def test_names_the_operation_without_the_places_around_it(
    tmp_path: Path, tensorflow: FakeTensorFlow
) -> None:
    model = tmp_path / "lstm.h5"
    model.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(
        ConversionError, match=r"\('tf.TensorListReserve' op .*\); replace .*unroll"
    ):
        to_float_tflite(model, tmp_path / "f.tflite")


@pytest.mark.parametrize("name", ["cut.keras", "cut.h5"])
def test_knows_a_torn_keras_file_without_tensorflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    (tmp_path / name).write_bytes(b"torn")
    with pytest.raises(ConversionError, match="is damaged or no"):
        to_float_tflite(tmp_path / name, tmp_path / "f.tflite")


def test_says_how_to_get_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    model = tmp_path / "mine.h5"
    model.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ConversionError, match="pip install tensorflow"):
        to_float_tflite(model, tmp_path / "f.tflite")


def export(net: Any, examples: tuple[Any, ...], file: Path, **keywords: Any) -> Path:
    import torch

    torch.export.save(torch.export.export(net, examples, **keywords), file)
    return file


@pytest.fixture(scope="module")
def torch() -> Any:
    pytest.importorskip("litert_torch")
    return pytest.importorskip("torch")


def test_refuses_a_pytorch_export_that_cannot_be_read(torch: Any, tmp_path: Path) -> None:
    model = tmp_path / "net.pt2"
    model.write_bytes(b"torn")
    with pytest.raises(ConversionError, match="no PyTorch export that torch"):
        to_float_tflite(model, tmp_path / "f.tflite")


def test_refuses_pytorch_exports_of_several_inputs_or_any_size(torch: Any, tmp_path: Path) -> None:
    class Sum(torch.nn.Module):  # type: ignore[misc]
        def forward(self, a: Any, b: Any) -> Any:
            return a + b

    x = torch.zeros(2, 3)
    two = export(Sum(), (x, x), tmp_path / "two.pt2")
    with pytest.raises(ConversionError, match="takes 2 inputs"):
        to_float_tflite(two, tmp_path / "f.tflite")
    batch = torch.export.Dim("batch", min=2, max=9)
    any_size = export(
        torch.nn.Linear(3, 2), (x,), tmp_path / "any.pt2", dynamic_shapes=({0: batch},)
    )
    with pytest.raises(ConversionError, match="any size"):
        to_float_tflite(any_size, tmp_path / "f.tflite")


@pytest.mark.parametrize("kind", ["float16", "uint8"])
def test_refuses_pytorch_exports_of_other_numbers(torch: Any, tmp_path: Path, kind: str) -> None:
    class Double(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x + x

    example = torch.zeros(1, 3, dtype=getattr(torch, kind))
    with pytest.raises(ConversionError, match=f"takes {kind}, not float32"):
        to_float_tflite(export(Double(), (example,), tmp_path / "a.pt2"), tmp_path / "f.tflite")


def test_refuses_pytorch_exports_that_still_train(torch: Any, tmp_path: Path) -> None:
    for layer in (torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(3)):
        model = export(layer.train(), (torch.zeros(2, 3),), tmp_path / "a.pt2")
        with pytest.raises(ConversionError, match=r"exported in training.*net\.eval"):
            to_float_tflite(model, tmp_path / "f.tflite")


def test_converts_a_net_that_names_its_outputs(torch: Any, tmp_path: Path) -> None:
    class Two(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return {"mood": x[:, :2] + 1, "age": x.sum(1)}

    model, out = export(Two(), (torch.zeros(1, 3),), tmp_path / "a.pt2"), tmp_path / "f.tflite"
    assert to_float_tflite(model, out) == "PyTorch"  # compares outputs, each with its own


def test_keeps_weights_apart_that_training_left_in_another_layout(
    torch: Any, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(1, 8, 3), torch.nn.Conv2d(8, 8, 3), torch.nn.Conv2d(8, 8, 3)]
    net = torch.nn.Sequential(*layers).eval().to(memory_format=torch.channels_last)
    model, out = export(net, (torch.zeros(1, 1, 9, 9),), tmp_path / "a.pt2"), tmp_path / "f.tflite"
    assert to_float_tflite(model, out) == "PyTorch"  # compares outputs, and raises if they differ

    from edge.perception.interpreter import Model

    probe = torch.randn(1, 1, 9, 9)
    converted = Model(out)
    given = converted.run(probe.numpy(), converted.outputs[0])
    assert abs(given - net(probe).detach().numpy()).max() < 1e-4
