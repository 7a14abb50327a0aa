from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("ai_edge_litert")

from convert.errors import ConversionError
from convert.quantize.compare import (
    compare_layers,
    compare_output,
    compare_outputs,
    sqnr_db,
)
from convert.quantize.graph import read_graph
from tests.fakes.tflite import write_classifier

SHAPE = (1, 2, 3, 1)


def real_inputs(count: int = 20) -> list[NDArray[np.float32]]:
    return list(np.random.default_rng(1).normal(size=(count, *SHAPE)).astype(np.float32))


def test_gives_the_noise_in_decibels() -> None:
    assert sqnr_db(100.0, 1.0) == pytest.approx(20)
    assert sqnr_db(5.0, 0.0) == 120
    assert sqnr_db(0.0, 1.0) == -120


def test_measures_errors_in_steps_of_the_output() -> None:
    wanted = np.array([[[0.0, 1.0]], [[2.0, 1.0]]], np.float32)
    given = wanted + np.array([[[0.0, 0.5]], [[-1.5, 0.0]]], np.float32)
    check = compare_output(wanted, given, "y", 0.5)
    assert check.max_error == 3.0
    assert check.mean_error == pytest.approx(1.0)
    assert check.agreement == 0.5  # 0.5 against 1.0 turned the second over
    assert check.classes_seen == 2
    assert check.shape == (1, 2)


def test_takes_a_whole_number_for_the_number_of_a_class() -> None:
    wanted, given = np.array([[3.0], [1.0], [1.0]]), np.array([[3.0], [4.0], [1.0]])
    check = compare_output(wanted, given, "y", 1.0, whole=True)
    assert check.agreement == pytest.approx(2 / 3)
    assert check.classes_seen == 2
    assert compare_output(wanted, given, "y", 0.0).agreement is None


@pytest.mark.parametrize("shape", [(5, 1, 1), (5, 1, 6, 6, 3), (5,)])
def test_names_no_class_where_there_are_none(shape: tuple[int, ...]) -> None:
    zeros = np.zeros(shape, np.float32)
    assert compare_output(zeros, zeros, "y", 0.0).agreement is None


def test_finds_models_equal_that_are(tmp_path: Path) -> None:
    file = tmp_path / "a.tflite"
    write_classifier(file, SHAPE)
    (check,) = compare_outputs(file, file, real_inputs())
    assert (check.agreement, check.max_error, check.scale) == (1.0, 0.0, 0.0)


def test_finds_the_layer_that_is_noisy(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.tflite", tmp_path / "bad.tflite"
    weights = write_classifier(good, SHAPE)
    write_classifier(bad, SHAPE, weights=weights * np.float32(1.1))
    layers = compare_layers(good, bad, read_graph(good), real_inputs(4))
    assert [layer.operation for layer in layers] == ["RESHAPE", "FULLY_CONNECTED"]
    assert layers[0].sqnr_db == 120
    assert layers[1].sqnr_db == pytest.approx(20, abs=0.01)  # a tenth of the amplitude
    # An exact input is no better than one of 8 bits.
    assert layers[1].lost_db == pytest.approx(30, abs=0.01)


def test_blames_the_net_for_values_that_are_no_number(tmp_path: Path) -> None:
    file = tmp_path / "a.tflite"
    write_classifier(file, SHAPE, weights=np.full((4, 6), np.nan, np.float32))
    with pytest.raises(ConversionError, match=r"float model a\.tflite gives values .* no number"):
        compare_outputs(file, file, real_inputs(1))
