"""The hardware watchdog, which restarts a board that hangs, and whether systemd feeds it."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.process.command_output import output_of

CONFIG_FOLDERS: Final = ("etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd")
"""Where systemd looks for its own settings: a drop-in hides one of that name further back."""
_BROADCOM_S: Final = 15
"""What the watchdog of a Raspberry Pi counts to; the driver of older kernels takes no more."""
_UNITS_S: Final = {
    "us": 1e-6, "ms": 1e-3, "": 1, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "d": 86400,
    "w": 604800,
}  # fmt: skip


@dataclass(frozen=True)
class Watchdog:
    """One watchdog of the machine."""

    name: str
    """What its driver calls it, else that of its node, such as "watchdog0"."""
    active: bool | None = None
    """Some program feeds it; None where the kernel does not say."""
    longest_s: float = math.inf
    """It cannot be set to wait for longer."""


def find_watchdogs(root: Path = Path("/")) -> list[Watchdog]:
    """Those that the kernel has drivers for, the one that systemd takes first."""
    found = []
    for folder in sorted((root / "sys/class/watchdog").glob("watchdog*")):
        name = _line(folder / "identity") or folder.name
        state = _line(folder / "state")
        longest_s = _number(folder / "max_timeout")
        if longest_s is None and "broadcom" in name.lower():
            longest_s = _BROADCOM_S
        # 0: the driver waits for any time, by being fed from the kernel meanwhile.
        found.append(Watchdog(name, state == "active" if state else None, longest_s or math.inf))
    if not found and (root / "dev/watchdog").exists():
        found.append(Watchdog("watchdog"))  # of a kernel without these files
    return found


def fed_every_s(ask: Callable[[], str] | None = None) -> float | None:
    """After how long the watchdog acts that systemd feeds: 0 for never, None where it does not say."""
    text = (ask or _ask_systemd)().strip()
    return timespan_s(text) if text else None


def configured_s(root: Path = Path("/")) -> float:
    """RuntimeWatchdogSec of systemd's settings, in seconds; 0 for never."""
    main = next(
        (root / folder / "system.conf" for folder in CONFIG_FOLDERS
         if (root / folder / "system.conf").is_file()), None
    )  # fmt: skip
    drop_ins: dict[str, Path] = {}
    for folder in CONFIG_FOLDERS:
        for file in (root / folder / "system.conf.d").glob("*.conf"):
            drop_ins.setdefault(file.name, file)
    value = ""
    for file in [*([main] if main else []), *(drop_ins[name] for name in sorted(drop_ins))]:
        for line in _lines(file):
            key, _, text = line.partition("=")
            if key.strip() == "RuntimeWatchdogSec":
                value = text.strip()
    return timespan_s(value) or 0.0


def timespan_s(text: str) -> float | None:
    """Seconds of a time as systemd writes it, such as "1min 30s", "10" or "off"; None if it is none."""
    if text.lower() in ("", "off", "0"):
        return 0.0
    if text.lower() in ("infinity", "default"):
        return math.inf
    parts = re.findall(r"([\d.]+)\s*([a-z]*)", text.lower())
    if re.sub(r"[\d.]+\s*[a-z]*", "", text.lower()).strip():
        return None
    try:
        return float(sum(float(number) * _UNITS_S[unit] for number, unit in parts))
    except (KeyError, ValueError):
        return None


def _ask_systemd() -> str:
    return output_of("systemctl", "show", "--property=RuntimeWatchdogUSec", "--value")


def _lines(file: Path) -> Iterator[str]:
    try:
        yield from file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return


def _line(file: Path) -> str:
    return next(_lines(file), "").strip()


def _number(file: Path) -> float | None:
    text = _line(file)
    return float(text) if text.isdecimal() else None
