"""The machine that Mien runs on, as adapters see it: its pins, its terminal, its service manager."""

import os
import stat
import sys
import threading
from dataclasses import dataclass, field
from typing import Final

from edge.hardware.board import board_name
from edge.hardware.gpio import Backend, Gpio, open_gpio
from edge.process.systemd import under_systemd

_OWN_TERMINAL: Final = os.makedev(5, 0)
"""/dev/tty, the one that controls the process."""


class Pins:
    """Opens the GPIO library once for all who have wires on it, and only when one asks."""

    def __init__(self, backend: Backend | None = None) -> None:
        """Remember which library to open.

        Args:
            backend: as for `open_gpio`; None where nothing is to be lit.
        """
        self._backend: Backend | None = backend
        self._gpio: Gpio | None = None
        self._opening = threading.Lock()

    @property
    def wanted(self) -> bool:
        """There are lights: always when a backend is named, on "auto" only on a known board."""
        return self._backend is not None and (self._backend != "auto" or bool(board_name()))

    def gpio(self) -> Gpio:
        """The library, opened.

        Raises:
            OutputError: it is missing or has no access to the pins.
        """
        with self._opening:  # outputs are opened on threads of their own
            if self._gpio is None:
                self._gpio = open_gpio(self._backend or "auto")
            return self._gpio


@dataclass(frozen=True)
class Host:
    """What an adapter may ask of the machine."""

    pins: Pins = field(default_factory=Pins)
    events_to: str = ""
    """Where events are written: "-" is the standard output, empty is nowhere."""

    @property
    def board(self) -> str:
        """Model of the board, such as "Raspberry Pi 5 Model B Rev 1.0"; empty on a PC."""
        return board_name()

    @property
    def has_terminal(self) -> bool:
        """There is a standard error to write to; `2>&-` and some launchers leave none."""
        return sys.stderr is not None and not sys.stderr.closed

    @property
    def events_share_terminal(self) -> bool:
        """Events are written to the very terminal that the standard error is."""
        if not self.events_to or not self.has_terminal:
            return False
        try:
            error = sys.stderr.fileno()
            events = os.stat(sys.stdout.fileno() if self.events_to == "-" else self.events_to)
            if not os.isatty(error) or not stat.S_ISCHR(events.st_mode):
                return False
            return events.st_rdev in (os.stat(error).st_rdev, _OWN_TERMINAL)
        except (OSError, ValueError, AttributeError):  # no such file yet; a stream in memory; none
            return False

    @property
    def is_service(self) -> bool:
        """It runs under systemd, where nobody sees a terminal."""
        return under_systemd()
