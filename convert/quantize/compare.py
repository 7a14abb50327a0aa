"""Compares an int8 model with the float one that it was made from: outputs, then layers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convert.errors import ConversionError
from convert.quantize.graph import Graph

Sample = NDArray[np.float32]

_INT8_DB: Final = 50.0
"""What 8 bits can tell at best: a layer loses nothing that no int8 input has."""
_CLEAN_DB: Final = 120.0
"""Shown for a layer without any noise: more than 32-bit floats can tell."""


@dataclass(frozen=True)
class OutputCheck:
    """How one output of both models compares over all samples."""

    name: str
    shape: tuple[int, ...]
    scale: float
    """Real size of one step of the int8 output; 0 if it stayed in floats."""
    mean_error: float
    """Mean absolute difference, in steps (in real units if `scale` is 0)."""
    max_error: float
    agreement: float | None
    """Share of samples whose greatest value is the same; None if the output is no list of classes."""
    classes_seen: int | None
    """How many classes the float model named at all."""


@dataclass(frozen=True)
class LayerCheck:
    """How much of a layer's output is noise in the int8 model."""

    number: int
    """Place in the float graph, from 0."""
    operation: str
    name: str
    shape: tuple[int, ...]
    sqnr_db: float
    """Power of the float output over the power of the difference, errors from before included."""
    lost_db: float
    """How much worse that is than the worst of its inputs (at most what 8 bits can tell): what this
    layer itself loses."""


def compare_outputs(
    floating: Path, quantized: Path, samples: Iterable[Sample]
) -> tuple[OutputCheck, ...]:
    """Run both models over *samples*.

    Raises:
        ConversionError: the float model gives values that are no number.
    """
    before, after = _Runner(floating), _Runner(quantized)
    wanted: list[list[NDArray[np.float32]]] = []
    given: list[list[NDArray[np.float32]]] = []
    for sample in samples:
        wanted.append(before.outputs(sample))
        given.append(after.outputs(sample))
    if not all(np.isfinite(output).all() for outputs in wanted for output in outputs):
        raise ConversionError(
            f"The float model {floating.name} gives values that are no number (NaN or infinite) "
            "on the samples; mend the net, or check that the samples are scaled as in training."
        )
    return tuple(
        compare_output(
            np.stack([outputs[index] for outputs in wanted]),
            np.stack([outputs[index] for outputs in given]),
            str(detail["name"]),
            _scale(detail) or float(np.issubdtype(detail["dtype"], np.integer)),
            whole=_scale(detail) == 0 and np.issubdtype(detail["dtype"], np.integer),
        )
        for index, detail in enumerate(after.details)
    )


def compare_output(
    wanted: NDArray[np.float32],
    given: NDArray[np.float32],
    name: str,
    scale: float,
    whole: bool = False,
) -> OutputCheck:
    """Compare real values [samples, *shape] of the float and the int8 model.

    A single *whole* number is taken for the number of a class, as argmax gives it.
    """
    shape = wanted.shape[1:]
    error = np.abs(wanted - given) / (scale or 1.0)
    agreement, seen = None, None
    if whole and wanted[0].size == 1:
        agreement, seen = float(np.mean(wanted == given)), len(np.unique(wanted))
    elif shape and shape[-1] > 1 and max(shape[:-1], default=1) == 1:
        top = wanted.reshape(len(wanted), -1).argmax(axis=1)
        agreement = float(np.mean(top == given.reshape(len(given), -1).argmax(axis=1)))
        seen = len(np.unique(top))
    return OutputCheck(
        name=name,
        shape=tuple(int(side) for side in shape),
        scale=scale,
        mean_error=float(error.mean()),
        max_error=float(error.max()),
        agreement=agreement,
        classes_seen=seen,
    )


def compare_layers(
    floating: Path, quantized: Path, graph: Graph, samples: Sequence[Sample]
) -> list[LayerCheck]:
    """Signal-to-quantization-noise ratio of every layer whose tensor is in both models.

    The quantizer keeps the names of tensors, so that they are matched by name.

    Args:
        floating: the float model.
        quantized: the int8 model made from it.
        graph: of the float model.
        samples: a few are enough.
    """
    before, after = _Runner(floating, keep_all=True), _Runner(quantized, keep_all=True)
    produced = {tensor.name for op in graph.operations for tensor in op.outputs}
    names = [*produced, *(tensor.name for tensor in graph.inputs)]
    signal: dict[str, float] = dict.fromkeys(names, 0.0)
    noise: dict[str, float] = dict.fromkeys(names, 0.0)
    compared: set[str] = set()
    for sample in samples:
        before.outputs(sample)
        after.outputs(sample)
        for name in names:
            wanted, given = before.tensor(name), after.tensor(name)
            if wanted is None or given is None or wanted.shape != given.shape:
                continue
            compared.add(name)
            signal[name] += float(np.sum(np.square(wanted, dtype=np.float64)))
            noise[name] += float(np.sum(np.square(wanted - given, dtype=np.float64)))
    ratios = {name: sqnr_db(signal[name], noise[name]) for name in compared}
    layers = []
    for number, operation in enumerate(graph.operations):
        tensor = operation.outputs[0]
        if tensor.name not in ratios:
            continue
        own = ratios[tensor.name]
        sources = [ratios[t.name] for t in operation.inputs if t and t.name in ratios]
        lost = max(0.0, min(*sources, _INT8_DB) - own) if sources else 0.0
        layers.append(
            LayerCheck(
                number, operation.name, tensor.name, tensor.shape, own, min(lost, own + lost)
            )
        )
    return layers


def sqnr_db(signal: float, noise: float) -> float:
    """10 log10(signal / noise), at most 120; a silent tensor without noise counts as clean."""
    if noise <= 0:
        return _CLEAN_DB
    if signal <= 0:
        return -_CLEAN_DB
    return float(np.clip(10 * np.log10(signal / noise), -_CLEAN_DB, _CLEAN_DB))


class _Runner:
    """A model that takes and gives real values, whatever its tensors are."""

    def __init__(self, file: Path, keep_all: bool = False) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        # A delegate would keep what lies between to itself.
        resolver = (
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if keep_all else OpResolverType.AUTO
        )
        self._interpreter: Any = Interpreter(
            model_path=str(file),
            experimental_preserve_all_tensors=keep_all,
            experimental_op_resolver_type=resolver,
        )
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self.details = self._interpreter.get_output_details()
        # Tensors without a shape and constants of no layer are never asked for.
        self._tensors = {d["name"]: d for d in self._interpreter.get_tensor_details()}

    def outputs(self, sample: Sample) -> list[NDArray[np.float32]]:
        """One inference: a real input -> every output in real values."""
        self._interpreter.set_tensor(self._input["index"], _quantize(sample, self._input))
        self._interpreter.invoke()
        return [self._real(detail) for detail in self.details]

    def tensor(self, name: str) -> NDArray[np.float32] | None:
        """What the last inference left in the tensor of that name; None if there is none."""
        detail = self._tensors.get(name)
        if detail is None or detail["dtype"] not in (np.float32, np.int8, np.int16, np.int32):
            return None
        if detail["dtype"] != np.float32 and _scale(detail) == 0:
            return None
        try:
            return self._real(detail)
        except ValueError:  # no memory was given to it: the runtime folded it away
            return None

    def _real(self, detail: dict[str, Any]) -> NDArray[np.float32]:
        values = self._interpreter.get_tensor(detail["index"])
        scale = _scale(detail)
        if scale == 0:
            return np.asarray(values, np.float32)
        zero = int(detail["quantization_parameters"]["zero_points"][0])
        return ((values.astype(np.float32) - zero) * np.float32(scale)).astype(np.float32)


def _scale(detail: dict[str, Any]) -> float:
    scales = detail["quantization_parameters"]["scales"]
    return float(scales[0]) if len(scales) else 0.0


def _quantize(sample: Sample, detail: dict[str, Any]) -> NDArray[Any]:
    scale = _scale(detail)
    if scale == 0:
        return np.asarray(sample, detail["dtype"])
    zero = int(detail["quantization_parameters"]["zero_points"][0])
    limits = np.iinfo(detail["dtype"])
    steps = np.rint(sample / np.float32(scale)) + zero
    return np.clip(steps, limits.min, limits.max).astype(detail["dtype"])
