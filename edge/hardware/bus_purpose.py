"""Whose an I2C bus is: many of a machine's buses belong to a monitor, the mainboard or a camera.

The splash asks this before there is time for more than the standard library's `os` and `re`.
"""

import os
import re
from typing import Final

OTHERS: Final = (
    # The DDC of monitors: of graphics cards, and the two HDMI sockets of Raspberry Pi 4, 5 and up to 3.
    (r"ddc|gmbus|dpmst|hdmi|\baux\b|dpaux|amdgpu|radeon|nouveau|nvidia i2c adapter", "a monitor's"),
    (r"fef0[49]500\.i2c|107d5082[08]0\.i2c|i2c@7e805000", "a monitor's"),
    (r"^smbus\b", "the mainboard's"),
    (r"\bbpmp\b", "the power supply's"),
    # Of a Raspberry Pi up to 4: /dev/i2c-10 and what hangs on it.
    (r"^i2c-(0|22)-mux \(chan_id 1\)$", "the camera connector's"),
)
"""What adapters are called by the kernel that nobody can wire a display to, and whose they are."""


def bus_name(port: int, sysfs: str = "/sys") -> str:
    """What the kernel calls the adapter of bus *port*; empty where it does not say."""
    try:
        with open(
            f"{sysfs}/class/i2c-dev/i2c-{port}/name", encoding="utf-8", errors="replace"
        ) as file:
            return file.read().strip()
    except OSError:
        return ""


def whose(port: int, sysfs: str = "/sys") -> str:
    """Whose bus *port* is, such as "a monitor's"; empty if a display may hang on it."""
    name = bus_name(port, sysfs).lower()
    for pattern, owner in OTHERS:
        if re.search(pattern, name):
            return owner
    # A graphics driver says which bus belongs to which of its sockets.
    sockets = f"{sysfs}/class/drm"
    try:
        for socket in os.listdir(sockets):
            ddc = os.path.basename(os.path.realpath(f"{sockets}/{socket}/ddc"))
            if ddc == f"i2c-{port}" or os.path.exists(f"{sockets}/{socket}/i2c-{port}"):
                return "a monitor's"
    except OSError:
        pass
    return ""


def bus_numbers(dev: str = "/dev") -> list[int]:
    """The I2C buses of this machine: 1 for /dev/i2c-1."""
    try:
        names = os.listdir(dev)
    except OSError:
        return []
    numbers = (name.removeprefix("i2c-") for name in names if name.startswith("i2c-"))
    return sorted(int(number) for number in numbers if number.isdecimal())
