"""The service as its systemd sees it: asked from within its system, by Python's own library."""

import os
import subprocess
import time
from collections.abc import Callable
from typing import Final

UNIT: Final = "mien.service"
READY_S: Final = float(os.environ.get("RIG_READY_S", "180"))
BACK_S: Final = float(os.environ.get("RIG_BACK_S", "10"))
PAUSE_S: Final = float(os.environ.get("RIG_PAUSE_S", "0.05"))
"""Between two looks. An emulated system asks for more: there, each costs the service time."""


class NotSoError(Exception):
    """What was to hold does not."""


class CannotTryError(Exception):
    """Something cannot be tried here; says why."""


def need(condition: bool, otherwise: str) -> None:
    """Raise NotSoError with the sentence unless the condition holds."""
    if not condition:
        raise NotSoError(otherwise)


def ask(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def show(name: str) -> str:
    return ask("systemctl", "show", "--property", name, "--value", UNIT).stdout.strip()


def journal() -> list[str]:
    return ask("journalctl", "--no-pager", "--output=cat", f"--unit={UNIT}").stdout.splitlines()


def main_pid() -> int:
    pid = int(show("MainPID") or 0)
    need(pid > 0, f"the service has no process; it is {show('ActiveState')}")
    return pid


def wait_for(what: str, condition: Callable[[], bool], limit_s: float) -> float:
    """Seconds until *condition* holds."""
    began_s = time.monotonic()
    while not condition():
        if time.monotonic() - began_s > limit_s:
            last = " / ".join(journal()[-3:])
            raise NotSoError(f"{what} did not come within {limit_s:.0f} s; the journal: {last}")
        time.sleep(PAUSE_S)
    return time.monotonic() - began_s


def is_back(old: int) -> bool:
    return show("ActiveState") == "active" and show("MainPID") not in ("0", str(old))
