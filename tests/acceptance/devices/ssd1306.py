"""What an SSD1306 makes of the bytes that it is sent over I2C, by its data sheet (Rev 1.1, 2008)."""

from collections.abc import Callable
from typing import Final

WIDTH: Final = 128
PAGES: Final = 8
_ARGUMENTS: Final = {
    0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0x81: 1, 0x8D: 1,
    0xA3: 2, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1,
}  # fmt: skip
"""How many bytes follow a command, where any do."""
_COMMANDS: Final = 0x00
_DATA: Final = 0x40
"""The control byte that a transfer begins with: its lower bits are zero, and no other follows."""


class Ssd1306:
    """The chip's memory and the state that decides what of it can be seen.

    Pages are rows of eight pixels' height; a byte is a column of one, its lowest bit on top.
    """

    def __init__(self, picture_ends: Callable[[], None] = lambda: None) -> None:
        """Dark, with nothing in its memory.

        Args:
            picture_ends: called when the next picture begins to come in over a changed one.
        """
        self.memory = bytearray(WIDTH * PAGES)
        self.on = False
        self.all_lit = False
        self.inverted = False
        self.contrast = 0x7F
        self.charge_pump = False
        """Without it nothing is lit on a module that has no other source of its 7.5 V."""
        self.changed = False
        """Since the last picture ended."""
        self._picture_ends = picture_ends
        self._mode = 0b10
        self._columns, self._pages = (0, WIDTH - 1), (0, PAGES - 1)
        self._column = self._page = 0
        self._pending: list[int] = []

    @property
    def status(self) -> int:
        """What it answers to a read: bit 6 is the panel being off, the lower bits are the chip's own."""
        return 0x06 if self.on else 0x46

    def picture(self) -> bytes:
        """What somebody sees: `PAGES` times `WIDTH` bytes as in the memory."""
        if not (self.on and self.charge_pump):
            return bytes(WIDTH * PAGES)
        if self.all_lit:
            return b"\xff" * (WIDTH * PAGES)
        return bytes(byte ^ 0xFF for byte in self.memory) if self.inverted else bytes(self.memory)

    def write(self, transfer: bytes) -> None:
        """Take one I2C transfer, from its control byte to its stop."""
        if transfer[:1] == bytes([_DATA]):
            for byte in transfer[1:]:
                self._store(byte)
        elif transfer[:1] == bytes([_COMMANDS]):
            for byte in transfer[1:]:
                self._pending.append(byte)
                if len(self._pending) > _ARGUMENTS.get(self._pending[0], 0):
                    (command, *arguments), self._pending = self._pending, []
                    self._obey(command, arguments)

    def _store(self, byte: int) -> None:
        place = self._page * WIDTH + self._column
        if self.memory[place] != byte:
            self.memory[place] = byte
            self.changed = True
        self._column += 1
        if self._mode == 0b10:  # page addressing stays in its page
            self._column %= WIDTH
        elif self._column > self._columns[1]:
            self._column = self._columns[0]
            self._page += 1
            if self._page > self._pages[1]:
                self._page = self._pages[0]

    def _obey(self, command: int, arguments: list[int]) -> None:
        if command == 0x20:
            self._mode = arguments[0] & 0b11
        elif command == 0x21:
            self._columns = (arguments[0] & 0x7F, arguments[1] & 0x7F)
            self._column = self._columns[0]
        elif command == 0x22:
            first, last = arguments[0] & 7, arguments[1] & 7
            # Pictures come from the top to the bottom: going back means that another one begins.
            if first <= self._pages[0]:
                self._end_picture()
            self._pages = (first, last)
            self._page = first
        elif command == 0x81:
            self.contrast = arguments[0]
        elif command == 0x8D:
            self.charge_pump = bool(arguments[0] & 0b100)
        elif command in (0xA4, 0xA5):
            self.all_lit = command == 0xA5
        elif command in (0xA6, 0xA7):
            self.inverted = command == 0xA7
        elif command in (0xAE, 0xAF):
            self._end_picture()
            self.changed = self.changed or self.on != (command == 0xAF)
            self.on = command == 0xAF

    def _end_picture(self) -> None:
        if self.changed:
            self._picture_ends()
            self.changed = False
