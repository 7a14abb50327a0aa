"""The board: disk, memory, temperature, supply."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from edge.config.paths import REPO_ROOT
from edge.diagnostics.checks import Check
from edge.hardware.thermal import Throttling, read_heat, read_throttling
from edge.process.limits import too_low
from edge.runtime.load_policy import COOL_C

LOW_DISK_MB: Final = 200
LOW_MEMORY_MB: Final = 350
"""Mien takes up to 400 MB; less than this left and the kernel starts to swap or to kill."""


def check_limits() -> Iterator[Check]:
    """Whether the process may have the memory and the files that it needs."""
    found = [problem.partition("; ") for problem in too_low()]
    yield from (Check("limits", "problem", says, fix) for says, _, fix in found)
    if not found:
        yield Check("limits", "ok", "enough memory and files")


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


def check_temperature(hot_c: float = 80.0, sys: Path = Path("/sys")) -> Iterator[Check]:
    """The hottest sensor of the board; from `COOL_C` below *hot_c* on it is a warning.

    Args:
        hot_c: where the load policy lowers the rate, degrees Celsius.
        sys: where sysfs is mounted.
    """
    hottest_c = read_heat(sys).temperature_c
    if hottest_c is None:
        return
    if hottest_c >= hot_c - COOL_C:
        fix = "add a heat sink or a fan, or lower [camera] rate_hz"
        yield Check("temperature", "warning", f"{hottest_c:.0f} °C", fix)
    else:
        yield Check("temperature", "ok", f"{hottest_c:.0f} °C")


def check_throttling(read: Callable[[], Throttling | None] = read_throttling) -> Iterator[Check]:
    """What a Raspberry Pi says about its supply and its clock; nothing elsewhere."""
    throttling = read()
    if throttling is None:
        return
    if not throttling.sentences:
        yield Check("supply", "ok", "no under-voltage and no throttling since the start")
        return
    weak = throttling.weak_supply
    fix = "use the official power supply and a short cable" if weak else "cool the board"
    yield Check("supply", "warning", "; ".join(throttling.sentences), fix)
