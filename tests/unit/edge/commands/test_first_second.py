"""Ctrl-C while Python is still importing."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.config.paths import REPO_ROOT


def console_script() -> str:
    """What the installed `mien` runs."""
    text = (REPO_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    module, function = re.findall(r'(?m)^mien = "(.+):(.+)"', text)[0]
    return f"import sys; from {module} import {function}; sys.exit({function}())"


@pytest.mark.parametrize(
    ("command", "slow"),
    [
        (["-c", console_script()], "typer"),
        (["-m", "edge"], "typer"),
        (["-m", "edge.demo"], "cv2"),
    ],
    ids=["mien", "edge", "demo"],
)
def test_an_interrupt_in_the_middle_of_an_import_prints_nothing(
    tmp_path: Path, command: list[str], slow: str
) -> None:
    (tmp_path / f"{slow}.py").write_text(
        "print('importing', flush=True)\nimport time\ntime.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=REPO_ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{REPO_ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == ""
        assert process.wait(10) == -signal.SIGINT
