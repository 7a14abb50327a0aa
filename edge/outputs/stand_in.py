"""The preview in the terminal while no OLED answers: it goes on looking for one."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TextIO

from edge.errors import MienError
from edge.outputs import Output
from edge.outputs.terminal import Preview

LEAVE_S: Final = 2.0
"""Longest that closing waits for a look that has begun: a bus that hangs takes a second to say so."""


class StandIn(Preview):
    """Shows the face until there is an OLED, which then takes its place."""

    def __init__(
        self,
        stream: TextIO,
        look: Callable[[], Output],
        taken: str = "",
        *,
        every_s: float,
        beside_events: bool = False,
    ) -> None:
        """Draw on *stream*, and look on a thread: a bus that hangs must not hold the face up.

        Args:
            stream: see `Preview`.
            look: opens the OLED; raises MienError as long as there is none.
            taken: why it stands in, for a person.
            every_s: how often to look, in seconds.
            beside_events: see `Preview`.
        """
        super().__init__(stream, beside_events=beside_events)
        self.taken = taken
        self._look, self._every_s = look, every_s
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._found: Output | None = None
        self._thread = threading.Thread(target=self._look_out, name="look for OLED", daemon=True)
        self._thread.start()

    def successor(self) -> Output | None:
        """The OLED, open, once there is one; see `edge.outputs.StandsIn`."""
        with self._lock:
            found, self._found = self._found, None
            return found

    def close(self) -> None:
        """Leave the terminal, and the OLED if it was found and nobody has taken it."""
        self._ending.set()
        super().close()
        self._thread.join(LEAVE_S)
        found = self.successor()
        if found is not None:
            found.close()

    def _look_out(self) -> None:
        while not self._ending.wait(self._every_s):
            with suppress(MienError):
                found = self._look()
                with self._lock:
                    if not self._ending.is_set():
                        self._found = found
                        return
                found.close()
