"""`mien doctor`: looks at everything that Mien needs and names the fix for what is wrong."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from edge.build.outputs import this_host
from edge.config.load import try_settings
from edge.config.schema import Settings
from edge.diagnostics.checks import Check
from edge.diagnostics.checks.access import check_access
from edge.diagnostics.checks.files import check_detectors, check_models
from edge.diagnostics.checks.machine import (
    check_disk,
    check_limits,
    check_memory,
    check_temperature,
    check_throttling,
    check_watchdog,
)
from edge.diagnostics.checks.outputs import check_adapters, check_display, check_lights
from edge.diagnostics.checks.sensors import check_camera, check_microphone
from edge.diagnostics.checks.software import check_libraries, check_packages, check_python
from edge.diagnostics.checks.upgrade import check_upgrade
from edge.hardware.board import board_name
from edge.process.printable import printable

MARKS: Final = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "problem": ("PROBLEM", "red"),
}

LOADING: Final = (
    *("libraries", "packages", "models", "face detector", "camera", "microphone", "adapters"),
)
"""The looks at what loads libraries."""


def examine(config: Path | None = None) -> Iterator[Check]:
    """Every check in the order in which a person would fix things.

    One that crashes is a problem of its own and keeps none of the others from being made.
    """
    loaded, problems = try_settings(config)
    for problem in problems:
        says, _, fix = problem.rstrip(".").partition("; ")
        yield Check("settings", "problem", says, fix or "mien config default shows what may be set")
    if not problems:
        yield Check("settings", "ok", "no mistakes")
    settings = loaded.settings if loaded else Settings()
    board = board_name()
    yield Check("board", "ok", board or "no Raspberry Pi and no Jetson")
    looks: list[tuple[str, Callable[[], Iterable[Check]]]] = [
        ("Python", check_python),
        ("libraries", check_libraries),
        ("packages", check_packages),
        ("models", lambda: check_models(settings)),
        ("face detector", lambda: check_detectors(settings)),
        ("permissions", check_access),
        ("camera", lambda: check_camera(settings)),
        ("microphone", lambda: check_microphone(settings)),
        ("display", lambda: check_display(settings, board)),
        ("lights", lambda: check_lights(settings, board)),
        ("adapters", lambda: check_adapters(settings, this_host(settings))),
        ("upgrade", check_upgrade),
        ("disk", check_disk),
        ("memory", check_memory),
        ("temperature", lambda: check_temperature(settings.load.hot_c)),
        ("supply", check_throttling),
        ("watchdog", lambda: check_watchdog(board)),
    ]
    limits = list(guarded("limits", check_limits))
    yield from limits
    for name, look in looks:
        # Under low limits whatever loads a library would be told to be missing or broken.
        if limits[0].state == "ok" or name not in LOADING:
            yield from guarded(name, look)


def guarded(name: str, look: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """The checks of *look*; what it throws becomes a problem."""
    try:
        yield from look()
    except Exception as error:  # a doctor must not fall ill
        says = f"cannot be looked at ({type(error).__name__}: {error})"
        yield Check(name, "problem", says, "report it as an issue of Mien")


def print_as_lines(checks: Iterable[Check], console: Console | None = None) -> bool:
    """Print each check as it is made, then the count; True when there is a problem."""
    console = console or Console(highlight=False)
    counts = {"ok": 0, "warning": 0, "problem": 0}
    for check in checks:
        counts[check.state] += 1
        mark, color = MARKS[check.state]
        console.print(
            Text.assemble(
                (f"{mark:<8}", color), f"{printable(check.name):<15}{printable(check.says)}"
            ),
            soft_wrap=True,
        )
        if check.fix:
            console.print(Text(f"{'':8}{'':15}fix: {printable(check.fix)}"), soft_wrap=True)
    if counts["problem"]:
        ending = f"{_count(counts['problem'], 'problem')}, {_count(counts['warning'], 'warning')}."
    elif counts["warning"]:
        ending = f"Mien can run; {_count(counts['warning'], 'warning')}."
    else:
        ending = "All is well."
    console.print(ending)
    return counts["problem"] > 0


def print_as_json(checks: Iterable[Check]) -> bool:
    """Print all checks as one JSON object; True when there is a problem."""
    made = list(checks)
    failed = any(check.state == "problem" for check in made)
    print(
        json.dumps({"healthy": not failed, "checks": [asdict(check) for check in made]}, indent=2)
    )
    return failed


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
