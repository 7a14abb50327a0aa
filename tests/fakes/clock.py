"""A clock that is moved by hand: waiting takes no time and moves it on."""

import threading

from edge.runtime.timing import Clock


class HandClock(Clock):
    """Time that only waiting moves on, or whoever adds to `t_s`."""

    def __init__(self, t_s: float = 1000.0) -> None:
        self.t_s = t_s
        self.waits: list[float] = []
        """Every wait that was asked for, in seconds."""

    def now_s(self) -> float:
        return self.t_s

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        self.waits.append(timeout_s)
        self.t_s += timeout_s
        return event.is_set()
