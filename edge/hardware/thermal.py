"""Reads how hot the board is and whether its firmware holds it back, from sysfs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

THROTTLED_FILE: Final = Path("devices/platform/soc/soc:firmware/get_throttled")
"""Of a Raspberry Pi, below /sys: the same bits as `vcgencmd get_throttled`, in hexadecimal."""
_UNDER_VOLTAGE: Final = 1 << 0
_SLOWED: Final = 1 << 1 | 1 << 2 | 1 << 3
"""Clock capped, throttled, soft temperature limit. Bits 16 up say that it once was so."""
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
