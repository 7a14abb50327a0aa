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


def interrupted(command: list[str], modules: Path) -> tuple[int, str]:
    """Ctrl-C while a module in *modules* is imported: the exit code, and what is said."""
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=REPO_ROOT,
        env={**os.environ, "PYTHONPATH": f"{modules}{os.pathsep}{REPO_ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        return process.wait(10), said


@pytest.mark.parametrize(
    ("command", "slow"),
    [
        (["-c", console_script()], "typer"),
        (["-m", "edge"], "typer"),
        (["-m", "edge.demo"], "cv2"),
        (["-m", "convert"], "typer"),
    ],
    ids=["mien", "edge", "demo", "convert"],
)
def test_an_interrupt_in_the_middle_of_an_import_prints_nothing(
    tmp_path: Path, command: list[str], slow: str
) -> None:
    (tmp_path / f"{slow}.py").write_text(
        "print('importing', flush=True)\nimport time\ntime.sleep(60)\n"
    )
    assert interrupted(command, tmp_path) == (-signal.SIGINT, "")


def test_an_interrupt_while_a_command_of_convert_imports_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(
        "print('importing', flush=True)\nimport time\n"
        "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    raise ImportError('half loaded')\n"
    )
    command = ["-m", "convert", "face", "--data", str(tmp_path)]
    said = "\nconvert: stopped; the same command goes on from here.\n"
    assert interrupted(command, tmp_path) == (130, said)
