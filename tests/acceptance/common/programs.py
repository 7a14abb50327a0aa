"""Runs other programs within a time limit, and ends what they leave behind."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

LOOK_S: Final = 0.5
"""Between two looks whether a program is to be given up."""
PATIENCE_S: Final = 10.0
"""After a polite end, before one by force."""
PROOFS: Final = Path(__file__).resolve().parents[1]
_TAIL: Final = 300


class RigError(Exception):
    """Something that was tried did not work; the message is one sentence."""


class CannotRunError(Exception):
    """Something cannot be tried here; the message says why."""


def run(
    command: Sequence[str],
    log: Path,
    limit_s: float,
    environment: dict[str, str] | None = None,
    terminal: bool = False,
    given_up: threading.Event | None = None,
) -> str:
    """Run *command* with its output in *log*; what it said.

    Args:
        command: program and arguments.
        log: file for standard output and error; overwritten.
        limit_s: after so many seconds the program and its children are ended.
        environment: added to that of this process.
        terminal: let it believe that it runs in a terminal.
        given_up: once this is set, the program and its children are ended as well.

    Raises:
        RigError: it failed, took too long or was given up.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    name = Path(command[0]).name
    with log.open("wb") as file, contextlib.ExitStack() as stack:
        sink = stack.enter_context(_terminal(file)) if terminal else file.fileno()
        process = subprocess.Popen(
            command,
            stdin=sink if terminal else subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        try:
            code = _wait(process, limit_s, given_up or threading.Event())
        except subprocess.TimeoutExpired:
            raise RigError(f"{name} did not end within {limit_s:.0f} s; see {log}") from None
        finally:
            end_group(process)
    said = log.read_text(encoding="utf-8", errors="replace")
    if code != 0:
        raise RigError(f"{name} ended with {code}: {tail(said)} (all of it: {log})")
    return said


def _wait(process: "subprocess.Popen[bytes]", limit_s: float, given_up: threading.Event) -> int:
    end_s = time.monotonic() + limit_s
    while True:
        try:
            return process.wait(min(LOOK_S, max(0.0, end_s - time.monotonic())))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= end_s:
                raise
        if given_up.is_set():
            raise RigError("it was given up")


@contextlib.contextmanager
def _terminal(file: BinaryIO) -> Iterator[int]:
    """One end of a terminal; what is written to it goes into *file*."""
    here, there = os.openpty()

    def copy() -> None:
        # Once nobody holds the other end any more, reading fails.
        with contextlib.suppress(OSError):
            while said := os.read(here, 65536):
                file.write(said)
                file.flush()

    reader = threading.Thread(target=copy, daemon=True)
    reader.start()
    try:
        yield there
    finally:
        os.close(there)
        reader.join(PATIENCE_S)
        os.close(here)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End *process*, the leader of its session, and all that still belongs to it.

    A system that it has booted in a PID name space of its own is in no group of it, and outlives it.
    """
    booted = inits_below(process.pid)
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    end_systems(booted)
    process.wait()


def inits_below(pid: int) -> list[int]:
    """The first process of each PID name space that *pid*, or what it has started, has made."""
    status = {}
    for entry in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            lines = dict(line.split(":", 1) for line in entry.read_text().splitlines())
            status[int(entry.parent.name)] = (int(lines["PPid"]), lines["NSpid"].split())
    below = {pid}
    while more := {each for each, (parent, _) in status.items() if parent in below} - below:
        below |= more
    return [
        each for each in below - {pid} if len(status[each][1]) > 1 and status[each][1][-1] == "1"
    ]


def end_systems(inits: Sequence[int]) -> None:
    """End every process of the PID name spaces of *inits* at once, as a power cut does."""
    for pid in inits:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def copy_proofs(folder: Path) -> None:
    """Put these programs into *folder*, for a system in which `-m tests.acceptance...` runs there."""
    shutil.rmtree(folder / "tests", ignore_errors=True)
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROOFS, folder / "tests/acceptance", ignore=left_out)
    (folder / "tests/__init__.py").touch()


def tail(text: str) -> str:
    """The end of *text* on one line."""
    return " ".join(text.split())[-_TAIL:]
