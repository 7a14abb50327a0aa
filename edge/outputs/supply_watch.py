"""Notices a display that was without power for a moment: it answers as before, and is dark."""

import time
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 2.0
SLOW_S: Final = 0.3
"""A refusal that takes longer comes from a bus that hangs: the next picture need not wait as long."""
OFF: Final = 0x40
"""Bit of the status, on chips of the SSD1306's kind: the panel is off, as it is when power comes on."""


class SupplyWatch:
    """Reads the status of a panel that is on, now and then."""

    def __init__(
        self, read: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """See first whether this chip says that it is on: some say nothing of it.

        Args:
            read: reads the status; raises OSError where that is refused.
            clock: the monotonic time.
        """
        self._read, self._clock = read, clock
        self._useful = self._off() is False
        self._asked_s: float | None = None

    def lost(self, t_s: float) -> bool:
        """Whether the panel has gone off by itself, at monotonic time *t_s*.

        Raises:
            OSError: the bus hangs.
        """
        if not self._useful or (self._asked_s is not None and t_s - self._asked_s < EVERY_S):
            return False
        self._asked_s = t_s
        return self._off() is True

    def _off(self) -> bool | None:
        """Whether it says twice that it is off; None if it is not to be known."""
        began_s = self._clock()
        try:
            first, second = self._read(), self._read()
        except OSError:  # a display that is gone is noticed by its next picture
            if self._clock() - began_s > SLOW_S:
                raise
            return None
        return bool(first & OFF) if first == second else None
