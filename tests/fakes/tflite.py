"""Writes small float .tflite models by hand, so that no exporter is needed to test with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]


def write_classifier(
    file: Path,
    shape: Shape = (1, 6, 8, 3),
    *,
    signature: Sequence[int] | None = None,
    inputs: int = 1,
    weights: NDArray[np.float32] | None = None,
    half: bool = False,
    signed: bool = True,
) -> NDArray[np.float32]:
    """Reshape, then a fully connected layer "logits" with 4 outputs; returns its weights.

    Args:
        file: where it goes.
        shape: of each input.
        signature: the shape with -1 for open sides.
        inputs: how many there are; all but the first are never used.
        weights: [4, values of an input]; random ones if None.
        half: store a second set of weights as 16-bit floats, unpacked by DEQUANTIZE.
        signed: whether the file names a signature.
    """
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    size = int(np.prod(shape))
    if weights is None:
        weights = np.random.default_rng(0).normal(size=(4, size)).astype(np.float32)
    model: Any = schema.ModelT()
    model.version, model.description, model.buffers = 3, "test", [schema.BufferT()]
    graph: Any = schema.SubGraphT()
    graph.name, graph.tensors, graph.operators = "main", [], []

    def tensor(name: str, sides: Shape, values: NDArray[Any] | None = None) -> int:
        made: Any = schema.TensorT()
        made.name, made.shape = name.encode(), list(sides)
        kinds = {"int32": schema.TensorType.INT32, "float16": schema.TensorType.FLOAT16}
        kind = "float32" if values is None else values.dtype.name
        made.type = kinds.get(kind, schema.TensorType.FLOAT32)
        made.buffer = 0
        if values is not None:
            buffer: Any = schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    codes: list[int] = []

    def operation(code: int, taken: list[int], given: list[int]) -> Any:
        if code not in codes:
            codes.append(code)
        made: Any = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = codes.index(code), taken, given
        graph.operators.append(made)
        return made

    entries = [tensor(f"in_{index}", shape) for index in range(inputs)]
    if signature is not None:
        graph.tensors[entries[0]].shapeSignature = list(signature)
    target = tensor("target", (2,), np.array([1, size], np.int32))
    flat, logits = tensor("flat", (1, size)), tensor("logits", (1, 4))
    operators = schema.BuiltinOperator
    operation(operators.RESHAPE, [entries[0], target], [flat])
    if half:
        packed = tensor("packed", weights.shape, weights.astype(np.float16))
        matrix = tensor("matrix", weights.shape)
        operation(operators.DEQUANTIZE, [packed], [matrix])
    else:
        matrix = tensor("matrix", weights.shape, weights)
    product = operation(operators.FULLY_CONNECTED, [flat, matrix, -1], [logits])
    product.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    product.builtinOptions = schema.FullyConnectedOptionsT()
    graph.inputs, graph.outputs = entries, [logits]
    for code in codes:
        entry: Any = schema.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = 1
        model.operatorCodes = [*(model.operatorCodes or []), entry]
    model.subgraphs = [graph]
    if signed:
        model.signatureDefs = [_signature(schema, entries, [logits])]
    flatbuffer_utils.write_model(model, str(file))
    return weights


def _signature(schema: Any, inputs: Sequence[int], outputs: Sequence[int]) -> Any:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    signature.inputs, signature.outputs = [], []
    for group, indices, name in (
        (signature.inputs, inputs, "x"),
        (signature.outputs, outputs, "y"),
    ):
        for number, index in enumerate(indices):
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = f"{name}{number}".encode(), index
            group.append(entry)
    return signature
