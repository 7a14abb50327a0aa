"""The memory of an SSD1306 or SH1106, as far as a picture and the set-up show in it."""

import numpy as np
from numpy.typing import NDArray

ARGUMENTS = {0xD5: 1, 0xA8: 1, 0xD3: 1, 0xDA: 1, 0x81: 1, 0x8D: 1, 0xAD: 1, 0xD9: 1, 0xDB: 1,
             0x20: 1, 0x21: 2, 0x22: 2}  # fmt: skip
"""How many bytes follow a command, by the data sheets of SSD1306 and SH1106."""


class Chip:
    """The memory of a display chip, written to as on I2C."""

    def __init__(self, sh1106: bool = False) -> None:
        self.sh1106 = sh1106
        self.memory = np.zeros((8, 132), np.uint8)
        self.registers: dict[int, tuple[int, ...]] = {}
        self.on = False
        self.column = self.page = 0

    def write(self, data: bytes) -> None:
        kind, rest = data[0], list(data[1:])
        if kind == 0x40:
            self.take(rest)
            return
        assert kind == 0
        while rest:
            command = rest.pop(0)
            values = tuple(rest.pop(0) for _ in range(ARGUMENTS.get(command, 0)))
            self.registers[command] = values
            if command in (0xAE, 0xAF):
                self.on = command == 0xAF
            if 0xB0 <= command < 0xB8:
                self.page = command - 0xB0
            elif command < 0x10:
                self.column = self.column & 0xF0 | command
            elif command < 0x20:
                self.column = self.column & 0x0F | (command & 0x0F) << 4

    def take(self, data: list[int]) -> None:
        if self.sh1106:
            self.memory[self.page, self.column : self.column + len(data)] = data
            return
        left, right = self.registers[0x21]
        top, bottom = self.registers[0x22]
        block = np.array(data, np.uint8).reshape(bottom - top + 1, right - left + 1)
        self.memory[top : bottom + 1, left : right + 1] = block

    def pixels(self, height: int = 64, first_column: int = 0) -> NDArray[np.bool_]:
        """What a panel of 128 columns shows that is wired from *first_column* on."""
        used = self.memory[: height // 8, first_column : first_column + 128]
        bits = np.unpackbits(used[:, None, :], axis=1, bitorder="little")
        return bits.reshape(height, 128).astype(bool)


class Wire:
    """luma's serial interface, straight into a chip."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip

    def command(self, *parts: int) -> None:
        self.chip.write(bytes([0x00, *parts]))

    def data(self, data: list[int]) -> None:
        self.chip.write(bytes([0x40, *data]))

    def cleanup(self) -> None:
        pass
