"""The board: disk, memory, temperature, supply, watchdog."""

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from edge.config.paths import REPO_ROOT
from edge.diagnostics.checks import Check
from edge.hardware.thermal import Throttling, read_heat, read_throttling
from edge.hardware.watchdog import Watchdog, configured_s, fed_every_s, find_watchdogs
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


def check_watchdog(
    board: str,
    find: Callable[[], list[Watchdog]] = find_watchdogs,
    fed: Callable[[], float | None] = fed_every_s,
    configured: Callable[[], float] = configured_s,
) -> Iterator[Check]:
    """Whether a board that hangs is started again: by its watchdog, which systemd has to feed.

    Args:
        board: its model; on a PC, where a person sits, nothing is amiss without.
        find: the watchdogs that there are.
        fed: as `fed_every_s`.
        configured: as `configured_s`.
    """
    dogs = find()
    if not dogs:
        if board.startswith("Raspberry Pi"):
            fix = "add dtparam=watchdog=on to /boot/firmware/config.txt, then restart"
            yield Check("watchdog", "warning", "the board's own is switched off", fix)
        else:
            yield Check("watchdog", "ok", "no hardware watchdog here")
        return
    dog, fed_s, wanted_s = dogs[0], fed(), configured()
    every_s = wanted_s if fed_s is None else fed_s
    if every_s > dog.longest_s and every_s != math.inf:
        says = f"{dog.name} counts to {dog.longest_s:g} s, but RuntimeWatchdogSec is {every_s:g} s"
        fix = "set RuntimeWatchdogSec=10s in /etc/systemd/system.conf.d, then restart"
        yield Check("watchdog", "warning", says, fix)
    elif every_s > 0:
        after = "" if every_s == math.inf else f" for {every_s:g} s"
        says = f"{dog.name} starts the board again when it hangs{after}"
        yield Check("watchdog", "ok", says)
    elif wanted_s > 0:
        says = "systemd has not read yet that it is to feed the watchdog"
        yield Check("watchdog", "warning", says, "sudo systemctl daemon-reexec")
    elif any(each.active for each in dogs):
        yield Check("watchdog", "ok", f"{dog.name} is fed by another program than systemd")
    elif board:
        says = f"nobody feeds {dog.name}: a board that hangs stays so"
        fix = f"sudo {REPO_ROOT / 'setup.sh'} install --watchdog"
        yield Check("watchdog", "warning", says, fix)
    else:
        yield Check("watchdog", "ok", f"{dog.name} is there and not in use")
