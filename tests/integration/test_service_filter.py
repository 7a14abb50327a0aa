"""Mien under the system call rules of its service: what MediaPipe, LiteRT and OpenCV call is allowed."""

import json
import os
import shutil
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

import pytest

from edge.config.paths import REPO_ROOT
from tests.fakes.process import moods, needs_demo

UNIT = REPO_ROOT / "systemd" / "mien.service"
CONFINED = Path(__file__).with_name("confined.py")
pytestmark = [
    pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze"),
    pytest.mark.skipif(find_library("seccomp") is None, reason="no libseccomp"),
]


def confined(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(CONFINED), str(UNIT), sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        ("import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)", "[Errno 1]"),
        ("import socket; socket.socket(socket.AF_INET)", "[Errno 97]"),
        ("import os; os.sched_setaffinity(0, {0})", "[Errno 1]"),
        ("import os; os.chroot('/')", "[Errno 1]"),
    ],
)
def test_rules_are_in_force(attempt: str, refusal: str) -> None:
    done = confined("-c", attempt)
    assert done.returncode == 1
    assert refusal in done.stderr.splitlines()[-1]


@needs_demo
def test_sees_and_hears_within_the_rules() -> None:
    flags = ("--demo", "--seconds", "8", "--display", "none", "--events", "-")
    done = confined("-m", "edge", "run", *flags)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    told = moods(done.stdout)
    assert any(mood["face"]["present"] for mood in told)
    assert told[-1]["voice"]["state"] == "ok"
    assert events[-1]["event"] == "bye"
