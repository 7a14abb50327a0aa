"""What both machines are given, and how what comes out is compared and counted."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.acceptance.arm_nets import inputs
from tests.acceptance.arm_nets.compare_outputs import (
    counts,
    describe_counts,
    difference,
    outputs_of,
)
from tests.acceptance.arm_nets.host import judge
from tests.acceptance.common.table import Proof


def test_equal_outputs_are_said_to_be_the_same_bit_for_bit() -> None:
    here = {"face 0": np.arange(14, dtype=np.int8).reshape(2, 7)}
    found = difference(here, dict(here), ["face 0"])
    assert (found.inputs, found.values, found.differing) == (2, 14, 0)
    assert str(found) == "14 int8 outputs of 2 inputs, the same bit for bit"


def test_extremes_that_differ_do_not_wrap_around() -> None:
    here = {"x 0": np.array([[-128, 5]], np.int8)}
    there = {"x 0": np.array([[127, 5]], np.int8)}
    found = difference(here, there, ["x 0"])
    assert (found.differing, found.largest) == (1, 255)
    assert "1 of 2 int8 outputs of 1 inputs differ, by at most 255" in str(found)


@pytest.mark.parametrize("other", [np.zeros((1, 3), np.int8), np.zeros((1, 2), np.int16)])
def test_outputs_of_another_shape_or_type_and_nothing_are_no_match(other: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="there"):
        difference({"x 0": np.zeros((1, 2), np.int8)}, {"x 0": other}, ["x 0"])
    with pytest.raises(ValueError, match="nothing"):
        difference({}, {}, [])


def test_outputs_are_found_by_the_name_of_their_net() -> None:
    names = {"face 0": 0, "voice 1": 0, "voice 0": 0, "voice": 0, "features": 0}
    arrays = {name: np.zeros(1) for name in names}
    assert outputs_of("voice", arrays) == ["voice 0", "voice 1"]


def test_counts_are_taken_between_the_marks() -> None:
    said = "mark B 100\nmark E 350\nface: 3 ms\nmark B 400\nmark E 1400\n"
    assert counts(said) == [250, 1000]


@pytest.mark.parametrize("said", ["mark B 1\n", "mark E 1\nmark B 2\n", "mark B 1\nmark B 2\n"])
def test_marks_without_their_pair_are_refused(said: str) -> None:
    with pytest.raises(ValueError, match="pairs"):
        counts(said)


def test_first_inference_is_left_out_of_the_cost() -> None:
    assert describe_counts([90_000_000, 5_000_000, 5_200_000, 5_100_000]) == (
        "5.10 million instructions an inference (median of 3; 5.00 to 5.20)"
    )
    with pytest.raises(ValueError, match="few"):
        describe_counts([1])


def outputs(face: int = 0, feature: int = 0) -> dict[str, NDArray[Any]]:
    features = np.zeros((2, 1000), np.int8)
    features[0, 0] = feature
    return {
        "features": features,
        "face 0": np.full((2, 7), face, np.int8),
        "voice 0": np.zeros((2, 7), np.int8),
    }


def test_judge_proves_what_is_the_same_and_gives_each_net_its_own_counts() -> None:
    made = list(judge("cpu", outputs(), outputs(feature=1), [9, 1_000_000, 9, 2_000_000]))
    assert [proof.outcome for proof in made] == ["passed"] * 5
    cost = {proof.what: proof.seen for proof in made if "cost" in proof.what}
    assert cost["Face net's cost, cpu"].startswith("1.00 million")
    assert cost["Voice net's cost, cpu"].startswith("2.00 million")


def test_judge_fails_a_single_bit_and_says_why_there_is_no_cost() -> None:
    made = {proof.what: proof for proof in judge("cpu", outputs(), outputs(face=1), "no compiler")}
    assert made["Face net, cpu"].outcome == "FAILED"
    assert made["Voice net, cpu"].outcome == "passed"
    assert made["Face net's cost, cpu"] == Proof("Face net's cost, cpu", "not run", "no compiler")


def test_judge_allows_the_front_end_one_step_and_no_more() -> None:
    assert next(judge("cpu", outputs(), outputs(feature=2), [])).outcome == "FAILED"


def test_inputs_are_the_same_every_time_and_use_the_whole_range() -> None:
    pictures, sounds = inputs.pictures(), inputs.sounds()
    assert pictures.shape == (32, 48, 48, 1) and pictures.dtype == np.int8
    assert sounds.shape == (20, 48000) and sounds.dtype == np.float32
    assert np.array_equal(pictures, inputs.pictures())
    assert np.array_equal(sounds, inputs.sounds())
    assert (int(pictures.min()), int(pictures.max())) == (-128, 127)
    assert len(np.unique(pictures.reshape(32, -1), axis=0)) == 32
    assert np.abs(sounds).max() < 2
