"""Looks for devices on an I2C bus, by reading only."""

import errno
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from edge.hardware.bus_purpose import bus_name

if TYPE_CHECKING:
    from smbus2 import SMBus

ADDRESSES: Final = range(0x08, 0x78)
"""The addresses that a device may have; the rest are reserved by the I2C specification."""
SCAN_LIMIT_S: Final = 2.0
"""A whole bus takes 0.04 s at 100 kHz; one that takes this long is not well."""

Clock = Callable[[], float]


class Bus(Protocol):
    """The part of `smbus2.SMBus` that a scan needs."""

    def read_byte(self, i2c_addr: int) -> int:
        """One byte from a device."""

    def close(self) -> None:
        """Let go of the bus."""


@dataclass(frozen=True)
class I2cBus:
    """One I2C bus and who is on it."""

    port: int
    """1 is /dev/i2c-1."""
    name: str = ""
    """As the kernel calls its adapter."""
    answering: tuple[int, ...] = ()
    """Addresses of devices that answered a read."""
    in_use: tuple[int, ...] = ()
    """Addresses that a kernel driver holds; they are not asked."""
    trouble: str = ""
    """One sentence, when the bus could not be scanned to its end."""


def scan_bus(
    port: int,
    addresses: Iterable[int] = ADDRESSES,
    open_bus: Callable[[int], Bus] | None = None,
    clock: Clock = time.monotonic,
    sysfs: Path = Path("/sys"),
) -> I2cBus:
    """Ask every address of bus *port* for one byte.

    A read is what `i2cdetect -r` does too: unlike a write it cannot change what a device holds.
    It takes `SCAN_LIMIT_S` and one transfer at most.
    """
    name = bus_name(port, str(sysfs))
    try:
        bus = (open_bus or open_smbus)(port)
    except (OSError, ImportError) as error:
        return I2cBus(port, name, trouble=_explain(port, error))
    answering: list[int] = []
    in_use: list[int] = []
    start_s = clock()
    with closing(bus):
        for address in addresses:
            if clock() - start_s > SCAN_LIMIT_S:
                trouble = f"/dev/i2c-{port} is too slow to scan to its end; check SDA and SCL."
                return I2cBus(port, name, tuple(answering), tuple(in_use), trouble)
            try:
                bus.read_byte(address)
            except OSError as error:
                if error.errno == errno.EBUSY:
                    in_use.append(address)
                elif error.errno in (errno.ETIMEDOUT, errno.EOPNOTSUPP, errno.ENODEV):
                    trouble = _explain(port, error)
                    return I2cBus(port, name, tuple(answering), tuple(in_use), trouble)
                continue
            answering.append(address)
    return I2cBus(port, name, tuple(answering), tuple(in_use))


def open_smbus(port: int) -> "SMBus":
    """Open bus *port*.

    Raises:
        OSError: it cannot be opened.
    """
    from smbus2 import SMBus

    return SMBus(port)


def _explain(port: int, error: Exception) -> str:
    path = f"/dev/i2c-{port}"
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, ImportError):
        return f"smbus2 cannot be loaded ({error}); run ./setup.sh run again to install it."
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"{path} may not be opened by you; run: sudo usermod -aG i2c $USER, then log in again."
        )
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return (
            f"{path} is not there; on a Raspberry Pi switch I2C on with: "
            "sudo raspi-config nonint do_i2c 0, then restart."
        )
    if number == errno.ETIMEDOUT:
        return f"{path} hangs: check that SDA and SCL are not swapped or shorted, and its power."
    if number == errno.EOPNOTSUPP:
        return f"{path} cannot read single bytes, so that it cannot be scanned."
    return f"{path} cannot be scanned ({error})."
