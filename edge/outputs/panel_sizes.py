"""Which sizes and wires a chip of an OLED has, as luma.oled drives it.

Written down here, because settings are read where there is no time to import luma; a test holds both
together.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Size = tuple[int, int]
"""Width and height in pixels, before rotation."""

SIZES: Final[Mapping[str, tuple[Size, ...]]] = MappingProxyType(
    {
        "ssd1306": ((128, 64), (128, 32), (96, 16), (64, 48), (64, 32)),
        "ssd1309": ((128, 64), (128, 32), (96, 16), (64, 48), (64, 32)),
        "ssd1322": (
            *((256, 64), (256, 48), (256, 32), (128, 64), (128, 48), (128, 32)),
            *((64, 64), (64, 48), (64, 32)),
        ),
        "ssd1325": ((128, 64),),
        "ssd1327": ((128, 128),),
        "ssd1331": ((96, 64),),
        "ssd1351": ((128, 128), (128, 96), (96, 96)),
        "ssd1362": ((256, 64),),
        "sh1106": ((128, 64), (128, 128), (128, 32)),
        "sh1107": ((64, 128), (80, 128), (128, 128)),
    }
)
"""By chip; the first is the usual one."""

SPI_ONLY: Final = frozenset({"ssd1322", "ssd1325", "ssd1331", "ssd1351"})
"""Chips without I2C."""

LEAST: Final[Size] = (32, 16)
"""Of a window or a picture file: in less no face can be told from another."""


def size_problem(driver: str, width_px: int, height_px: int) -> str:
    """What is wrong with a panel of that size, with the sizes that there are; "" if nothing is.

    Args:
        driver: the chip.
        width_px: 0 is the usual one of the chip.
        height_px: likewise.
    """
    known = SIZES.get(driver, ())
    size = (width_px or known[0][0], height_px or known[0][1]) if known else (width_px, height_px)
    if not known or size in known:
        return ""
    others = ", ".join(f"{width}x{height}" for width, height in known)
    return f"there is no {driver} of {size[0]}x{size[1]} pixels: it has {others}"
