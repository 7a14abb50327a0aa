"""What a .tflite holds: its operations, the tensors between them, and how much work they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

from convert.errors import ConversionError

_MAGIC: Final = b"TFL3"
"""Bytes 4 to 8 of every .tflite (its flatbuffer's file identifier)."""
_UNCOUNTED: Final = frozenset(
    {
        "LSTM",
        "RNN",
        "SVDF",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "UNIDIRECTIONAL_SEQUENCE_RNN",
        "BIDIRECTIONAL_SEQUENCE_RNN",
        "WHILE",
        "IF",
        "CALL",
        "CUSTOM",
        "STABLEHLO_COMPOSITE",
    }
)
"""Operations that may multiply, but whose work does not follow from the shapes around them."""


@dataclass(frozen=True)
class GraphTensor:
    """A tensor as the file describes it."""

    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    """The shape with -1 for each side that is open."""
    dtype: str
    """As in the schema: FLOAT32, INT8, ..."""
    quantized: bool


@dataclass(frozen=True)
class Operation:
    """One node of the graph."""

    name: str
    """As in the schema: CONV_2D, ..."""
    inputs: tuple[GraphTensor | None, ...]
    """None for an optional input that is absent."""
    outputs: tuple[GraphTensor, ...]


@dataclass(frozen=True)
class Graph:
    """The main subgraph of a model."""

    inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...]
    operations: tuple[Operation, ...]
    signatures: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference (batch 1)."""
        return sum(macs_of(operation) for operation in self.operations)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Kinds of operations that `macs` leaves out although they may multiply."""
        return tuple(sorted({op.name for op in self.operations} & _UNCOUNTED))

    @property
    def left_in_float(self) -> tuple[str, ...]:
        """Kinds of operations that give floats although an int8 model should not."""
        kinds = {
            op.name
            for op in self.operations
            if op.name != "DEQUANTIZE" and any(out.dtype == "FLOAT32" for out in op.outputs)
        }
        return tuple(sorted(kinds))


def macs_of(operation: Operation) -> int:
    """Multiply-accumulates of one operation, from the shapes of its tensors.

    Weights lie as [out, h, w, in] in CONV_2D and TRANSPOSE_CONV, [1, h, w, out] in
    DEPTHWISE_CONV_2D, [out, in] in FULLY_CONNECTED and [d, h, w, in, out] in CONV_3D. Element-wise
    operations, sums and pooling count as none, as is the custom.
    """
    if operation.name not in _WORK:
        return 0
    shapes = [() if tensor is None else tensor.shape for tensor in operation.inputs]
    return _WORK[operation.name](shapes, operation.outputs[0].shape)


Shapes = Sequence[tuple[int, ...]]
Shape = tuple[int, ...]


def _transpose_conv(inputs: Shapes, _: Shape) -> int:
    outputs, height, width = inputs[1][:3]
    return prod(inputs[2]) * outputs * height * width


def _batch_matmul(inputs: Shapes, output: Shape) -> int:
    # Whether or not the first factor is transposed, its last two sides are M and K.
    return prod(output) * prod(inputs[0][-2:]) // max(output[-2], 1)


_WORK: Final[dict[str, Any]] = {
    "CONV_2D": lambda inputs, output: prod(output) * prod(inputs[1][1:]),
    "DEPTHWISE_CONV_2D": lambda inputs, output: prod(output) * prod(inputs[1][1:3]),
    "FULLY_CONNECTED": lambda inputs, output: prod(output) * inputs[1][-1],
    "CONV_3D": lambda inputs, output: prod(output) * prod(inputs[1][:-1]),
    "TRANSPOSE_CONV": _transpose_conv,
    "BATCH_MATMUL": _batch_matmul,
}


def read_graph(file: Path, name: str = "") -> Graph:
    """Read the main subgraph of *file*, which messages call *name*.

    Raises:
        ConversionError: *file* is no .tflite, or a broken one.
    """
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_litert.tools import flatbuffer_utils

    content, name = file.read_bytes(), name or str(file)
    if content[4:8] != _MAGIC:
        raise ConversionError(
            f"{name} is no .tflite model; convert the net to LiteRT first, or give its Keras "
            "file, SavedModel folder or PyTorch export (.pt2)."
        )
    try:
        # The interpreter verifies the file; the Python reader would stumble over a broken one.
        Interpreter(model_content=content)
        model: Any = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    except (ValueError, RuntimeError, IndexError, TypeError) as error:
        raise ConversionError(
            f"{name} is a damaged .tflite or uses operations that LiteRT does not have "
            f"({_first_line(error)}); export it again."
        ) from error
    graph: Any = model.subgraphs[0]
    codes = flatbuffer_utils.schema_fb.TensorType
    kinds = {value: name for name, value in vars(codes).items() if isinstance(value, int)}
    tensors = [_tensor(tensor, kinds) for tensor in graph.tensors]
    operations = tuple(
        Operation(
            name=str(flatbuffer_utils.opcode_to_name(model, node.opcodeIndex)),
            inputs=tuple(tensors[i] if i >= 0 else None for i in _indices(node.inputs)),
            outputs=tuple(tensors[i] for i in _indices(node.outputs)),
        )
        for node in (graph.operators or ())
    )
    return Graph(
        inputs=tuple(tensors[i] for i in _indices(graph.inputs)),
        outputs=tuple(tensors[i] for i in _indices(graph.outputs)),
        operations=operations,
        signatures=len(model.signatureDefs or ()),
    )


def check_float(graph: Graph, name: str) -> GraphTensor:
    """The single float input of *graph*, ready to be quantized.

    Args:
        graph: of a model that a person brought.
        name: of the model, for messages.

    Raises:
        ConversionError: it is quantized already, takes several inputs or open shapes, or does not
            take floats.
    """
    if len(graph.inputs) != 1:
        found = ", ".join(f"{tensor.name} {list(tensor.shape)}" for tensor in graph.inputs)
        raise ConversionError(
            f"{name} takes {len(graph.inputs)} inputs ({found}), only models of one input can be "
            "quantized here; export a version with the others fixed or joined into one."
        )
    taken = graph.inputs[0]
    used = [tensor for op in graph.operations for tensor in op.inputs if tensor] + [taken]
    if taken.dtype != "FLOAT32" and not taken.quantized:
        raise ConversionError(
            f"{name} takes {taken.dtype.lower()}, not 32-bit floats; export the net so that it "
            "takes what comes after look-ups and casts."
        )
    if any(tensor.dtype == "RESOURCE" for tensor in used):
        # Reading such a tensor crashes the interpreter.
        raise ConversionError(
            f"{name} keeps its weights as variables; save it with them frozen, as Keras does by "
            "net.export('folder')."
        )
    if any(tensor.quantized or tensor.dtype in ("INT8", "UINT8", "INT4") for tensor in used):
        raise ConversionError(
            f"{name} is quantized already; give the float model that it was made from."
        )
    if any(tensor.dtype == "FLOAT16" for tensor in used):
        raise ConversionError(
            f"{name} keeps its weights as 16-bit floats; export it without optimisations, in "
            "32-bit floats."
        )
    if any(side < 0 for side in taken.signature[1:]) or not taken.shape:
        open_shape = [None if side < 0 else side for side in taken.signature]
        raise ConversionError(
            f"{name} takes inputs of any size {open_shape}; int8 models for the device need a "
            "fixed one: export it with the size that the device will feed."
        )
    if taken.shape[0] != 1:
        raise ConversionError(
            f"{name} takes batches of {taken.shape[0]} ({list(taken.shape)}); export it with a "
            "batch of 1, one inference at a time is what the device runs."
        )
    if graph.signatures != 1:
        raise ConversionError(
            f"{name} has {graph.signatures} signatures, exactly one is needed; convert it again "
            "with a current converter and a single entry point."
        )
    return taken


def _tensor(tensor: Any, kinds: dict[int, str]) -> GraphTensor:
    shape = tuple(int(side) for side in _indices(tensor.shape))
    signature = tuple(int(side) for side in _indices(tensor.shapeSignature)) or shape
    name = tensor.name.decode(errors="replace") if isinstance(tensor.name, bytes) else tensor.name
    scales = getattr(tensor.quantization, "scale", None)
    return GraphTensor(
        name=str(name or ""),
        shape=shape,
        signature=signature,
        dtype=kinds.get(tensor.type, str(tensor.type)),
        quantized=scales is not None and len(scales) > 0,
    )


def _indices(values: Any) -> list[int]:
    """A flatbuffer vector, which is None when it is empty."""
    return [] if values is None else [int(value) for value in values]


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else type(error).__name__
