"""Damaged and hostile files against the real commands, and the judge of how they end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from edge import cli
from tests.fuzz import runner
from tests.fuzz.__main__ import run
from tests.fuzz.kinds import KINDS, Command, Originals
from tests.fuzz.runner import Case

CASES = 300


@pytest.mark.timeout(600)
def test_three_hundred_damages_end_in_a_sentence_at_most() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--cases", str(CASES)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def raise_what_nobody_expects() -> None:
    raise KeyError("lost")


def write(name: str, text: str) -> Callable[[], object]:
    return lambda: (Path.cwd() / name).write_text(text)


MISDEEDS: dict[str, Callable[[], object]] = {
    "ended by SIGKILL": crash,
    "said 'Traceback": raise_what_nobody_expects,
    "did not end within": lambda: time.sleep(30),
    "outside of its folder": write("../../elsewhere", "x"),
    "wrote onto its input": write("../in/file", "x"),
    "an event that is no JSON": write("events.jsonl", '{"valence": NaN}\n'),
    "control characters": lambda: os.write(1, b"\x1b[2J"),
    "exit code 70": lambda: sys.exit(70),
    "without a word": lambda: sys.exit(3),
    "none of its own": lambda: os.utime("../../originals/file", (1, 1)),
    "to the network": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(
        ("127.0.0.1", 9)
    ),
    "a line was missed": lambda: None,
    "started": lambda: subprocess.run(["/bin/true"], check=True),
}


@pytest.mark.parametrize("fault", MISDEEDS)
def test_every_misdeed_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def prepare(originals: Originals, folder: Path, random: Random) -> Command:
        (folder / "file").write_text("whole")
        originals.folder.mkdir()
        (originals.folder / "file").touch()
        missed = ["a line was missed"] if fault == "a line was missed" else []
        return Command([], beside=[lambda: None, lambda: time.sleep(60)], missed=lambda: missed)

    monkeypatch.setitem(KINDS, "misdeed", prepare)
    monkeypatch.setattr(cli, "main", MISDEEDS[fault])
    monkeypatch.setattr(runner, "LIMIT_S", 1.0)
    monkeypatch.setattr(Originals, "make", lambda originals: originals)
    (outcome,) = run([Case("misdeed", 0)], tmp_path, None)
    assert any(fault in each for each in outcome.faults), outcome
    with pytest.raises(ChildProcessError):  # nobody is left who played beside it
        os.waitpid(-1, os.WNOHANG)
