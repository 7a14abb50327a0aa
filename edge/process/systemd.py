"""Tells systemd how the service fares: ready, one line of status, signs of life, stopping.

Outside a service of Type=notify every call does nothing.
"""

import os
from typing import Final, Protocol

from edge.process.printable import printable

PINGS: Final = 4
"""Signs of life in the time after which systemd gives up, so that a late one does no harm."""

SEND_S: Final = 0.2
"""Longest wait for a service manager whose socket is full."""


class Channel(Protocol):
    """Sends messages of sd_notify(3); `sdnotify.SystemdNotifier` on the device."""

    def notify(self, state: str) -> None:
        """Send *state*, never waiting, never raising."""


def under_systemd() -> bool:
    """Whether a service manager wants to be told."""
    return bool(os.environ.get("NOTIFY_SOCKET"))


class Notifier:
    """The messages to the service manager, each no more often than it is worth."""

    def __init__(self, channel: Channel | None = None, watchdog_s: float = 0.0) -> None:
        """Send through *channel*.

        Args:
            channel: None to say nothing.
            watchdog_s: systemd restarts the service after so long without a sign of life; 0 never.
        """
        self._channel = channel
        self._every_s = watchdog_s / PINGS
        self._pinged_s: float | None = None
        self._status = ""
        self.told_ready = False

    def ready(self) -> None:
        """Say once that the service is up."""
        if not self.told_ready:
            self.told_ready = True
            self._send("READY=1")

    def status(self, line: str) -> None:
        """Say what *line* says, if it is another one than before."""
        line = printable(" ".join(line.split()))
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def alive(self, t_s: float) -> None:
        """Give a sign of life at monotonic time *t_s*, if one is due."""
        if self._every_s <= 0 or (
            self._pinged_s is not None and t_s - self._pinged_s < self._every_s
        ):
            return
        self._pinged_s = t_s
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service ends in good order."""
        self._send("STOPPING=1")

    def _send(self, state: str) -> None:
        if self._channel is not None:
            # sdnotify sends Latin-1, systemd expects UTF-8 and drops what is not.
            self._channel.notify(state.encode().decode("latin-1"))


def open_notifier(send_s: float = SEND_S) -> Notifier:
    """The notifier that the environment asks for: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID.

    Args:
        send_s: how long a message may wait for a service manager whose socket is full.
    """
    if not under_systemd():
        return Notifier()
    from sdnotify import SystemdNotifier

    channel = SystemdNotifier()
    if channel.socket is not None:
        channel.socket.settimeout(send_s)
    return Notifier(channel, watchdog_s())


def watchdog_s() -> float:
    """After how many seconds without a sign of life systemd acts; 0 if it does not watch us."""
    microseconds, pid = (
        _number(os.environ.get(f"WATCHDOG_{name}", "")) for name in ("USEC", "PID")
    )
    if microseconds is None or (pid is not None and pid != os.getpid()):
        return 0.0
    return microseconds / 1e6


def _number(text: str) -> int | None:
    """*text* as sd_watchdog_enabled(3) takes it: a number of 64 bits."""
    return int(text) if text.isdecimal() and len(text) < 20 else None
