"""The arithmetic of the faults that the rig injects into the booted service."""

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.common import service
from tests.acceptance.common.service import NotSoError
from tests.acceptance.container import proofs_in_container, service_faults
from tests.acceptance.container.service_faults import (
    next_pid,
    oom_kills,
    told,
    too_little_memory,
)


def answer(code: int = 0, out: str = "", err: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.CompletedProcess((), code, out, err)


def test_every_fault_is_injected_at_least_twenty_times_and_is_among_the_proofs() -> None:
    assert service_faults.TIMES >= 20
    assert set(service_faults.CHECKS) <= set(proofs_in_container.CHECKS)


def test_kills_of_the_kernel_are_read_from_its_own_counter(tmp_path: Path) -> None:
    (tmp_path / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 1\noom_kill 17\n")
    assert oom_kills(tmp_path) == 17


def test_next_process_is_neither_none_nor_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(["7", "0", "", "8", "9"])
    monkeypatch.setattr(service_faults, "show", lambda name: next(numbers))
    assert next_pid(7) == 8


def test_limit_of_the_unit_is_put_back_and_its_kills_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    lines = ["mien.service: Failed with result 'oom-kill'."]

    def yes(*command: str) -> "subprocess.CompletedProcess[str]":
        asked.append(command[-1])
        return answer()

    (tmp_path / "controllers").write_text("cpu io memory pids\n")
    monkeypatch.setattr(service_faults, "CONTROLLERS", tmp_path / "controllers")
    monkeypatch.setattr(service_faults, "ask", yes)
    monkeypatch.setattr(service_faults, "show", lambda name: {"MemoryMax": "1073741824"}[name])
    monkeypatch.setattr(service_faults, "journal", lambda: list(lines))
    with too_little_memory() as (confine, kills):
        confine(1)
        assert kills() == 0  # not those from before
        lines.extend([lines[0], "mien.service: Scheduled restart job", lines[0]])
        assert kills() == 2
    assert asked == [
        "MemorySwapMax=0",
        f"MemoryMax={service_faults.TOO_LITTLE}",
        "MemoryMax=1073741824",
        "MemorySwapMax=infinity",
    ]


def test_sentences_about_the_disk_are_told_apart_by_their_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = service_faults.EVENTS
    said = (
        f"mien: The events file {file} cannot be written (no space left on device): make",
        f"mien: The events file {file} cannot be opened (read-only file system): name a",
        f"mien: The events file {file}2 cannot be written (no space left on device): make",
    )
    monkeypatch.setattr(service_faults, "journal", lambda: said)
    assert told(service_faults.FULL) == 1
    assert told(service_faults.READ_ONLY) == 1


@pytest.mark.parametrize(
    ("load", "took_s", "fine"), [(0.5, 4, True), (0.5, 11, False), (99, 11, True)]
)
def test_slow_restarts_fail_the_proof_unless_the_machine_had_other_things_to_do(
    monkeypatch: pytest.MonkeyPatch, load: float, took_s: float, fine: bool
) -> None:
    monkeypatch.setattr(service_faults, "main_pid", lambda: 4711)
    monkeypatch.setattr(service_faults, "wait_for", lambda what, condition, limit_s: took_s)
    killed: list[int] = []
    monkeypatch.setattr("os.kill", lambda pid, number: killed.append(pid))
    monkeypatch.setattr("os.getloadavg", lambda: (load, load, load))
    if fine:
        assert "20 times in a row" in service_faults.killed_again_and_again()
    else:
        with pytest.raises(NotSoError, match=r"READY only after 11\.0 s"):
            service_faults.killed_again_and_again()
    assert len(killed) == service_faults.TIMES


def test_service_that_does_not_come_back_in_time_fails_the_proof(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "journal", lambda: ["one", "two", "three", "four"])
    with pytest.raises(NotSoError, match=r"READY did not come within 0 s.*two / three / four"):
        service.wait_for("READY", lambda: False, 0.0)
