"""`python -m convert quantize`: a person's own model -> an int8 one, checked against the float."""

import contextlib
import errno
import io
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import track

from convert.errors import ConversionError
from convert.int8.static import LEAST_AGREEMENT, name_outputs, quantize_static
from convert.quantize.compare import compare_layers, compare_outputs
from convert.quantize.graph import check_float, read_graph
from convert.quantize.report import Report
from convert.quantize.samples import load_samples
from convert.quantize.sources import kind_of, to_float_tflite
from edge.perception.interpreter import Model
from edge.process.printable import printable
from edge.process.regular_files import is_one_of
from edge.process.written_files import nearest_there, written_whole

_ROOM_TIMES: Final = 4
"""The float and the int8 .tflite, and what TensorFlow writes on the way, in sizes of the model."""
_ROOM_LEAST_BYTES: Final = 8_000_000
LAYER_SAMPLES: Final = 8
"""A layer's noise hardly differs from sample to sample; each costs a run without delegates."""


def quantize(
    model: Path,
    samples: Path,
    out: Path,
    input_range: tuple[float, float] | None = None,
    limit: int = 500,
    report_file: Path | None = None,
    console: Console | None = None,
) -> Report:
    """Write the int8 version of *model* to *out* and report how it compares.

    Args:
        model: a float .tflite, .pt2, .keras, .h5 or SavedModel folder.
        samples: folder of real inputs; see `load_samples`.
        out: the int8 .tflite.
        input_range: see `load_samples`.
        limit: most samples to use.
        report_file: where the report goes as JSON.
        console: where tables and progress go.

    Raises:
        ConversionError: the model cannot be quantized, *out* cannot be written, or the int8 model
            names another class than the float one on more than a tenth of the samples.
        DataError: the samples are of no use.
    """
    console = console or Console()
    kind_of(model)
    _check_writable(out, model, samples)
    if report_file is not None:
        _check_writable(report_file, model, samples)
        if report_file.resolve() == out.resolve():
            raise ConversionError(f"{out} cannot be model and report; name two files.")
    with _quiet(), _room_explained(model), tempfile.TemporaryDirectory() as folder:
        floating, quantized = Path(folder) / "float.tflite", Path(folder) / "int8.tflite"
        with console.status(f"reading {escape(printable(model.name))}"):
            kind = to_float_tflite(model, floating)
            taken = check_float(read_graph(floating, str(model)), str(model))
            name_outputs(floating)
            graph = read_graph(floating)
        with console.status(f"reading samples from {escape(printable(samples))}"):
            real = load_samples(samples, taken.shape, input_range, limit)
        with console.status("quantizing"):
            _quantize(model, floating, real.values, quantized, (real.low, real.high))
        compared = track(real.values, "comparing with the float model", console=console)
        outputs = compare_outputs(floating, quantized, compared)
        with console.status("looking for the worst layers"):
            layers = compare_layers(floating, quantized, graph, real.values[:LAYER_SAMPLES])
        report = Report(
            model=str(model),
            kind=kind,
            out=str(out),
            float_bytes=floating.stat().st_size,
            int8_bytes=quantized.stat().st_size,
            macs=graph.macs,
            uncounted=graph.uncounted,
            left_in_float=read_graph(quantized).left_in_float,
            input=Model(quantized).input,
            samples=len(real.values),
            skipped=real.skipped,
            outside=real.outside,
            outputs=outputs,
            layers=tuple(layers),
        )
        _write(out, quantized.read_bytes())
    report.print(console)
    if report_file is not None:
        _write(report_file, report.to_json().encode())
    if report.agreement is not None and report.agreement < LEAST_AGREEMENT:
        raise ConversionError(
            f"{out} was written, but names the same class as the float model on only "
            f"{report.agreement:.1%} of the samples; check --input-range, give more samples, or "
            "train the net for int8 (see the worst layers)."
        )
    return report


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings and log lines of the converters, which name no remedy, off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _room_explained(model: Path) -> Iterator[None]:
    """Say in a sentence that files could not be read or written on the way."""
    _check_room(model)
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ConversionError(_no_room(model)) from error
        raise ConversionError(
            f"{error.filename or model} cannot be read or written ({error.strerror or error}); "
            "check who may use it."
        ) from error


def _check_room(model: Path) -> None:
    """Find out early that temporary files will not fit: the quantizer crashes on a full disk."""
    files = [model] if model.is_file() else [file for file in model.rglob("*") if file.is_file()]
    needed = _ROOM_TIMES * sum(file.stat().st_size for file in files) + _ROOM_LEAST_BYTES
    if shutil.disk_usage(tempfile.gettempdir()).free < needed:
        raise ConversionError(_no_room(model))


def _no_room(model: Path) -> str:
    return (
        f"There is too little room in {tempfile.gettempdir()} to convert {model}; free some space "
        "there, or set TMPDIR to a folder with more."
    )


def _quantize(
    model: Path, floating: Path, values: list[Any], out: Path, ends: tuple[float, float]
) -> None:
    try:
        # The quantizer draws a bar for every pass over the net.
        with contextlib.redirect_stderr(io.StringIO()):
            quantize_static(floating, values, out, ends, report=False)
    except (ModuleNotFoundError, ConversionError, OSError):
        raise
    except Exception as error:  # the quantizer raises what it stumbles over, operation by operation
        lines = str(error).strip().splitlines() or [type(error).__name__]
        kinds = ", ".join(read_graph(floating).uncounted)
        remedy = f"do without {kinds}" if kinds else "replace what is named, or an LSTM"
        raise ConversionError(
            f"{model} cannot be quantized ({lines[0][:160]}); {remedy}, or convert the net again "
            "with current tools."
        ) from error


def _check_writable(file: Path, model: Path, samples: Path) -> None:
    """Find out before the work, not after it, that *file* cannot be written."""
    if file.is_dir():
        raise ConversionError(f"{file} is a folder; name the file to write.")
    if file.exists() and is_one_of(file, [model, *model.rglob("*"), *samples.rglob("*")]):
        raise ConversionError(f"{file} is the model itself or a sample; write to another file.")
    try:
        # The folder itself is made with the file, so that a failure leaves none behind.
        with tempfile.TemporaryFile(dir=nearest_there(file.parent)):
            pass
    except OSError as error:
        raise ConversionError(
            f"{file} cannot be written ({error.strerror}); choose a folder that you may write to."
        ) from error


def _write(file: Path, content: bytes) -> None:
    """Write *file* whole or not at all."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(file) as stream:
            stream.write(content)
    except OSError as error:
        raise ConversionError(
            f"{file} cannot be written ({error.strerror}); free some space, or choose another folder."
        ) from error
