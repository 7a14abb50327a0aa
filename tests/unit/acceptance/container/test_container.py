"""What is put into the container, what is read from it, and the threads that are frozen in it."""

import json
import subprocess
import sys
import time

import pytest

from tests.acceptance.common.table import Proof
from tests.acceptance.container.host import read_results
from tests.acceptance.container.thread_freezer import Freezer


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
