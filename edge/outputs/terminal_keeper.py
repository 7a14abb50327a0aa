"""Gives a terminal its cursor back: when Mien is paused, goes on, ends, or dies on the spot."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Protocol, TextIO

from edge.outputs.terminal_turn import TURN, beside_previews

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""Terminals that know these show each picture in one go; others leave them aside."""
RESET: Final = "\x1b[0m"
_PATIENCE_S: Final = 1.0
_LAST_WILL: Final = r"read -r _ || printf '\033[?2026l\033[0m\033[?25h' >&2"
"""Waits for a line, and for the end of whoever could write it."""


class Pausable(Protocol):
    """Has the cursor of a terminal."""

    def leave(self) -> None:
        """Give the cursor back, and what else was changed."""


_HOLDERS: Final[list[Pausable]] = []


def hold(holder: Pausable) -> None:
    """From now on *holder* is asked to leave its terminal before the process is paused."""
    _HOLDERS.append(holder)


def let_go(holder: Pausable) -> None:
    """*holder* has left for good."""
    with contextlib.suppress(ValueError):
        _HOLDERS.remove(holder)


@contextmanager
def cursor_back_when_paused() -> Iterator[None]:
    """Inside, Ctrl-Z (SIGTSTP) leaves a terminal as it was found; SIGCONT has the face drawn anew.

    To be entered on the main thread. What is ignored already stays so.
    """

    def pause(number: int, frame: FrameType | None) -> None:
        with beside_previews():  # nobody draws until it goes on
            for holder in list(_HOLDERS):
                holder.leave()
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, pause)

    def go_on(number: int, frame: FrameType | None) -> None:
        TURN.others += 1  # a shell has written meanwhile: begin below that

    wanted = {signal.SIGTSTP: pause, signal.SIGCONT: go_on}
    before = {
        number: signal.signal(number, handler)
        for number, handler in wanted.items()
        if signal.getsignal(number) not in (signal.SIG_IGN, None)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class LastWill:
    """A shell that shows the cursor when this process has died without doing so.

    No handler of ours runs after a SIGKILL or a crash in a library in C. The shell waits on a pipe whose
    other end dies with us, in a session of its own, where no Ctrl-C reaches it.
    """

    def __init__(self, stream: TextIO) -> None:
        """Start it for the terminal behind *stream*; where there is no shell, do without."""
        self._process: subprocess.Popen[bytes] | None = None
        with contextlib.suppress(OSError, ValueError):
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _LAST_WILL],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stream.fileno(),
                start_new_session=True,
            )

    def revoke(self) -> None:
        """The cursor is back: let the shell end without a word."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.write(b"\n")
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_S)
