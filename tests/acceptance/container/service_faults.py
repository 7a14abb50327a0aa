"""Faults that end or cramp the whole service, twenty times each, in the booted container.

Called by `proofs_in_container`; Python's own library alone. Each round waits until the fault has struck,
and then until the service is as before: a round in which it did not strike fails the proof.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from tests.acceptance.common.service import (
    BACK_S,
    READY_S,
    UNIT,
    CannotTryError,
    ask,
    is_back,
    journal,
    main_pid,
    need,
    show,
    wait_for,
)

TIMES: Final = 20
BUSY: Final = 2.0
"""From this load for each core on, times say more of the machine than of the service."""
TOO_LITTLE: Final = 24 * 1024 * 1024
"""Bytes: less than half of what the service has to itself once it is ready."""
CONTROLLERS: Final = Path("/sys/fs/cgroup/cgroup.controllers")
"""Of cgroup v2."""
MEMORY: Final = Path("/run/rig-memory")
"""Where the memory controller of cgroup v1 is mounted, on systems that have it."""
DISK: Final = Path("/var/lib/mien")
"""The service's state folder: here the rig mounts a file system with hardly any room."""
DISK_SIZE: Final = "64k"
EVENTS: Final = DISK / "events.jsonl"
SETTINGS: Final = Path("/etc/mien/config.toml")
FULL: Final = "(no space left on device)"
READ_ONLY: Final = "(read-only file system)"


def killed_again_and_again() -> str:
    """SIGKILL of the main process, each time that it is READY again."""
    times_s = []
    for _ in range(TIMES):
        pid = main_pid()
        os.kill(pid, signal.SIGKILL)
        times_s.append(wait_for("the service", partial(is_back, pid), READY_S))
    load = os.getloadavg()[0]
    busy = f"; the machine was busy, load {load:.0f}" if load > BUSY * (os.cpu_count() or 1) else ""
    need(bool(busy) or median(times_s) <= BACK_S, f"READY only after {_summary(times_s)}")
    return f"{TIMES} times in a row: READY again after {_summary(times_s)}{busy}"


def out_of_memory(times: int = TIMES) -> str:
    """Every start ends in the kernel's killer while the limit lasts; then it is lifted."""
    pid = main_pid()
    with too_little_memory() as (confine, kills):
        with contextlib.suppress(ProcessLookupError):  # the limit may have ended it already
            os.kill(pid, signal.SIGKILL)
        for _ in range(times):
            pid = next_pid(pid)
            confine(pid)
            wait_for("the end", partial(has_ended, pid), READY_S)
        killed = kills()
    need(killed >= times, f"it ended {times} times, but the kernel killed only {killed} times")
    took_s = wait_for("the service", partial(is_back, pid), READY_S)
    return (
        f"with {TOO_LITTLE >> 20} MB the kernel killed it at {times} starts in a row; "
        f"the limit lifted, READY after {took_s:.1f} s"
    )


def has_ended(pid: int) -> bool:
    return show("MainPID") != str(pid)


def next_pid(old: int) -> int:
    """The process that follows *old*, as soon as there is one."""
    found: list[int] = []

    def is_there() -> bool:
        found.append(int(show("MainPID") or 0))
        return found[-1] not in (0, old)

    wait_for("another start", is_there, BACK_S)
    return found[-1]


Confine = Callable[[int], None]
"""Puts the process of that number under the limit, as soon as it has begun."""


@contextlib.contextmanager
def too_little_memory() -> Iterator[tuple[Confine, Callable[[], int]]]:
    """A limit for the service, as long as the context lasts: how to apply it, how often it killed.

    Raises:
        CannotTryError: this kernel or its container has no memory controller.
    """
    if CONTROLLERS.is_file() and "memory" in CONTROLLERS.read_text().split():
        before = show("MemoryMax")
        limit("MemorySwapMax", "0")
        limit("MemoryMax", str(TOO_LITTLE))
        said = len(journal())
        try:
            yield (
                lambda pid: None,
                lambda: sum("'oom-kill'" in line for line in journal()[said:]),
            )
        finally:
            limit("MemoryMax", before)
            limit("MemorySwapMax", "infinity")
        return
    MEMORY.mkdir(exist_ok=True)
    mounted = ask("mount", "-t", "cgroup", "-o", "memory", "none", str(MEMORY))
    if mounted.returncode != 0:
        raise CannotTryError(f"no memory controller here ({mounted.stderr.strip()})")
    group = MEMORY / "mien-rig"
    group.mkdir(exist_ok=True)
    try:
        (group / "memory.limit_in_bytes").write_text(str(TOO_LITTLE))
        with contextlib.suppress(OSError):  # where swap is not accounted for
            (group / "memory.memsw.limit_in_bytes").write_text(str(TOO_LITTLE))
        yield lambda pid: enter(group, pid), lambda: oom_kills(group)
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            enter(MEMORY, int(pid))
        with contextlib.suppress(OSError):
            group.rmdir()
        ask("umount", str(MEMORY))


def limit(name: str, value: str) -> None:
    """Set a property of the running service, until the next boot."""
    done = ask("systemctl", "set-property", "--runtime", UNIT, f"{name}={value}")
    need(done.returncode == 0, f"{name} cannot be set: {done.stderr.strip()}")


def enter(group: Path, pid: int) -> None:
    """Put a process into a group of cgroup v1; what it has already is not counted there."""
    with contextlib.suppress(ProcessLookupError):
        (group / "cgroup.procs").write_text(str(pid))


def oom_kills(group: Path) -> int:
    lines = (group / "memory.oom_control").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def no_room() -> str:
    """The disk of the events file runs full, is mounted read-only, and has room again."""
    settings = SETTINGS.read_text()
    ask("systemctl", "stop", UNIT)
    try:
        disk("mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE},mode=0750", "none", str(DISK))
        SETTINGS.write_text(f'{settings}\n[events]\nto = "{EVENTS}"\n')
        start()
        pid = main_pid()
        back_s = [_one_disk_fault(number) for number in range(1, TIMES + 1)]
        need(main_pid() == pid, "the service has been started again meanwhile")
    finally:
        SETTINGS.write_text(settings)
        ask("systemctl", "stop", UNIT)
        ask("umount", "--lazy", str(DISK))
        start()
    return (
        f"{TIMES} times full, {TIMES} times read-only: told each time, never ended; "
        f"lines again {_summary(back_s)} after there was room"
    )


def _one_disk_fault(number: int) -> float:
    filler = DISK / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    wait_for("the full disk", lambda: told(FULL) == number, BACK_S)
    # Refused while a file is open for writing: between two attempts at a line there is none.
    remount = ("mount", "-o", "remount,ro", str(DISK))
    wait_for("the read-only disk", lambda: ask(*remount).returncode == 0, BACK_S)
    wait_for("the read-only disk", lambda: told(READ_ONLY) == number, BACK_S)
    disk("mount", "-o", "remount,rw", str(DISK))
    filler.unlink()
    os.truncate(EVENTS, 0)
    return wait_for("another line", lambda: EVENTS.stat().st_size > 0, BACK_S)


def told(reason: str) -> int:
    """How often the service has said that the events cannot be written, and why."""
    return sum(f"The events file {EVENTS} " in line and reason in line for line in journal())


def disk(*command: str) -> None:
    done = ask(*command)
    need(done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}")


def start() -> None:
    ask("systemctl", "start", UNIT)
    wait_for("READY", lambda: show("ActiveState") == "active", READY_S)


def _summary(times_s: list[float]) -> str:
    return f"{median(times_s):.1f} s (at most {max(times_s):.1f} s)"


CHECKS: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("kill -9, twenty times", killed_again_and_again),
    ("Too little memory, twenty times", out_of_memory),
    ("Full and read-only disk, twenty times", no_room),
)
