"""Reads how hot the board is and whether its firmware holds it back."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

THROTTLED_FILE: Final = Path("devices/platform/soc/soc:firmware/get_throttled")
"""Of a Raspberry Pi, below /sys: the same bits as `vcgencmd get_throttled`, in hexadecimal."""
_UNDER_VOLTAGE: Final = 1 << 0
_SLOWED: Final = 1 << 1 | 1 << 2 | 1 << 3
"""Clock capped, throttled, soft temperature limit."""
_SINCE_START: Final = 16
"""Bits so much further up say that it once was so."""
_FIXED: Final = "pmic"
"""Zones of a Jetson's power chip always say the same, some 100 degrees."""


@dataclass(frozen=True)
class Heat:
    """What the board says of itself."""

    slowed: bool = False
    """The firmware runs the processor slower because of its temperature."""
    under_voltage: bool = False
    """The power supply is too weak, for which the firmware slows the processor too."""
    temperature_c: float | None = None
    """Of the hottest zone; None where there is none to be read."""


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
"""What the bits mean, after the documentation of Raspberry Pi."""


@dataclass(frozen=True)
class Throttling:
    """What a Raspberry Pi says about its supply and its clock, now and since it was started."""

    bits: int

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything that is wrong or was, in words."""
        return tuple(text for bit, text in THROTTLED.items() if self.bits >> bit & 1)

    @property
    def weak_supply(self) -> bool:
        """The supply is or was under voltage."""
        return bool(self.bits & (_UNDER_VOLTAGE | _UNDER_VOLTAGE << _SINCE_START))


def read_throttling(
    sys: Path = Path("/sys"), ask: Callable[[], str] | None = None
) -> Throttling | None:
    """Read it from sysfs, else ask the firmware; None on a machine that is no Raspberry Pi.

    Args:
        sys: where sysfs is mounted.
        ask: answers as `vcgencmd get_throttled`; None runs that.
    """
    bits = _number(sys / THROTTLED_FILE, 16)
    if bits is None:
        try:
            bits = int((ask or _vcgencmd)().strip().removeprefix("throttled="), 16)
        except (OSError, ValueError, subprocess.SubprocessError):
            return None
    return Throttling(bits)


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


def read_heat(sys: Path = Path("/sys")) -> Heat:
    """Read it; what cannot be read counts as fine."""
    bits = _number(sys / THROTTLED_FILE, 16) or 0
    temperatures = []
    for zone in sorted((sys / "class/thermal").glob("thermal_zone*")):
        thousandths = _number(zone / "temp", 10)
        if thousandths is not None and _FIXED not in _text(zone / "type").lower():
            temperatures.append(thousandths / 1000)
    return Heat(
        slowed=bool(bits & _SLOWED),
        under_voltage=bool(bits & _UNDER_VOLTAGE),
        temperature_c=max(temperatures) if temperatures else None,
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _number(file: Path, base: int) -> int | None:
    try:
        return int(_text(file), base)
    except ValueError:
        return None
