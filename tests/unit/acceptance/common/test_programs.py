"""How the rig runs other programs, and ends them."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.acceptance.common.programs import RigError, end_group, inits_below, run

_CANNOT = not shutil.which("unshare") or bool(
    subprocess.run(
        ["unshare", "--fork", "--pid", "true"], capture_output=True, check=False
    ).returncode
)


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


def test_program_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="ended with 3: no such luck"):
        run(["sh", "-c", "echo no such luck >&2; exit 3"], tmp_path / "log", 5)


@pytest.mark.skipif(_CANNOT, reason="a PID name space needs root and unshare")
def test_a_system_in_a_name_space_of_its_own_is_ended_with_its_program() -> None:
    inner = ["setsid", "sh", "-c", "sleep 300; true"]
    outer = ["unshare", "--fork", "--pid", *inner]
    process = subprocess.Popen(outer, start_new_session=True)
    end_s = time.monotonic() + 20
    while not (inits := inits_below(process.pid)) and time.monotonic() < end_s:
        time.sleep(0.05)
    assert len(inits) == 1
    end_group(process)
    while runs(inits[0]) and time.monotonic() < end_s:
        time.sleep(0.05)
    assert not runs(inits[0])
