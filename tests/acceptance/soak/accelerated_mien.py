"""`mien` with a clip that runs faster and with devices that take all they are given.

`python -m tests.acceptance.soak.accelerated_mien SPEED ARGUMENTS OF MIEN`. Camera and microphone are
a clip played at SPEED; the display is luma's SSD1306 on a bus that nobody is on the other end of, and so
is the bus of the NeoPixels; the pins are those of the mock, which here forgets what is long past.
"""

import sys
from collections import deque
from functools import partial
from types import ModuleType
from typing import Any, Final

import smbus2

from edge.cli import main as mien
from edge.hardware import gpio_mock
from edge.sensors import clip

REMEMBERED: Final = 64
"""Of what the pins did: without an end to it, the mock would be the leak."""


class Bus:
    """The part of `smbus2.SMBus` that luma uses."""

    def __init__(self, port: int) -> None:
        self.port = port

    def write_i2c_block_data(self, address: int, mode: int, data: list[int]) -> None:
        """Take a command."""

    def i2c_rdwr(self, *messages: Any) -> None:
        """Take pixels."""

    def close(self) -> None:
        """Let go."""


class SpiDev:
    """The part of `spidev.SpiDev` that NeoPixels use."""

    max_speed_hz = mode = 0

    def open(self, bus: int, device: int) -> None:
        """Open it."""

    def writebytes2(self, data: bytes) -> None:
        """Take pixels."""

    def close(self) -> None:
        """Let go."""


class ForgetfulGpio(gpio_mock.MockGpio):
    """The mock with a short memory."""

    def __init__(self) -> None:
        super().__init__()
        self.history: Any = deque(maxlen=REMEMBERED)


def main() -> None:
    """Put the stand-ins in and run `mien`."""
    speed, sys.argv = float(sys.argv[1]), ["mien", *sys.argv[2:]]
    clips: Any = clip
    clips.Clip = partial(clip.Clip, speed=speed)
    pins: Any = gpio_mock
    pins.MockGpio = ForgetfulGpio
    buses: Any = smbus2
    buses.SMBus = Bus
    spidev: Any = ModuleType("spidev")
    spidev.SpiDev = SpiDev
    sys.modules["spidev"] = spidev
    mien()


if __name__ == "__main__":
    main()
