"""In the guest: how the programs that play the world are told what to do, by files in /run/rig."""

import os
import socket
from pathlib import Path
from typing import Final

RUN: Final = Path("/run/rig")


def wish(name: str, usual: str) -> str:
    """What `tell` last said under *name*; *usual* before the first time."""
    try:
        return (RUN / name).read_text(encoding="ascii").strip() or usual
    except FileNotFoundError:
        return usual


def tell(name: str, what: str) -> None:
    """Say *what* under *name*, in one step."""
    part = RUN / f".{name}"
    part.write_text(what, encoding="ascii")
    part.rename(RUN / name)


def ready() -> None:
    """Tell systemd that the service that this is has started."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", address.replace("@", "\0", 1))
