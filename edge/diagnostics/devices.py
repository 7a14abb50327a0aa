"""`mien devices`: what is attached to this machine that Mien could use."""

import fcntl
import json
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge.build.outputs import this_host
from edge.build.sensors import adapters, found_by
from edge.config.schema import Settings
from edge.errors import MienError
from edge.hardware.board import board_name
from edge.hardware.bus_purpose import bus_numbers
from edge.hardware.i2c import I2cBus, scan_bus
from edge.process.printable import printable
from edge.sensors import CameraAdapter, MicrophoneAdapter

_CHIPINFO: Final = 0x8044B401
"""GPIO_GET_CHIPINFO_IOCTL of linux/gpio.h: name[32], label[32], number of lines."""


@dataclass(frozen=True)
class CameraFound:
    """A camera."""

    source: str
    """What `--camera` takes."""
    name: str


@dataclass(frozen=True)
class MicrophoneFound:
    """A microphone."""

    device: int | str
    """What `--microphone` takes; a part of the name does as well."""
    name: str


@dataclass(frozen=True)
class GpioChip:
    """A GPIO chip."""

    path: str
    label: str = ""
    lines: int = 0
    trouble: str = ""


@dataclass(frozen=True)
class Found:
    """Everything that was found, and one sentence for each thing that could not be looked at."""

    board: str
    cameras: tuple[CameraFound, ...]
    microphones: tuple[MicrophoneFound, ...]
    i2c: tuple[I2cBus, ...]
    gpio: tuple[GpioChip, ...]
    troubles: tuple[str, ...] = ()

    def to_json(self) -> str:
        """As one JSON object; addresses as "0x3C"."""
        table = asdict(self)
        for bus in table["i2c"]:
            for key in ("answering", "in_use"):
                bus[key] = [f"0x{address:02X}" for address in bus[key]]
        return json.dumps(table, indent=2)


def find_devices() -> Found:
    """Look everywhere; what fails is told in `Found.troubles` and hides nothing else."""
    troubles: list[str] = []

    def attempt(look: Callable[[], Sequence[Any]]) -> Sequence[Any]:
        try:
            return look()
        except MienError as error:
            troubles.append(str(error))
        except (OSError, ImportError) as error:
            troubles.append(f"{type(error).__name__}: {error}; mien doctor tells more.")
        return []

    def look_with(kind: type[CameraAdapter[Any]] | type[MicrophoneAdapter[Any]]) -> list[Any]:
        looks = [partial(found_by, *each, settings, host) for each in adapters(kind).items()]
        return [found for look in looks for found in attempt(look)]

    settings = Settings()
    host = this_host(settings)
    cameras = [CameraFound(*found) for found in look_with(CameraAdapter)]
    microphones = [MicrophoneFound(*found) for found in look_with(MicrophoneAdapter)]
    buses = attempt(lambda: [scan_bus(port) for port in bus_numbers()])
    chips = attempt(find_gpio_chips)
    return Found(
        board_name(),
        tuple(cameras),
        tuple(microphones),
        tuple(buses),
        tuple(chips),
        tuple(troubles),
    )


def find_gpio_chips(dev: Path = Path("/dev")) -> list[GpioChip]:
    """The GPIO chips of this machine, asked for label and number of lines."""
    return [_ask_chip(path) for path in sorted(dev.glob("gpiochip*"))]


def _ask_chip(path: Path) -> GpioChip:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        fix = "sudo usermod -aG gpio $USER, then log in again"
        return GpioChip(str(path), trouble=f"{path} may not be opened by you; run: {fix}.")
    except OSError as error:
        return GpioChip(str(path), trouble=f"{path} cannot be opened ({error.strerror}).")
    try:
        answer = fcntl.ioctl(handle, _CHIPINFO, bytes(68))
    except OSError as error:
        return GpioChip(str(path), trouble=f"{path} does not answer ({error.strerror}).")
    finally:
        os.close(handle)
    label, lines = struct.unpack_from("=32sI", answer, 32)
    return GpioChip(str(path), label.rstrip(b"\0").decode("utf-8", "replace"), lines)


def print_devices(found: Found, console: Console | None = None) -> None:
    """As a table for a person."""
    console = console or Console(highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(overflow="fold")
    table.add_row("board", Text(printable(found.board or "no Raspberry Pi and no Jetson")), "")
    _rows(table, "camera", [(f"--camera {one.source}", one.name) for one in found.cameras])
    _rows(
        table,
        "microphone",
        [(f"--microphone {one.device}", one.name) for one in found.microphones],
    )
    _rows(table, "I2C", [(f"/dev/i2c-{bus.port}", _tell_bus(bus)) for bus in found.i2c])
    _rows(
        table,
        "GPIO",
        [(one.path, one.trouble or f"{one.label}, {one.lines} lines") for one in found.gpio],
    )
    console.print(table)
    for trouble in found.troubles:
        console.print(Text(printable(trouble)), style="yellow")


def _rows(table: Table, kind: str, rows: list[tuple[str, str]]) -> None:
    for index, (where, what) in enumerate(rows or [("none", "")]):
        # As Text: a name such as "Mic [/x]" is no markup.
        table.add_row(
            kind if index == 0 else "", *(Text(printable(each)) for each in (where, what))
        )


def _tell_bus(bus: I2cBus) -> str:
    parts = [", ".join(f"0x{address:02X}" for address in bus.answering) or "nothing answers"]
    if bus.in_use:
        parts.append("in use by the kernel: " + ", ".join(f"0x{one:02X}" for one in bus.in_use))
    if bus.name:
        parts.append(f"({bus.name})")
    if bus.trouble:
        parts = [*parts[1:], bus.trouble] if not bus.answering else [*parts, bus.trouble]
    return "  ".join(parts)
