"""The system's own tools: systemd, udev, the journal."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge.process.command_output import output_of
from edge.upgrade.observation import PROPERTIES, Observation, own_memory_mb, parse

SERVICE: Final = "mien.service"
GUARD: Final = "mien-probation.service"
LIMIT_S: Final = 90.0
START_S: Final = 240.0
"""Longer than the unit's own limit."""
_DEVICES: Final = ("video4linux", "media", "dma_heap", "gpio", "i2c-dev", "spidev")


class System:
    """The one at *root*; "/" unless an image or a test is worked at."""

    def __init__(self, root: Path) -> None:
        self._at = [] if root == Path("/") else [f"--root={root}"]
        self.runs = (root / "run/systemd/system").is_dir()
        """Whether it is run by systemd now."""

    def boot_id(self) -> str:
        """Another one after each start of the machine."""
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def now_s(self) -> float:
        """Monotonic."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def look(self) -> Observation:
        """At the service."""
        shown = _ask("systemctl", "show", f"--property={','.join(PROPERTIES)}", SERVICE)
        pid = next((line[8:] for line in shown.splitlines() if line.startswith("MainPID=")), "0")
        memory_mb = None
        try:
            if pid.isdecimal() and int(pid) > 0:
                memory_mb = own_memory_mb(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
        except OSError:  # it has just ended
            memory_mb = None
        return parse(shown, memory_mb, self.now_s())

    def last_words(self) -> str:
        """The last sentence of the service in the journal; "" if there is none."""
        lines = _ask(
            *("journalctl", "--no-pager", "--output=cat", "--lines=40", "--identifier=mien")
        ).splitlines()
        said = [line for line in lines if line.startswith("mien: ")]
        return said[-1].removeprefix("mien: ") if said else ""

    def take_up(self) -> None:
        """Have the system read the files that a release has put in place."""
        self._do("systemd-sysusers", *self._at, "mien.conf")
        self._do("systemd-tmpfiles", *self._at, "--create", "mien.conf")
        if self.runs:
            # A kernel without one of the modules is no reason to stop: then there is no such device.
            self._do("systemctl", "restart", "systemd-modules-load.service")
            self._do("udevadm", "control", "--reload")
            self._do("udevadm", "trigger", *(f"--subsystem-match={name}" for name in _DEVICES))
        self._do("systemctl", *self._at, "enable", SERVICE)
        if self.runs:
            self._do("systemctl", "daemon-reload")
            self._do("systemctl", "reset-failed", SERVICE)

    def restart(self, wait: bool = False) -> bool:
        """Start the service anew; with *wait*, whether it has said READY."""
        words = [] if wait else ["--no-block"]
        return self._do("systemctl", "restart", *words, SERVICE, limit_s=START_S)

    def start_guard(self) -> bool:
        """Let systemd run the guard, at once and after each start of the machine."""
        return self._do("systemctl", "enable", GUARD) and self._do(
            "systemctl", "start", "--no-block", GUARD
        )

    def guard_runs(self) -> bool:
        """Whether systemd runs the guard."""
        shown = _ask("systemctl", "show", "--property=ActiveState", GUARD)
        return any(state in shown for state in ("=active", "=activating", "=reloading"))

    def stop_guard(self) -> None:
        """End it."""
        self._do("systemctl", "stop", GUARD)

    def _do(self, *command: str, limit_s: float = LIMIT_S) -> bool:
        return run(command, limit_s)


def _ask(*command: str) -> str:
    return output_of(*command, limit_s=LIMIT_S)


def run(command: Sequence[str], limit_s: float) -> bool:
    """Run it, with what it says on the standard error; whether it went well."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=2, timeout=limit_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
