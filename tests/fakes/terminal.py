"""A terminal: the kernel's half is a real pseudo-terminal, the screen is pyte's."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from typing import TextIO

import pytest

from edge.config.paths import REPO_ROOT

pyte = pytest.importorskip("pyte", reason="the extra dev is not installed anew")


class Terminal:
    """A pseudo-terminal, and a thread that puts what is written to it on a screen."""

    def __init__(self, columns: int = 80, rows: int = 24, encoding: str = "utf-8") -> None:
        try:
            self.main, self.side = pty.openpty()
        except OSError as error:
            pytest.skip(f"this system has no pseudo-terminals ({error})")
        self._screen = pyte.HistoryScreen(columns, rows)
        self._feed = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._marks = 0
        self._closing = False
        self.got = b""
        self.resize(columns, rows)
        self.stream: TextIO = os.fdopen(os.dup(self.side), "w", encoding=encoding)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._closing:
            if not select.select([self.main], [], [], 0.05)[0]:
                continue
            try:
                part = os.read(self.main, 65536)
            except OSError:  # the other side was closed
                return
            with self._lock:
                self.got += part
                self._feed.feed(part)

    def resize(self, columns: int, rows: int) -> None:
        """As when a person drags its window."""
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        with self._lock:
            self._screen.resize(rows, columns)

    def run(self, *command: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Start *command* with this terminal as its own, as a terminal emulator starts a shell."""
        return subprocess.Popen(
            command,
            stdin=self.side, stdout=self.side, stderr=self.side,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            cwd=REPO_ROOT,
            env={**os.environ, "TERM": "xterm", "PYTHONUTF8": "1",
                 "PYTHONPATH": str(REPO_ROOT), **environment},
        )  # fmt: skip

    def run_python(self, code: str) -> "subprocess.Popen[bytes]":
        """Start a Python program with this terminal as its own."""
        return self.run(sys.executable, "-c", code)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.main, keys.encode())

    def wait_for(self, what: Callable[["Terminal"], bool], seconds: float = 60.0) -> None:
        """Until *what* is true of this terminal."""
        deadline_s = time.monotonic() + seconds
        while not what(self):
            assert time.monotonic() < deadline_s, "\n".join(self.lines)
            time.sleep(0.01)

    @property
    def lines(self) -> list[str]:
        """What the screen shows, without the blanks at the end of each row."""
        with self._lock:
            return [line.rstrip() for line in self._screen.display]

    @property
    def last_line(self) -> str:
        """The last one that is not empty."""
        return next((line for line in reversed(self.lines) if line), "")

    @property
    def scrolled(self) -> int:
        """How many lines have left it at the top."""
        with self._lock:
            return len(self._screen.history.top)

    @property
    def cursor_hidden(self) -> bool:
        with self._lock:
            return bool(self._screen.cursor.hidden)

    def settle(self) -> list[str]:
        """What the screen shows once all that was written before is on it."""
        self._marks += 1
        self.stream.write(f"\x1b]2;{self._marks}\x07")  # the title of the window
        self.stream.flush()
        self.wait_for(lambda it: it._screen.title == str(it._marks))
        return self.lines

    def close(self) -> None:
        """Close both ends."""
        self.stream.close()
        os.close(self.side)
        self._closing = True  # a job that was left behind may keep the other side open
        self._thread.join()
        os.close(self.main)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End *process* and whatever it has started in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
