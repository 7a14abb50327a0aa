"""Mien as a process of its own, and what such a run takes."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from edge.config.paths import DEMO_CLIP, REPO_ROOT, fetched_folder
from tests.fakes.command import Ended

needs_demo = pytest.mark.skipif(
    not DEMO_CLIP.is_file()
    or not (fetched_folder() / "face_detection_short_range.tflite").is_file(),
    reason="the demo clip and MediaPipe's models are made by ./setup.sh test",
)


def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """`mien` with these arguments, and with these variables besides the test's own."""
    return subprocess.Popen(
        [sys.executable, "-m", "edge", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT), **environment},
    )


def finish(process: "subprocess.Popen[str]", limit_s: float = 60) -> Ended:
    """How it ends by itself."""
    try:
        out, err = process.communicate(timeout=limit_s)
    finally:
        process.kill()
    return Ended(process.returncode, out, err)


def moods(out: str) -> list[dict[str, Any]]:
    """Those among the events of its standard output."""
    events = [json.loads(line) for line in out.splitlines()]
    return [event for event in events if event["event"] == "mood"]
