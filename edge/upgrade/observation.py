"""What can be seen of the service from outside, at one moment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PROPERTIES: Final = (
    *("ActiveState", "SubState", "Result", "MainPID", "NRestarts", "StatusText"),
    *("ExecMainCode", "ExecMainStatus"),
)
"""What systemd is asked."""
_SENSE: Final = re.compile(r"\b(face|voice) ([a-z]+)")
_INNERMOST: Final = re.compile(r"\([^()]*\)")


@dataclass(frozen=True)
class Observation:
    """One look at the service."""

    t_s: float
    """Monotonic."""
    active: str
    """systemd's ActiveState: "active" once it has said READY."""
    result: str = "success"
    """systemd's Result: why it ended last, such as "watchdog"."""
    status: int = 0
    """Exit code or number of the signal, of the last end."""
    restarts: int = 0
    """How often systemd has started it again since it was started by hand."""
    senses: Mapping[str, str] = field(default_factory=dict)
    """How each sense fares, such as {"face": "ok"}."""
    fault: str = ""
    """What it says that is wrong, when no sense works."""
    memory_mb: float | None = None
    """What it has to itself; None while it does not run."""


def parse(shown: str, memory_mb: float | None, t_s: float) -> Observation:
    """An observation from what `systemctl show` prints of `PROPERTIES`."""
    values = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    text = values.get("StatusText", "")
    return Observation(
        t_s,
        values.get("ActiveState", "unknown"),
        values.get("Result", "success"),
        _number(values.get("ExecMainStatus", "")),
        _number(values.get("NRestarts", "")),
        senses_of(text),
        text.removeprefix("Fault: ") if text.startswith("Fault: ") else "",
        memory_mb,
    )


def senses_of(status: str) -> dict[str, str]:
    """How each sense fares, by the service's line of status; what is in brackets is no state."""
    if not status.startswith(("Running: ", "Starting: ")):
        return {}
    while (shorter := _INNERMOST.sub("", status)) != status:
        status = shorter
    return dict(_SENSE.findall(status))


def own_memory_mb(status: str) -> float | None:
    """Anonymous memory by the text of /proc/PID/status, in MB of 10^6 bytes; None if it is not told."""
    found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
