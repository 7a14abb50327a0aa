"""Ending cleanly when the system asks, and opening files anew."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_ENDING: Final = (
    *("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM"),
    *("SIGPROF", "SIGXCPU", "SIGPWR", "SIGPOLL", "SIGSTKFLT"),
)
"""Those that would end the process on the spot, lights on, and that tell of no fault of its own."""


def end_on_interrupt() -> None:
    """Let SIGINT end the process on the spot, as SIGTERM does, until a command stops in order.

    Python would print where it was interrupted, most of the first seconds in the middle of imports.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored: by nohup, or &
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def end_while_importing(sentence: str) -> None:
    """From now on SIGINT interrupts as usual, but in the middle of an import ends with *sentence*.

    Libraries turn the interruption of an import into errors of their own, with their tracebacks.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                print(f"\n{sentence}", file=sys.stderr, flush=True)
                os._exit(128 + number)
            frame = frame.f_back
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, signal.default_int_handler):
        signal.signal(signal.SIGINT, interrupt)


@contextmanager
def stopped_by_signals(
    stop: Callable[[], None], reopen: Callable[[], None] | None = None
) -> Iterator[None]:
    """Inside, signals that would end the process call *stop* instead.

    SIGQUIT does so once: a second one ends the process on the spot. SIGHUP calls *reopen*, if there
    is one and the terminal that Mien was started from has not gone. What is ignored already stays so:
    nohup asks for that.
    """
    had_terminal = _has_terminal()

    def handle(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP and reopen is not None and had_terminal == _has_terminal():
            reopen()
            return
        if number == signal.SIGQUIT:
            signal.signal(number, signal.SIG_DFL)
        stop()

    known = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    others = (signal.SIG_IGN, None)  # None: of a library in C, which cannot be put back
    numbers = [number for number in known if signal.getsignal(number) not in others]
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _has_terminal() -> bool:
    """Whether the process has a terminal that controls it."""
    with contextlib.suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
        return True
    return False
