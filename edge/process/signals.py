"""Ending cleanly when the system asks."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Inside, SIGINT, SIGTERM and SIGHUP call *stop* instead of ending the process.

    SIGHUP stays ignored where it is ignored already: nohup asks for that.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        stop()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
