"""The rig's own arithmetic: its tables, its comparison, its containers' mounts, its results."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.acceptance.arm_nets import inputs
from tests.acceptance.arm_nets.compare_outputs import (
    counts,
    describe_counts,
    difference,
    outputs_of,
)
from tests.acceptance.arm_nets.host import is_aarch64, judge
from tests.acceptance.common.overlay import is_mounted
from tests.acceptance.common.programs import RigError, run
from tests.acceptance.common.table import WIDTH, Proof, exit_code, table
from tests.acceptance.container.host import InstalledContainer, prepare, read_results, reason
from tests.acceptance.container.thread_freezer import Freezer

words = st.text(st.characters(whitelist_categories=("Ll", "Nd")), min_size=1, max_size=12)
sentences = st.lists(words, min_size=1, max_size=40).map(" ".join)
outcomes = st.sampled_from(["passed", "FAILED", "not run"])
times = st.none() | st.floats(0, 999)
proofs = st.builds(Proof, sentences, outcomes, sentences, times)


@settings(max_examples=30, deadline=None)
@given(st.lists(proofs, max_size=4))
def test_table_shows_every_word_and_stays_in_its_width(made: list[Proof]) -> None:
    text = table("Title", made)
    assert all(len(line) <= WIDTH for line in text.splitlines())
    shown = text.split()
    for proof in made:
        for word in [*proof.what.split(), *proof.seen.split(), *proof.outcome.split()]:
            assert word in shown


def test_table_counts_each_outcome() -> None:
    made = [
        Proof("a", "passed", "", 1.0),
        Proof("b", "not run", "no root"),
        Proof("c", "passed", ""),
    ]
    assert table("T", made).endswith("2 passed, 0 FAILED, 1 not run")


@settings(max_examples=30, deadline=None)
@given(st.lists(proofs, max_size=4))
def test_only_a_failure_makes_the_exit_code_1(made: list[Proof]) -> None:
    assert exit_code(made) == (1 if "FAILED" in [proof.outcome for proof in made] else 0)


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
def test_outputs_of_another_shape_or_type_are_no_match(other: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="there"):
        difference({"x 0": np.zeros((1, 2), np.int8)}, {"x 0": other}, ["x 0"])


def test_nothing_to_compare_is_no_match() -> None:
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
    assert (pictures.min(), pictures.max()) == (-128, 127)
    assert len(np.unique(pictures.reshape(32, -1), axis=0)) == 32
    assert np.abs(sounds).max() < 2


def test_machine_of_a_library_is_read_from_its_head(tmp_path: Path) -> None:
    library = tmp_path / "x.so"
    for machine, expected in ((183, True), (62, False)):
        library.write_bytes(b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little"))
        assert is_aarch64(library) is expected
    library.write_bytes(b"no library")
    assert is_aarch64(library)


def test_mounts_are_found_at_and_below_a_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    escaped = str(folder).replace(" ", "\\040")
    assert is_mounted(folder, f"proc {escaped}/proc proc rw 0 0\n")
    assert is_mounted(folder, f"mien-rig {escaped} overlay rw 0 0\n")
    assert not is_mounted(folder, f"x {escaped}c overlay rw 0 0\nproc /proc proc rw 0 0\n")


def test_program_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    script = f"sleep 60 & echo $! >{mark}; wait"
    began_s = time.monotonic()
    with pytest.raises(RigError, match=r"sh did not end within 0\.?"):
        run(["sh", "-c", script], tmp_path / "log", 0.3)
    assert time.monotonic() - began_s < 8
    child = int(mark.read_text())
    end_s = time.monotonic() + 5  # a signal that was sent has not been obeyed yet
    while runs(child) and time.monotonic() < end_s:
        time.sleep(0.01)
    assert not runs(child)


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_program_that_wants_a_terminal_gets_one(tmp_path: Path) -> None:
    said = run(
        ["sh", "-c", "test -t 0 && test -t 1 && echo yes"], tmp_path / "log", 5, terminal=True
    )
    assert said.split() == ["yes"]


def test_program_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="ended with 3: no such luck"):
        run(["sh", "-c", "echo no such luck >&2; exit 3"], tmp_path / "log", 5)


def test_what_could_not_be_made_ready_is_the_reason_why_nothing_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "why").mkdir()
    (tmp_path / "why/systemd-nspawn").write_text("No network.\n")
    made = list(InstalledContainer(tmp_path).prove())
    assert {(proof.outcome, proof.seen) for proof in made} == {("not run", "No network.")}
    assert len(made) > 8
    assert reason(tmp_path, tmp_path / "bundle/SHA256SUMS") == ""


def test_without_root_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert {proof.outcome for proof in InstalledContainer(tmp_path).prove()} == {"not run"}
    assert "root" in InstalledContainer(tmp_path).obstacle()


def test_proofs_are_put_into_the_system_so_that_they_run_there(tmp_path: Path) -> None:
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    for _ in range(2):
        prepare(tmp_path)
    unit = tmp_path / "etc/systemd/system/multi-user.target.wants/proof.service"
    start = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    module = start.split()[-1]
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        cwd=tmp_path / "rig",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_first_result_is_timed_from_the_start_of_the_container() -> None:
    lines = [
        json.dumps(
            {"what": "READY", "outcome": "passed", "seen": "x", "took_s": 0.1, "at_s": 107.5}
        ),
        json.dumps({"what": "kill", "outcome": "FAILED", "seen": "y", "took_s": 3.0, "at_s": 111}),
    ]
    assert read_results(lines, 100.0) == [
        Proof("READY", "passed", "x", 7.5),
        Proof("kill", "FAILED", "y", 3.0),
    ]


BUSY = """
import sys, threading, time
beats = {"main": 0, "worker": 0}
def work():
    while True:
        beats["worker"] += 1
        time.sleep(0.01)
threading.Thread(target=work, daemon=True).start()
for line in sys.stdin:
    print(beats["worker"], flush=True)
"""


def test_one_thread_is_frozen_while_the_others_go_on() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None

    def beats() -> int:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    freezer = Freezer(process.pid)
    try:
        first = beats()
        time.sleep(0.1)
        assert beats() > first
        try:
            freezer.freeze_workers(age_s=60)
            assert not freezer.frozen
            freezer.freeze_workers(age_s=0)
        except PermissionError:
            pytest.skip("tracing is not allowed here")
        assert len(freezer.frozen) == 1
        time.sleep(0.05)
        still = beats()
        time.sleep(0.1)
        assert beats() == still
    finally:
        process.kill()
        end_s = time.monotonic() + 5
        while process.poll() is None and time.monotonic() < end_s:
            freezer.reap()
            time.sleep(0.01)
        assert process.returncode is not None
        process.stdin.close()
        process.stdout.close()
