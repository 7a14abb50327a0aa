"""The board: disk, memory, temperature, supply."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from edge.config.paths import REPO_ROOT
from edge.diagnostics.checks import Check

LOW_DISK_MB: Final = 200
LOW_MEMORY_MB: Final = 350
"""Mien takes up to 400 MB; less than this left and the kernel starts to swap or to kill."""
HOT_C: Final = 75.0
"""A Pi slows down from 80 °C."""

THROTTLED: Final = {
    0: "the supply is under voltage now",
    1: "the clock is capped now",
    2: "it is throttled now",
    3: "it is near its temperature limit now",
    16: "the supply was under voltage since the start",
    17: "the clock was capped since the start",
    18: "it was throttled since the start",
    19: "it reached its temperature limit since the start",
}
"""Bits of `vcgencmd get_throttled`, after the documentation of Raspberry Pi."""


def check_disk(folder: Path = REPO_ROOT) -> Iterator[Check]:
    """Room on the disk that Mien lies on."""
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    says = f"{free_mb:,} MB free".replace(",", " ")
    if free_mb < LOW_DISK_MB:
        yield Check("disk", "warning", says, "make room: sudo apt-get clean")
    else:
        yield Check("disk", "ok", says)


def check_memory(meminfo: Path = Path("/proc/meminfo")) -> Iterator[Check]:
    """Memory that is still to be had."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        free_mb = int(lines["MemAvailable"].split()[0]) // 1000
    except (OSError, KeyError, ValueError):
        return
    if free_mb < LOW_MEMORY_MB:
        fix = "close other programs, or choose the system without a desktop"
        yield Check("memory", "warning", f"{free_mb} MB available", fix)
    else:
        yield Check("memory", "ok", f"{free_mb} MB available")


def check_temperature(root: Path = Path("/")) -> Iterator[Check]:
    """The hottest sensor of the board."""
    degrees = []
    for file in root.glob("sys/class/thermal/thermal_zone*/temp"):
        try:
            degrees.append(int(file.read_text()) / 1000)
        except (OSError, ValueError):
            continue
    if not degrees:
        return
    hottest = max(degrees)
    if hottest >= HOT_C:
        fix = "add a heat sink or a fan, or lower [camera] rate_hz"
        yield Check("temperature", "warning", f"{hottest:.0f} °C", fix)
    else:
        yield Check("temperature", "ok", f"{hottest:.0f} °C")


def check_throttling(ask: Callable[[], str] | None = None) -> Iterator[Check]:
    """What a Raspberry Pi says about its supply and its clock; nothing elsewhere."""
    try:
        answer = (ask or _vcgencmd)()
        bits = int(answer.strip().removeprefix("throttled="), 16)
    except (OSError, ValueError, subprocess.SubprocessError):
        return
    found = [text for bit, text in THROTTLED.items() if bits >> bit & 1]
    if not found:
        yield Check("supply", "ok", "no under-voltage and no throttling since the start")
        return
    weak = bits & (1 << 0 | 1 << 16)
    fix = "use the official power supply and a short cable" if weak else "cool the board"
    yield Check("supply", "warning", "; ".join(found), fix)


def _vcgencmd() -> str:
    done = subprocess.run(
        ["vcgencmd", "get_throttled"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=3,
        check=True,
    )
    return done.stdout
