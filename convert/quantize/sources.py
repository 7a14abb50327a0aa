"""A model as people bring it -> a float .tflite."""

import contextlib
import errno
import importlib
import io
import re
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convert.errors import ConversionError

_HOW: Final = (
    "give a float .tflite, a PyTorch export (.pt2), a Keras file (.keras, .h5) or a SavedModel "
    "folder"
)
_SIGNATURE: Final = "serving_default"
"""The entry point of a SavedModel that has several."""
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_LOADING: Final = (
    "call net.export('folder') where the net was made, and give that folder; if it is of Keras 2, "
    "pip install tf-keras and set TF_USE_LEGACY_KERAS=1."
)
_CONVERTING: Final = (
    "replace the operation that is named; recurrent layers need unroll=True, and mixed precision "
    "has to be off."
)
_PROBES: Final = 3
_TOLERANCE: Final = 0.01
"""Of the largest output: rounding in another order stays a hundred times below."""
_REMEDIES: Final = {
    suffix: (
        "holds weights without the net, or a pickled net; export it with "
        "torch.export.save(torch.export.export(net.eval(), (example,)), 'net.pt2')"
    )
    for suffix in (".pt", ".pth", ".ckpt", ".safetensors", ".bin")
} | {
    ".onnx": "is an ONNX file, which is not read here; export the net from where it was trained",
    ".pb": "is a part of a SavedModel or a frozen graph; give the whole SavedModel folder",
}


def kind_of(model: Path) -> str:
    """What *model* is by its name: "LiteRT", "PyTorch", "Keras" or "SavedModel".

    Raises:
        ConversionError: *model* is missing or of another kind.
    """
    if model.is_dir():
        if any((model / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt")):
            return "SavedModel"
        raise ConversionError(f"The folder {model} holds no saved_model.pb; {_HOW}.")
    if not model.exists():
        raise ConversionError(f"The model {model} is not there; check the path.")
    suffix = model.suffix.lower()
    kinds = {".tflite": "LiteRT", ".pt2": "PyTorch", ".keras": "Keras", ".h5": "Keras"}
    if suffix in kinds:
        return kinds[suffix]
    if suffix in _REMEDIES:
        raise ConversionError(f"{model} {_REMEDIES[suffix]}.")
    raise ConversionError(f"{model} is of no kind that is known here; {_HOW}.")


def to_float_tflite(model: Path, out: Path) -> str:
    """Write *model* as a float .tflite to *out*; returns its kind.

    Raises:
        ConversionError: *model* is missing, unknown, damaged or cannot be converted.
    """
    kind = kind_of(model)
    if kind == "LiteRT":
        shutil.copyfile(model, out)
    elif kind == "PyTorch":
        _from_pytorch(model, out)
    else:
        _from_tensorflow(model, kind, out)
    return kind


def _from_pytorch(model: Path, out: Path) -> None:
    import litert_torch
    import torch

    try:
        program: Any = torch.export.load(model)
        arguments, keywords = program.example_inputs
    except Exception as error:  # a damaged archive raises whatever its reader stumbles over
        raise ConversionError(
            f"{model} is no PyTorch export that torch {torch.__version__} can read; save it with "
            "torch.export.save(torch.export.export(net.eval(), (example,)), FILE)."
        ) from error
    inputs = [*arguments, *keywords.values()]
    if len(inputs) != 1:
        raise ConversionError(
            f"{model} takes {len(inputs)} inputs, only models of one input can be quantized here; "
            "wrap the net so that it takes a single tensor."
        )
    for node in program.graph.nodes:
        shape = getattr(node.meta.get("val"), "shape", ())
        if node.op == "placeholder" and any(not isinstance(side, int) for side in shape):
            sides = ", ".join(str(side) for side in shape)
            raise ConversionError(
                f"{model} takes inputs of any size ({sides}); export it with an example of the "
                "size that the device will feed and without dynamic_shapes."
            )
    kind = str(getattr(inputs[0], "dtype", type(inputs[0]).__name__)).removeprefix("torch.")
    if kind != "float32":
        raise ConversionError(
            f"{model} takes {kind}, not float32; export net.float() with an example of float32."
        )
    if _is_training(program):
        raise ConversionError(
            f"{model} was exported in training, batch norm or dropout still act in it; call "
            "net.eval() before torch.export, and export again."
        )
    for weights in program.state_dict.values():
        # Those left in the channels_last layout by training come out as each other's copies.
        weights.data = weights.data.contiguous()
    net = program.module()
    try:
        # The converter prints a line for every step it takes.
        with contextlib.redirect_stdout(io.StringIO()):
            converted = litert_torch.convert(net, arguments, keywords or None)
            converted.export(str(out))
    except Exception as error:  # each operation may fail in a way of its own
        _pass_on_full_disk(error)
        raise ConversionError(
            f"{model} cannot be converted to LiteRT ({_first_line(error)}); replace the operation "
            "that is named, or export from another version of the net."
        ) from error
    _check_conversion(model, net, converted, inputs[0].shape, list(keywords))


def _is_training(program: Any) -> bool:
    """Whether batch norm or dropout still act in an export."""
    for node in program.graph.nodes:
        taken = getattr(getattr(node.target, "_schema", None), "arguments", ())
        named = dict(zip((each.name for each in taken), node.args, strict=False)) | node.kwargs
        # Without running averages, batch norm has no other way to work.
        averaged = named.get("running_mean") is not None
        if named.get("train") is True or (named.get("training") is True and averaged):
            return True
    return False


def _check_conversion(
    model: Path, net: Any, converted: Any, shape: Sequence[int], keywords: list[str]
) -> None:
    """Refuse a .tflite that does not do what the net does."""
    import torch

    generator = torch.Generator().manual_seed(0)
    for _ in range(_PROBES):
        probe = torch.randn(*shape, generator=generator)
        call = ((), {keywords[0]: probe}) if keywords else ((probe,), {})
        with torch.inference_mode():
            wanted = _leaves(net(*call[0], **call[1]))
        with contextlib.redirect_stdout(io.StringIO()):
            given = _leaves(converted(*call[0], **call[1]))
        largest = max((float(np.abs(value).max()) for value in wanted), default=0.0)
        error = max(
            (float(np.abs(a - b).max()) for a, b in zip(wanted, given, strict=True)), default=0.0
        )
        if error > _TOLERANCE * max(largest, 1e-3):
            raise ConversionError(
                f"{model} came out of the conversion to LiteRT with other outputs (up to "
                f"{error:.3g} off, of {largest:.3g}); call net.eval() before torch.export, and "
                "export again."
            )


def _leaves(outputs: Any) -> list[NDArray[np.float64]]:
    """Every output in order, whether a net gives one, several or named ones (by their names)."""
    if isinstance(outputs, dict):
        outputs = [outputs[name] for name in sorted(outputs)]
    if isinstance(outputs, (list, tuple)):
        return [leaf for output in outputs for leaf in _leaves(output)]
    return [np.asarray(outputs, np.float64)]


def _from_tensorflow(model: Path, kind: str, out: Path) -> None:
    """The one place that knows TensorFlow, which is needed for Keras and SavedModel alone."""
    _check_whole(model)
    try:
        tensorflow: Any = importlib.import_module("tensorflow")
    except ModuleNotFoundError as error:
        raise ConversionError(
            f"Reading the {kind} model {model} needs TensorFlow, which is not installed; "
            "pip install tensorflow."
        ) from error
    converters = tensorflow.lite.TFLiteConverter
    remedy = _LOADING if kind == "Keras" else "save it again with this version of TensorFlow."
    try:
        # The converter prints every variable that it saves.
        with contextlib.redirect_stdout(io.StringIO()):
            if kind == "Keras":
                net = tensorflow.keras.models.load_model(str(model), compile=False)
                converter = converters.from_keras_model(net)
            else:
                entry = _entry_point(model, tensorflow.saved_model.load(str(model)).signatures)
                converter = converters.from_saved_model(str(model), signature_keys=entry)
            remedy = _CONVERTING
            content = converter.convert()
    except ConversionError:
        raise
    except Exception as error:  # Keras and the converter raise whatever they stumble over
        _pass_on_full_disk(error)
        raise ConversionError(
            f"TensorFlow cannot convert the {kind} model {model} ({_first_line(error)}); {remedy}"
        ) from error
    out.write_bytes(content)


def _check_whole(model: Path) -> None:
    """Tell a torn or wrongly named Keras file from one that only TensorFlow can judge."""
    if model.is_dir():
        return
    whole = zipfile.is_zipfile(model)
    if model.suffix.lower() == ".h5":
        with model.open("rb") as file:
            whole = file.read(len(_HDF5)) == _HDF5
    if not whole:
        raise ConversionError(
            f"{model} is damaged or no {model.suffix} file at all; save it again with "
            f"net.save('net{model.suffix}')."
        )


def _entry_point(model: Path, signatures: Sequence[str]) -> list[str] | None:
    """The one signature to convert, None if there is none at all."""
    names = sorted(signatures)
    if _SIGNATURE in names:
        return [_SIGNATURE]
    if len(names) > 1:
        raise ConversionError(
            f"{model} has several signatures ({', '.join(names)}) and none is called {_SIGNATURE}; "
            "save it with the one to convert under that name."
        )
    return names or None


def _pass_on_full_disk(error: Exception) -> None:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        raise error


def _first_line(error: BaseException) -> str:
    """What a converter says, without the places in its own code and the net's that it names."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"^.*?error: (loc\(.*\): )?", "", lines[0])[:160]
