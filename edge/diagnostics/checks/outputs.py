"""The display and the lights."""

import importlib.util
import os
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from edge.build.outputs import output_adapters
from edge.build.sensors import section_of
from edge.config.adapters import registry
from edge.config.schema import Settings
from edge.diagnostics.checks import Check, State
from edge.hardware.bus_purpose import bus_numbers, whose
from edge.hardware.host import Host
from edge.hardware.i2c import I2cBus, scan_bus
from edge.outputs.display import DisplaySettings
from edge.outputs.display_chips import USUAL
from edge.outputs.leds import LedSettings
from edge.outputs.oled_search import ADDRESSES
from edge.process.pip_command import pip, pip_install

PIP: Final = pip()


def check_display(
    settings: Settings,
    board: str,
    scan: Callable[..., I2cBus] = scan_bus,
    dev: Path = Path("/dev"),
    sysfs: str = "/sys",
    has_spidev: Callable[[], bool] = lambda: importlib.util.find_spec("spidev") is not None,
) -> Iterator[Check]:
    """Whether the OLED answers, where one is wanted."""
    display = settings.of(DisplaySettings)
    if display.kind not in ("auto", "oled"):
        yield Check("display", "ok", f"{display.kind}, as the settings say")
        return
    if display.interface == "spi":
        node = dev / f"spidev{display.spi_port}.{display.spi_device}"
        if not node.exists():
            fix = "switch SPI on: sudo raspi-config nonint do_spi 0, then restart"
            yield Check("display", "problem", f"{node} is not there", fix)
        elif not os.access(node, os.R_OK | os.W_OK):
            fix = "sudo usermod -aG spi $USER, then log in again"
            yield Check("display", "problem", f"{node} may not be opened by you", fix)
        elif not has_spidev():
            says = "the library spidev, which SPI needs, is not installed"
            yield Check("display", "problem", says, pip_install("spidev"))
        else:
            chip = USUAL if display.driver == "auto" else display.driver
            yield Check("display", "ok", f"{chip} on {node} (SPI does not answer)")
        return
    yield _check_i2c(display, board, scan, dev, sysfs)


def _check_i2c(
    display: DisplaySettings, board: str, scan: Callable[..., I2cBus], dev: Path, sysfs: str
) -> Check:
    """Whether one answers on the buses that are looked at."""
    wanted = display.kind == "oled"
    state: State = "problem" if wanted else "warning"
    if display.i2c_port == "auto":
        numbers = bus_numbers(str(dev))
        ports = [port for port in numbers if not whose(port, sysfs)]
        skipped = [str(port) for port in numbers if port not in ports]
    else:
        ports, skipped = [display.i2c_port], []
    addresses = ADDRESSES if display.i2c_address == "auto" else (display.i2c_address,)
    where = " or ".join(f"0x{address:02X}" for address in addresses)
    nodes = ", ".join(f"{dev}/i2c-{port}" for port in ports)
    aside = f"; not asked: I2C {', '.join(skipped)}, of monitors and the like" if skipped else ""
    if not wanted and not board and not any((dev / f"i2c-{port}").exists() for port in ports):
        return Check("display", "ok", f"no I2C here; the face shows in the terminal{aside}")
    if not ports:
        fix = "switch I2C on: sudo raspi-config nonint do_i2c 0, then restart"
        return Check("display", state, f"there is no I2C bus for a display{aside}", fix)
    buses = [scan(port) for port in ports]
    for bus in buses:
        for address in addresses:
            if address in bus.answering:
                says = f"0x{address:02X} on {dev}/i2c-{bus.port} answers{aside}"
                return Check("display", "ok", says)
    for bus in buses:
        for address in addresses:
            if address in bus.in_use:
                fix = "remove its overlay from /boot/firmware/config.txt, then restart"
                says = f"0x{address:02X} on {dev}/i2c-{bus.port} is held by a kernel driver"
                return Check("display", state, says, fix)
    trouble = next((bus.trouble for bus in buses if bus.trouble), "")
    other = next((bus for bus in buses if bus.answering), None)
    if trouble:
        says, _, fix = trouble.rstrip(".").partition("; ")
        return Check("display", state, says, fix or "mien devices")
    if other is not None:
        others = ", ".join(f"0x{each:02X}" for each in other.answering)
        says = f"nothing at {where} on {nodes}, but at {others}{aside}"
        fix = f"set [display] i2c_address to the display's own, such as 0x{other.answering[0]:02X}"
        return Check("display", state, says, fix)
    fix = "check VCC, GND, SDA (pin 3) and SCL (pin 5)"
    return Check("display", state, f"nothing answers on {nodes}{aside}", fix)


def check_lights(
    settings: Settings,
    board: str,
    installed: Callable[[], dict[str, Path]] | None = None,
    kernel: str | None = None,
) -> Iterator[Check]:
    """Whether the GPIO library is the one for this board and kernel."""
    backend = settings.of(LedSettings).backend
    on_pi, on_jetson = board.startswith("Raspberry Pi"), "NVIDIA" in board or "Jetson" in board
    if backend == "auto":
        backend = "rpi" if on_pi else "jetson" if on_jetson else "none"
    if backend in ("none", "mock"):
        yield Check("lights", "ok", "no GPIO in use")
        return
    if (backend == "rpi" and not on_pi) or (backend == "jetson" and not on_jetson):
        says = f'[leds] backend is "{backend}", but this is {board or "no such board"}'
        yield Check("lights", "problem", says, 'set [leds] backend to "auto"')
        return
    have = (installed or _gpio_packages)()
    if backend == "jetson":
        if "jetson.gpio" in have:
            yield Check("lights", "ok", "Jetson.GPIO")
        else:
            says = "Jetson.GPIO is not installed"
            yield Check("lights", "problem", says, f"{PIP} install Jetson.GPIO")
        return
    new, old = have.get("rpi-lgpio"), have.get("rpi.gpio")
    needs_new = board.startswith("Raspberry Pi 5") or _version(kernel or platform.release()) >= (
        6,
        6,
    )
    if new and old and new == old:
        says = "rpi-lgpio and RPi.GPIO are installed over each other"
        fix = f"{PIP} uninstall -y RPi.GPIO rpi-lgpio && {PIP} install rpi-lgpio"
        yield Check("lights", "problem", says, fix)
    elif new:
        yield Check("lights", "ok", "rpi-lgpio")
    elif old and not needs_new:
        yield Check("lights", "ok", "RPi.GPIO")
    elif old:
        says = "RPi.GPIO does not work on this board and kernel"
        fix = f"{PIP} uninstall -y RPi.GPIO; {PIP} install rpi-lgpio"
        yield Check("lights", "problem", says, fix)
    else:
        name = "rpi-lgpio" if needs_new else "RPi.GPIO"
        yield Check("lights", "problem", "no GPIO library is installed", f"{PIP} install {name}")


def check_adapters(settings: Settings, host: Host) -> Iterator[Check]:
    """What the other outputs say of themselves, and which of other packages are left out."""
    for name, adapter in output_adapters().items():
        section = section_of(adapter, settings)
        found = False
        for problem in adapter.check(section, host):
            says, _, fix = problem.rstrip(".").partition("; ")
            yield Check(name, "problem", says, fix)
            found = True
        package = registry().package(name)
        if package and not found:
            wanted = "in use" if adapter.make(section, host) else "not in use"
            yield Check(name, "ok", f"{wanted}, of the package {package}")
    for problem in registry().problems:
        says, _, fix = problem.rstrip(".").partition(": ")
        yield Check("packages", "warning", says, fix)


def _gpio_packages() -> dict[str, Path]:
    """The GPIO libraries by name in small letters, and the folder that each lies in."""
    names = ("rpi-lgpio", "rpi.gpio", "jetson.gpio")
    found: dict[str, Path] = {}
    for package in distributions():
        name = str(package.metadata["Name"] or "").lower()
        if name in names:
            found.setdefault(name, Path(str(package.locate_file(""))))
    if not found and importlib.util.find_spec("RPi") is not None:
        found["rpi.gpio"] = Path("/")  # put there without pip
    return found


def _version(kernel: str) -> tuple[int, int]:
    """Major and minor number: 6 and 6 of 6.6.31+rpt-rpi-v8."""
    major, _, rest = kernel.partition(".")
    minor = "".join(digit for digit in rest.split(".")[0] if digit.isdecimal())
    return int(major) if major.isdecimal() else 0, int(minor or 0)
