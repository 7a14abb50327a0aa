"""Notices a display that was without power for a moment: it answers as before, and is dark."""

from collections.abc import Callable
from typing import Final

EVERY_S: Final = 2.0
OFF: Final = 0x40
"""Bit of the status, on chips of the SSD1306's kind: the panel is off, as it is when power comes on."""


class SupplyWatch:
    """Reads the status of a panel that is on, now and then."""

    def __init__(self, read: Callable[[], int]) -> None:
        """See first whether this chip says that it is on: some say nothing of it.

        Args:
            read: reads the status; raises OSError where that is refused.
        """
        self._read = read
        self._useful = self._off() is False
        self._asked_s: float | None = None

    def lost(self, t_s: float) -> bool:
        """Whether the panel has gone off by itself, at monotonic time *t_s*."""
        if not self._useful or (self._asked_s is not None and t_s - self._asked_s < EVERY_S):
            return False
        self._asked_s = t_s
        return self._off() is True

    def _off(self) -> bool | None:
        """Whether it says twice that it is off; None if it is not to be known."""
        try:
            first, second = self._read(), self._read()
        except OSError:  # a display that is gone is noticed by its next picture
            return None
        return bool(first & OFF) if first == second else None
