"""What is put into the container, what is read from it, and the threads that are frozen in it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.common.table import Proof
from tests.acceptance.container.host import InstalledContainer, prepare, read_results, reason
from tests.acceptance.container.thread_freezer import Freezer


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
