"""Stops single threads of another process, as a hang would.

It runs in the container, with Python's own library alone.
"""

import contextlib
import ctypes
import os
import time
from typing import Final

PTRACE_SEIZE: Final = 0x4206
PTRACE_INTERRUPT: Final = 0x4207
"""From linux/ptrace.h. Unlike SIGSTOP, which stops all threads, this stops the one that is traced."""


WALL: Final = 0x40000000
"""From linux/wait.h: wait for threads, too."""


class Freezer:
    """Threads of process *pid* that stand still until this process ends or they are killed.

    A killed process has not ended for its parent before whoever traced its threads has heard of
    their end: call `reap` as long as its end is waited for.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.frozen: set[int] = set()
        self._seen: dict[int, float] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.ptrace.argtypes = [
            ctypes.c_long,
            ctypes.c_long,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self._libc.ptrace.restype = ctypes.c_long

    def freeze(self, thread: int) -> bool:
        """Stop one thread; False if it has ended meanwhile.

        Raises:
            OSError: tracing is not allowed.
        """
        for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
            if self._libc.ptrace(request, thread, None, None) != 0:
                number = ctypes.get_errno()
                if number == 3:  # ESRCH
                    return False
                raise OSError(number, os.strerror(number))
        self.frozen.add(thread)
        return True

    def reap(self) -> None:
        """Hear what happened to the frozen threads; never waits."""
        for thread in list(self.frozen):
            with contextlib.suppress(ChildProcessError):
                heard, status = os.waitpid(thread, os.WNOHANG | WALL)
                if heard == thread and not os.WIFSTOPPED(status):
                    self.frozen.discard(thread)

    def freeze_workers(self, age_s: float) -> None:
        """Stop every thread but the main one that has been seen for *age_s* seconds."""
        try:
            threads = [int(name) for name in os.listdir(f"/proc/{self.pid}/task")]
        except FileNotFoundError:
            return
        now_s = time.monotonic()
        for thread in threads:
            first_s = self._seen.setdefault(thread, now_s)
            if thread != self.pid and thread not in self.frozen and now_s - first_s >= age_s:
                self.freeze(thread)
