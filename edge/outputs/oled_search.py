"""Looks for an OLED on the I2C buses, by reading, and tells by what it reads which chip it is."""

import errno
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Protocol

from edge.errors import OutputError
from edge.hardware.bus_purpose import bus_name, bus_numbers, whose
from edge.hardware.i2c import open_smbus
from edge.outputs.display_chips import USUAL

ADDRESSES: Final = (0x3C, 0x3D)
"""Where OLEDs are, by a solder bridge."""
TRIES: Final = 3
"""How often an address that does not answer is asked: a read may be lost as any transfer."""
READINGS: Final = 4
"""How often its status is read at most, until two readings agree."""
STATUS: Final = {0x3: "ssd1306", 0x4: "ssd1306", 0x6: "ssd1306", 0x8: "sh1106"}
"""What the lower four bits of the status say of the chip. No data sheet has them: people have read them
from their modules (docs/decisions/024-finding-the-display.md)."""
NOBODY: Final = frozenset((errno.EREMOTEIO, errno.ENXIO, errno.EIO, errno.EAGAIN))


class ProbedBus(Protocol):
    """The part of `smbus2.SMBus` that the search needs."""

    def read_byte(self, i2c_addr: int) -> int:
        """One byte from a device: of an OLED its status."""

    def write_quick(self, i2c_addr: int) -> None:
        """Ask whether somebody is there without writing anything."""

    def close(self) -> None:
        """Let go of the bus."""


@dataclass(frozen=True)
class Place:
    """Where something answers that may be an OLED."""

    port: int
    """1 is /dev/i2c-1."""
    address: int
    bus: str = ""
    """As the kernel calls its adapter."""
    status: int | None = None
    """What it has answered; None if it could not be read."""

    @property
    def driver(self) -> str:
        """The chip, by its status; empty where that does not tell."""
        return "" if self.status is None else STATUS.get(self.status & 0x0F, "")

    def __str__(self) -> str:
        name = f" ({self.bus})" if self.bus else ""
        return f"0x{self.address:02X} on I2C bus {self.port}{name}"


@dataclass(frozen=True)
class Search:
    """What has been found, and where nobody has looked."""

    found: tuple[Place, ...] = ()
    """Those first whose chip can be told; then by bus and address."""
    asked: tuple[int, ...] = ()
    """Buses that could be asked."""
    skipped: tuple[tuple[int, str], ...] = ()
    """Buses that were not asked, and whose they are."""
    refused: tuple[tuple[int, OSError], ...] = ()
    """Buses that could not be asked, and why."""

    @property
    def skipped_told(self) -> str:
        """One sentence about the buses that were not asked; empty if all were."""
        owners: dict[str, list[str]] = {}
        for port, owner in self.skipped:
            owners.setdefault(owner, []).append(str(port))
        parts = [f"{', '.join(ports)} ({owner})" for owner, ports in owners.items()]
        if not parts:
            return ""
        several = "es" if len(self.skipped) > 1 else ""
        return f"Not asked: I2C bus{several} {', '.join(parts)}."


def search(
    port: int | None = None,
    address: int | None = None,
    *,
    open_bus: Callable[[int], ProbedBus] = open_smbus,
    dev: str = "/dev",
    sysfs: str = "/sys",
) -> Search:
    """Ask for OLEDs by reading one byte, which changes nothing in any device.

    Args:
        port: the only bus to ask, whosever it is; None for all that a display may hang on.
        address: the only address to ask; None for 0x3C and 0x3D.
        open_bus: opens a bus by its number.
        dev: the folder of the nodes.
        sysfs: where the kernel tells of its adapters.
    """
    ports = bus_numbers(dev) if port is None else [port]
    owners = {one: "" if port is not None else whose(one, sysfs) for one in ports}
    found: list[Place] = []
    asked: list[int] = []
    refused: list[tuple[int, OSError]] = []
    for one in (one for one in ports if not owners[one]):
        try:
            with closing(open_bus(one)) as bus:
                asked.append(one)
                for each in ADDRESSES if address is None else (address,):
                    answers, status = probe(bus, each)
                    if answers:
                        found.append(Place(one, each, bus_name(one, sysfs), status))
        except OSError as error:
            refused.append((one, error))
    found.sort(key=lambda place: not place.driver)
    skipped = [(one, owner) for one, owner in owners.items() if owner]
    return Search(tuple(found), tuple(asked), tuple(skipped), tuple(refused))


def probe(bus: ProbedBus, address: int) -> tuple[bool, int | None]:
    """Whether somebody answers at *address*, and the status that it gives.

    Raises:
        OSError: the bus itself is not well.
    """
    for _ in range(TRIES):
        readings: list[int] = []
        try:
            for _ in range(READINGS):
                readings.append(bus.read_byte(address))
                if len(readings) > 1 and readings[-1] == readings[-2]:
                    return True, readings[-1]
        except OSError as error:
            if error.errno == errno.EBUSY:  # of a driver of the kernel: no display of ours
                return False, None
            if error.errno not in (*NOBODY, errno.EOPNOTSUPP):
                raise
        if readings:
            return True, readings[-1] if len(set(readings)) == 1 else None
    try:  # as i2cdetect asks here: for modules, and adapters, that cannot be read
        bus.write_quick(address)
    except OSError as error:
        if error.errno not in (*NOBODY, errno.EOPNOTSUPP, errno.EBUSY):
            raise
        return False, None
    return True, None


def candidates(
    driver: str,
    port: int | None,
    address: int | None,
    before: Place | None = None,
    look: Callable[..., Search] = search,
) -> list[tuple[str, Place, str]]:
    """The OLEDs that may be meant, the likeliest first: chip, place, and what to say of it.

    Args:
        driver: the chip, or "auto".
        port: the bus, None for any.
        address: the address, None for any.
        before: where the display was that has been lost: it goes first, and of the others only those
            whose chip can be told.
        look: looks for them.

    Raises:
        OutputError: there is none; says what to do.
    """
    if port is not None and address is not None and driver != "auto":
        return [(driver, Place(port, address), "")]  # whether it answers is seen when it is opened
    seen = look(port, address)
    found = list(seen.found)
    if before is not None:
        same = [
            place for place in found if (place.port, place.address) == (before.port, before.address)
        ]
        found = same + [place for place in found if place.driver and place not in same]
    if not found and port is not None and address is not None:
        found = [Place(port, address)]
    if not found:
        raise none_found(seen, port, address)
    return [
        (_chip(driver, place), place, _told(driver, place, seen.skipped_told)) for place in found
    ]


def _chip(driver: str, place: Place) -> str:
    return driver if driver != "auto" else place.driver or USUAL


def _told(driver: str, place: Place, skipped: str) -> str:
    told = f"The display is the {_chip(driver, place).upper()} at {place}."
    if driver == "auto" and not place.driver:
        answer = "says nothing" if place.status is None else f"says {place.status & 0x0F:#x}"
        told += (
            f" Which chip it has cannot be told (its status {answer}): where the picture is shifted or "
            "torn set [display] driver."
        )
    return f"{told} {skipped}".rstrip()


def none_found(seen: Search, port: int | None, address: int | None) -> OutputError:
    """Why there is no OLED, and what to do."""
    denied = [one for one, error in seen.refused if isinstance(error, PermissionError)]
    where = " and ".join(f"0x{one:02X}" for one in ((address,) if address else ADDRESSES))
    if denied and not seen.asked:
        return OutputError(
            f"/dev/i2c-{denied[0]} may not be used by this user: join the group i2c with "
            "sudo usermod -aG i2c $USER, then log in again."
        )
    buses = [*seen.asked, *(one for one, _ in seen.refused if one not in seen.asked)]
    if not seen.asked and not denied:
        what = "There is no I2C bus for the display" if port is None else (
            f"There is no I2C bus {port} for the display"
        )  # fmt: skip
        return OutputError(
            f"{what}: enable I2C with sudo raspi-config nonint do_i2c 0 (on a Jetson with jetson-io) "
            f"and restart. {seen.skipped_told}".rstrip()
        )
    several = "es" if len(buses) > 1 else ""
    ill = [f"bus {one} is not well ({error.strerror or error})"
           for one, error in seen.refused if one not in denied]  # fmt: skip
    return OutputError(
        f"No OLED answers at {where} on I2C bus{several} {', '.join(map(str, sorted(buses)))}"
        f"{''.join(f'; {each}' for each in ill)}: check its wiring (SDA, SCL, power); `mien devices` "
        f"lists what answers. {seen.skipped_told}".rstrip()
    )
