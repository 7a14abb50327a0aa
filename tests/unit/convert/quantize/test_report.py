import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from convert.quantize.compare import LayerCheck, compare_output
from convert.quantize.report import Report, short_name
from convert.quantize.samples import Skipped
from edge.perception.interpreter import TensorSpec


def a_report() -> Report:
    wanted = np.eye(4, dtype=np.float32)[:, None]
    layers = (
        LayerCheck(0, "PAD", "net/pad", (1, 6), 3.0, 0.0),
        LayerCheck(1, "CONV_2D", "net/Stage_0/torch.nn.Conv2d_0;1", (1, 3), 30.0, 1.0),
        LayerCheck(2, "ADD", "net/Stage_0/add", (1, 3), 20.0, 10.0),
    )
    return Report(
        model="net[1].tflite",
        kind="LiteRT",
        out="out.tflite",
        float_bytes=4000,
        int8_bytes=1000,
        macs=2_500_000,
        uncounted=(),
        left_in_float=(),
        input=TensorSpec("x", (1, 3), np.dtype(np.int8), 0.5, -3, 0),
        samples=200,
        skipped=(),
        outside=0.0,
        outputs=(compare_output(wanted, wanted, "serving_default_mood_output", 0.1),),
        layers=layers,
    )


def printed(report: Report) -> str:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    report.print(console)
    return console.export_text()


def test_shows_size_work_drop_and_worst_layers() -> None:
    text = printed(a_report())
    assert "4.0 kB float -> 1.0 kB int8 (4.0 times smaller)" in text
    assert "2.50 M multiply-accumulates" in text
    assert "real value = 0.5 * (integer +3)" in text
    assert "net[1].tflite" in text  # brackets are no markup
    assert "mood" in text and "100.0%" in text
    assert text.index("20.0 dB") < text.index("30.0 dB")
    assert "PAD" not in text  # moves values, makes no noise
    assert "note" not in text


def test_notes_what_makes_the_figures_doubtful() -> None:
    one_class = replace(a_report().outputs[0], classes_seen=1)
    report = replace(
        a_report(),
        samples=9,
        skipped=tuple(Skipped(f"{n}.png", "it is torn") for n in range(7)),
        outside=0.25,
        outputs=(one_class,),
        left_in_float=("REDUCE_MAX",),
        uncounted=("WHILE",),
        layers=(
            LayerCheck(4, "ADD", "after", (1, 3), 1.0, 0.5),
            LayerCheck(3, "CONV_2D", "dead", (1, 3), 2.0, 40.0),
        ),
    )
    text = " ".join(printed(report).split())
    for words in (
        "Files of no use: 7 (0.png: it is torn;",
        "and 2 more",
        "Only 9 samples",
        "25.0% of the input values",
        "same class for every sample (mood)",
        "no int8 version of them: REDUCE_MAX",
        "Not counted as work: WHILE",
        "Much of what layer 3 (CONV_2D) gives is noise.",
    ):
        assert words in text


def test_writes_everything_as_json() -> None:
    content = json.loads(a_report().to_json())
    assert content["agreement"] == 1.0
    assert content["input"] == {
        "name": "x",
        "shape": [1, 3],
        "dtype": "int8",
        "scale": 0.5,
        "zero_point": -3,
    }
    assert [layer["number"] for layer in content["worst_layers"]] == [2, 1]
    assert content["notes"] == []


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("net.Net/torch.nn.Sequential_stem/torch.nn.conv.Conv2d_0;1", "Sequential_stem/Conv2d_0"),
        ("re_lu_1/Relu6;batch_norm;conv", "re_lu_1/Relu6"),
        ("logits", "logits"),
        (";", ";"),
    ],
)
def test_shortens_the_paths_of_exporters(name: str, short: str) -> None:
    assert short_name(name) == short
