import json
from pathlib import Path

import pytest

pytest.importorskip("ai_edge_litert")

from convert.errors import ConversionError
from convert.quantize.graph import Graph, GraphTensor, Operation, check_float, macs_of, read_graph
from edge.config.paths import MODELS
from tests.fakes.tflite import write_classifier


def tensor(*shape: int) -> GraphTensor:
    return GraphTensor("t", shape, shape, "FLOAT32", quantized=False)


def work(name: str, inputs: list[tuple[int, ...] | None], output: tuple[int, ...]) -> int:
    taken = tuple(None if shape is None else tensor(*shape) for shape in inputs)
    return macs_of(Operation(name, taken, (tensor(*output),)))


@pytest.mark.parametrize(
    ("name", "inputs", "output", "macs"),
    [
        ("CONV_2D", [(1, 34, 34, 3), (8, 3, 3, 3), (8,)], (1, 16, 16, 8), 16 * 16 * 8 * 27),
        # grouped: each output sees 4 of the 8 inputs
        ("CONV_2D", [(1, 5, 5, 8), (6, 1, 1, 4), None], (1, 5, 5, 6), 25 * 6 * 4),
        ("DEPTHWISE_CONV_2D", [(1, 9, 9, 4), (1, 3, 3, 8), (8,)], (1, 7, 7, 8), 49 * 8 * 9),
        ("FULLY_CONNECTED", [(1, 8), (5, 8), None], (1, 5), 40),
        ("TRANSPOSE_CONV", [(4,), (8, 2, 2, 16), (1, 4, 4, 16)], (1, 8, 8, 8), 256 * 8 * 4),
        ("BATCH_MATMUL", [(2, 3, 5), (2, 5, 7)], (2, 3, 7), 2 * 3 * 5 * 7),
        ("BATCH_MATMUL", [(2, 5, 3), (2, 5, 7)], (2, 3, 7), 2 * 3 * 5 * 7),
        ("ADD", [(1, 8), (1, 8)], (1, 8), 0),
        ("MAX_POOL_2D", [(1, 8, 8, 4)], (1, 4, 4, 4), 0),
    ],
)
def test_counts_the_work_of_an_operation(
    name: str, inputs: list[tuple[int, ...] | None], output: tuple[int, ...], macs: int
) -> None:
    assert work(name, inputs, output) == macs


@pytest.mark.parametrize("role", ["face", "voice"])
def test_finds_the_work_that_the_training_net_has(role: str) -> None:
    entry = json.loads((MODELS / "manifest.json").read_text())[role]
    assert read_graph(MODELS / entry["file"]).macs == entry["macs"]


def test_says_which_operations_were_not_counted_and_which_stayed_in_floats() -> None:
    whole = Operation("ADD", (), (GraphTensor("a", (1,), (1,), "INT8", True),))
    odd = Operation("WHILE", (), (tensor(1),))
    last = Operation("DEQUANTIZE", (), (tensor(1),))
    graph = Graph((), (), (whole, odd, last), 1)
    assert graph.uncounted == ("WHILE",)
    assert graph.left_in_float == ("WHILE",)


def test_takes_a_float_model_with_an_open_batch(tmp_path: Path) -> None:
    file = tmp_path / "net.tflite"
    write_classifier(file, (1, 6, 8, 3), signature=(-1, 6, 8, 3))
    assert check_float(read_graph(file), "net").shape == (1, 6, 8, 3)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"inputs": 2}, "takes 2 inputs"),
        ({"signature": (1, -1, -1, 3)}, r"any size \[1, None, None, 3\]"),
        ({"shape": (4, 6, 8, 3)}, "batches of 4"),
        ({"half": True}, "16-bit floats"),
        ({"signed": False}, "0 signatures"),
    ],
)
def test_refuses_a_model_that_it_cannot_quantize(
    tmp_path: Path, made: dict[str, object], words: str
) -> None:
    file = tmp_path / "net.tflite"
    write_classifier(file, **made)  # type: ignore[arg-type]
    with pytest.raises(ConversionError, match=words):
        check_float(read_graph(file), "net.tflite")


HANDLE = GraphTensor("w", (), (), "RESOURCE", quantized=False)
VARIABLE = Operation("READ_VARIABLE", (HANDLE,), (tensor(9, 4),))


def whole(dtype: str) -> Graph:
    return Graph((GraphTensor("tokens", (1, 9), (1, 9), dtype, quantized=False),), (), (), 1)


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (read_graph(MODELS / "face_int8.tflite"), "quantized already"),
        (whole("INT32"), "takes int32"),
        (whole("UINT8"), "takes uint8"),
        (Graph((tensor(1, 9),), (), (VARIABLE,), 1), "keeps its weights as variables"),
    ],
)
def test_refuses_whole_numbers_and_weights_that_are_variables(graph: Graph, words: str) -> None:
    with pytest.raises(ConversionError, match=words):
        check_float(graph, "net")


def test_tells_a_damaged_model_from_none_at_all(tmp_path: Path) -> None:
    text, cut = tmp_path / "text.tflite", tmp_path / "cut.tflite"
    text.write_text("no model at all")
    content = (MODELS / "face_int8.tflite").read_bytes()
    cut.write_bytes(content[:4000])
    with pytest.raises(ConversionError, match=r"text.tflite is no \.tflite"):
        read_graph(text)
    with pytest.raises(ConversionError, match="mine is a damaged"):
        read_graph(cut, "mine")
