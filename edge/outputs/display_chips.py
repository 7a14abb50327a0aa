"""What the pixels and memories of the display chips are that Mien drives; sizes are in `panel_sizes`."""

from dataclasses import dataclass
from typing import Final, Literal

USUAL: Final = "ssd1306"
"""The chip that is taken where it cannot be told."""


@dataclass(frozen=True)
class Chip:
    """One chip, or several that are driven alike."""

    mode: Literal["1", "L", "RGB"] = "1"
    """What its pixels are: lit or dark, one of 16 greys, or one of 65,536 colours."""
    memory_px: tuple[int, int] | None = None
    """Columns and rows of its memory, which may be larger than the panel; None where the panel cannot be
    moved in it."""


CHIPS: Final = {
    "ssd1306": Chip(memory_px=(128, 64)),
    "ssd1309": Chip(memory_px=(128, 64)),
    "ssd1322": Chip("L"),
    "ssd1325": Chip("L"),
    "ssd1327": Chip("L"),
    "ssd1331": Chip("RGB"),
    "ssd1351": Chip("RGB", (128, 128)),
    "ssd1362": Chip("L"),
    "sh1106": Chip(memory_px=(132, 64)),
    "sh1107": Chip(memory_px=(128, 128)),
}
"""By luma.oled's names."""
