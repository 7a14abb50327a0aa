"""What the start's benchmark makes of its measurements."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.config.paths import REPO_ROOT
from tests.acceptance.soak.start import Run, costliest, cpu_s, describe, verdict

SAID = """import time: self [us] | cumulative | imported package
import time:       200 |        200 |   numpy.core
import time:      1000 |       1200 | numpy
mien: not such a line
import time:       900 |        900 | cv2
import time:         5 |          5 | edge.errors
"""


def test_the_packages_that_take_longest_come_first() -> None:
    assert costliest(SAID, 2) == [("numpy", 0.0012), ("cv2", 0.0009)]


@pytest.mark.parametrize(
    ("walls", "cpu", "load", "expected"),
    [
        ((1.0, 2.0, 9.0), 1.0, 5.0, "passed"),
        ((1.0, 5.0, 9.0), 1.0, 0.5, "FAILED"),
        ((1.0, 5.0, 9.0), 3.0, 5.0, "FAILED"),
        ((1.0, 5.0, 9.0), 1.0, 5.0, "not run"),
    ],
)
def test_the_median_decides_unless_the_machine_had_no_time(
    walls: tuple[float, ...], cpu: float, load: float, expected: str
) -> None:
    assert verdict([Run(wall, cpu) for wall in walls], 4.0, load) == expected


def test_the_description_tells_what_the_wire_adds() -> None:
    said = describe([Run(0.1, 0.05, bytes(1000)), Run(0.3, 0.05, bytes(1000))], 0.5)
    assert "median 0.20 s, worst 0.30 s of 2" in said
    assert "1000 bytes take another 0.02 s" in said


def test_processor_time_is_that_of_the_process_and_none_of_one_that_is_gone() -> None:
    script = (
        "import time\nwhile time.process_time() < 0.1: pass\nprint('ready', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 0.05 <= cpu_s(process.pid) < 2
    assert cpu_s(process.pid) == 0.0


CALLED = r"""
set -euo pipefail
REPO_ROOT=$1 VENV=$2
. "$REPO_ROOT/setup/steps.sh"
cd "$REPO_ROOT"
. tests/acceptance/rig/rig.sh
RIG=$2/rig
prepare() { echo "prepared with \"$1\""; }
rig_mien "${@:3}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="set-up needs bash")
@pytest.mark.parametrize("flags", [["soak", "--minutes", "10", "--speed", "2"], ["start"]])
def test_the_rig_hands_its_flags_on(flags: list[str], tmp_path: Path) -> None:
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", CALLED, "rig", str(REPO_ROOT), str(tmp_path), *flags],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    prepared, *_, called = done.stdout.splitlines()
    assert prepared == 'prepared with ""', done.stderr
    assert called == " ".join(["-m tests.acceptance.soak", f"{tmp_path}/rig", *flags])
