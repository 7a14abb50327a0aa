"""Runs a program under the system call rules of a unit: `confined.py UNIT PROGRAM [ARGUMENTS]`.

What systemd does with SystemCallFilter, SystemCallErrorNumber=EPERM, MemoryDenyWriteExecute=yes and
RestrictAddressFamilies, done with libseccomp, so that the rules can be tried without root and
without systemd as process 1.
"""

import ctypes
import os
import socket
import subprocess
import sys
from pathlib import Path

ALLOW = 0x7FFF0000
EPERM = 0x00050001  # SCMP_ACT_ERRNO(1)
EAFNOSUPPORT = 0x00050061  # SCMP_ACT_ERRNO(97)
EQ, MASKED_EQ = 4, 7
FAMILIES = 46  # linux/socket.h ends there
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000


class Comparison(ctypes.Structure):
    """`struct scmp_arg_cmp`: argument number *arg*, and'ed with *mask*, equals *value*."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


def values_of(unit: Path, key: str) -> list[str]:
    """What *unit* says for *key*, one item for each time."""
    lines = unit.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2].strip() for line in lines if line.startswith(f"{key}=")]


def expand(group: str) -> set[str]:
    """The system calls that a name such as @system-service stands for."""
    if not group.startswith("@"):
        return {group}
    done = subprocess.run(
        ["systemd-analyze", "syscall-filter", group],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    names = [line.strip() for line in done.stdout.splitlines()[1:]]
    inner = [name for name in names if name and not name.startswith("#")]
    return set().union(*(expand(name) for name in inner))


def allowed_calls(unit: Path) -> set[str]:
    """The calls that remain of the unit's lines: those allowed, less those taken away by "~"."""
    # What systemd always lets through, so that the program can be started at all.
    calls = expand("@default") | {"execve", "exit", "exit_group", "rt_sigreturn"}
    for line in values_of(unit, "SystemCallFilter"):
        named = set[str]().union(*(expand(word) for word in line.removeprefix("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    return calls


def confine(unit: Path) -> None:
    """Hold this process, and what becomes of it, to the rules of *unit*."""
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_void_p,
    ]
    library.seccomp_load.argtypes = [ctypes.c_void_p]

    def number(name: str) -> int:
        return int(library.seccomp_syscall_resolve_name(name.encode()))

    # Two filters, of which the stricter answer holds. This one comes first, because the other takes
    # away the call that sets one.
    calls = allowed_calls(unit)
    denied = library.seccomp_init(ALLOW)
    if values_of(unit, "MemoryDenyWriteExecute") == ["yes"]:
        for name, comparison in (
            ("mmap", Comparison(2, MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC)),
            ("mprotect", Comparison(2, MASKED_EQ, PROT_EXEC, PROT_EXEC)),
            ("pkey_mprotect", Comparison(2, MASKED_EQ, PROT_EXEC, PROT_EXEC)),
            ("shmat", Comparison(2, MASKED_EQ, SHM_EXEC, SHM_EXEC)),
        ):
            rule = (denied, EPERM, number(name), 1, ctypes.byref(comparison))
            check(library.seccomp_rule_add_array(*rule), name)
    kept = {
        int(getattr(socket, word))
        for line in values_of(unit, "RestrictAddressFamilies")
        for word in line.split()
    }
    for family in set(range(FAMILIES)) - kept:
        comparison = Comparison(0, EQ, family, 0)
        rule = (denied, EAFNOSUPPORT, number("socket"), 1, ctypes.byref(comparison))
        check(library.seccomp_rule_add_array(*rule), "socket")
    check(library.seccomp_load(denied), "seccomp_load")
    rules = library.seccomp_init(EPERM)
    for name in calls:
        if number(name) >= 0:  # calls of other processors are negative here
            check(library.seccomp_rule_add_array(rules, ALLOW, number(name), 0, None), name)
    check(library.seccomp_load(rules), "seccomp_load")


def check(result: int, what: str) -> None:
    """Raise OSError for a negative *result*."""
    if result < 0:
        raise OSError(-result, f"{what}: {os.strerror(-result)}")


if __name__ == "__main__":
    confine(Path(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
