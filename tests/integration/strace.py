"""Runs a program under strace and reads what it asked of the kernel.

Traced is every system call but those of `HARMLESS`, so that one that nobody has thought of shows up.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

HARMLESS: Final = (
    # They wait, or bring something in.
    *("read", "readv", "pread64", "preadv", "preadv2", "recvfrom", "recvmsg", "recvmmsg"),
    *("poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"),
    *("futex", "nanosleep", "clock_nanosleep", "wait4", "waitid", "pause", "restart_syscall"),
    *("accept", "accept4", "listen", "sched_yield", "getrandom"),
    # They ask.
    *("stat", "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat"),
    *("faccessat2", "readlink", "readlinkat", "getcwd", "getdents64", "lseek", "uname", "sysinfo"),
    *("getpid", "gettid", "getppid", "getpgrp", "getpgid", "getsid", "getuid", "geteuid", "getgid"),
    *("getegid", "getresuid", "getresgid", "getgroups", "getrlimit", "getrusage", "times", "time"),
    *("clock_gettime", "clock_getres", "gettimeofday", "getcpu", "getpriority", "capget"),
    *("sched_getaffinity", "sched_getscheduler", "sched_getparam", "sched_get_priority_max"),
    *("sched_get_priority_min", "get_mempolicy", "getsockname", "getpeername", "getsockopt"),
    # They arrange memory, descriptors, threads and signals of the program itself. An ioctl needs a
    # descriptor: what that was opened on is looked at.
    *("brk", "munmap", "mremap", "mprotect", "madvise", "mlock", "mlock2", "munlock", "mincore"),
    *("mbind", "set_mempolicy", "membarrier", "close", "close_range", "dup", "dup2", "dup3"),
    *("fcntl", "ioctl", "fadvise64", "readahead", "setsockopt", "shutdown", "chdir", "fchdir"),
    *("umask", "clone", "clone3", "fork", "vfork", "exit", "exit_group", "set_tid_address"),
    *("set_robust_list", "rseq", "arch_prctl", "prctl", "seccomp", "prlimit64", "setrlimit"),
    *("sched_setaffinity", "sched_setscheduler", "setpriority", "kill", "tkill", "tgkill"),
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend"),
    *("rt_sigtimedwait", "rt_sigqueueinfo", "sigaltstack", "alarm", "setitimer", "getitimer"),
    *("timer_create", "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete"),
    *("eventfd", "eventfd2", "epoll_create", "epoll_create1", "epoll_ctl", "signalfd4"),
    *("timerfd_create", "timerfd_settime", "timerfd_gettime", "inotify_init1"),
    *("inotify_add_watch", "inotify_rm_watch"),
)
LONGEST_BYTES: Final = 4096
"""More of one message is not written into the log; its length still is."""

_LINE: Final = re.compile(r"(\d+) +(.*)")
_RESUMED: Final = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_UNFINISHED: Final = " <unfinished ...>"
_CALL: Final = re.compile(r"(\w+)\((.*)\) += (.*)")


class Call(NamedTuple):
    """One system call as strace writes it with -xx -yy: all text in it is hexadecimal."""

    name: str
    arguments: tuple[str, ...]
    result: str

    @property
    def failed(self) -> bool:
        """The kernel refused it."""
        return self.result.startswith("-1 ") or self.result.startswith("?")


class Trace(NamedTuple):
    """What a traced program did."""

    calls: list[Call]
    exit_code: int
    out: str
    err: str


@cache
def obstacle() -> str:
    """Why nothing can be traced here; "" if it can."""
    if shutil.which("strace") is None:
        return "there is no strace: apt-get install strace"
    try:
        trace = traced([sys.executable, "-S", "-c", ""], {}, Path.cwd(), 60)
    except subprocess.TimeoutExpired:
        return "strace hangs here"
    if trace.exit_code or not trace.calls:
        return f"strace may not trace here (ptrace): {trace.err.strip()[-200:]}"
    return ""


def traced(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, limit_s: float
) -> Trace:
    """Run *command* in *folder* with *environment* added to this one's.

    Raises:
        subprocess.TimeoutExpired: it took longer than *limit_s*, and has been ended.
    """
    calls = ",".join(f"?{name}" for name in HARMLESS)
    with tempfile.NamedTemporaryFile("r", prefix="mien-strace-") as log:
        process = subprocess.Popen(
            [
                *("strace", "-f", "--seccomp-bpf", "-yy", "-xx", "-s", str(LONGEST_BYTES)),
                *("-e", "signal=none", "-e", f"trace=!{calls}", "-o", log.name, "--", *command),
            ],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=limit_s)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return Trace(list(read_calls(log)), process.returncode, out, err)


def read_calls(lines: Iterator[str] | Sequence[str]) -> Iterator[Call]:
    """The calls in a log of strace -f; those that were interrupted by others are put together."""
    begun: dict[str, str] = {}
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            continue
        thread, said = found.groups()
        if said.endswith(_UNFINISHED):
            begun[thread] = said.removesuffix(_UNFINISHED)
            continue
        resumed = _RESUMED.match(said)
        if resumed is not None:
            said = begun.pop(thread, "") + resumed[1]
        call = _CALL.match(said)
        if call is not None:
            yield Call(call[1], split(call[2]), call[3].strip())
    # What never returned, such as the last call of a thread that was killed.
    for said in begun.values():
        name, _, arguments = said.partition("(")
        yield Call(name, split(arguments), "?")


def split(arguments: str) -> tuple[str, ...]:
    """Arguments parted at the commas that are in no bracket; text, being hexadecimal, has none."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(arguments):
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "," and depth == 0:
            parts.append(arguments[start:at].strip())
            start = at + 1
    last = arguments[start:].strip()
    return (*parts, last) if parts or last else ()


def text_of(written: str) -> bytes:
    r"""The bytes of a string such as "\x61\x2f", with or without quotes."""
    return bytes.fromhex(written.strip('"').replace("\\x", ""))
