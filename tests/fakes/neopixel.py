"""A strip of WS2812B pixels, and the two libraries that reach it, with the rules of the real ones.

The strip sees nothing but the level of its wire and how long it lasts, and goes by the data sheet.
"""

import errno
import os
from itertools import groupby
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from edge.outputs.neopixel import Rgb

HIGH_S: Final = {0: (250e-9, 550e-9), 1: (650e-9, 950e-9)}
"""How long the wire is high for a 0 and a 1: 0.4 and 0.8 us +- 150 ns (WS2812B data sheet)."""
LOW_S: Final = {0: (700e-9, 1000e-9), 1: (300e-9, 600e-9)}
"""And how long it is low after that."""
RESET_S: Final = 280e-6
"""Silence after which what came is shown; 50 us for older chips."""


class FakeStrip:
    """Pixels that show what comes on the wire, a bit after the other."""

    def __init__(self, order: str = "GRB") -> None:
        self.order = order
        self.colors: list[Rgb] = []
        self.frames = 0

    def wire(self, levels: list[tuple[bool, float]]) -> None:
        """Take (level, seconds) until silence, which has to come."""
        if not levels[0][0]:
            levels = levels[1:]
        bits = []
        for (high, high_s), (low, low_s) in zip(levels[::2], levels[1::2], strict=True):
            assert high and not low
            (bit,) = (bit for bit, (least, most) in HIGH_S.items() if least <= high_s <= most)
            bits.append(bit)
            if low_s < RESET_S:
                least, most = LOW_S[bit]
                assert least <= low_s <= most, f"{low_s * 1e9:.0f} ns low after a {bit}"
        assert levels[-1][1] >= RESET_S, "nothing shows before there is silence"
        values = [int("".join(map(str, bits[at : at + 8])), 2) for at in range(0, len(bits), 8)]
        assert len(values) % 3 == 0
        places = [self.order.index(letter) for letter in "RGB"]
        triples = [values[at : at + 3] for at in range(0, len(values), 3)]
        self.colors = [(it[places[0]], it[places[1]], it[places[2]]) for it in triples]
        self.frames += 1


def levels_of(data: bytes, clock_hz: float) -> list[tuple[bool, float]]:
    """What MOSI does while SPI sends *data*: (level, seconds)."""
    bits = "".join(f"{byte:08b}" for byte in data)
    return [(level == "1", len(list(run)) / clock_hz) for level, run in groupby(bits)]


def fake_spidev(strip: FakeStrip, divider_hz: float = 0.0, fails: int = 0) -> ModuleType:
    """The library spidev, with *strip* on MOSI.

    Args:
        strip: what is on the wire.
        divider_hz: the clock that the board makes of any that is asked for; 0 for the very one.
        fails: the errno with which opening fails; 0 for none.
    """

    class SpiDev:
        def __init__(self) -> None:
            self.max_speed_hz, self.mode, self._open = 0, 0, False

        def open(self, bus: int, device: int) -> None:
            if fails:
                raise OSError(fails, os.strerror(fails))
            self._open, self.max_speed_hz = True, 125_000_000

        def writebytes2(self, data: bytes) -> None:
            if not self._open:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            assert self.mode == 0 and len(data) <= 4096, "sent in pieces, with a pause between"
            strip.wire(levels_of(data, divider_hz or self.max_speed_hz))

        def close(self) -> None:
            self._open = False

    module = ModuleType("spidev")
    module.SpiDev = SpiDev  # type: ignore[attr-defined]
    return module


def fake_rpi_ws281x(strip: FakeStrip, code: int = 0, meaning: str = "") -> ModuleType:
    """The library rpi_ws281x 5, with *strip* on whatever pin can do it.

    Args:
        strip: what is on the wire.
        code: with which `begin` fails; 0 for success.
        meaning: what the library says of that code.
    """
    channels = {12: 0, 18: 0, 13: 1, 19: 1, 21: 0}

    class PixelStrip:
        def __init__(
            self, num: int, pin: int, freq_hz: int = 800_000, dma: int = 10, invert: bool = False,
            brightness: int = 255, channel: int = 0, strip_type: Any = None, gamma: Any = None,
        ) -> None:  # fmt: skip
            self._leds: list[int] | None = None
            self._count, self._order = num, strip_type
            self._legal = channels.get(pin) == channel

        def begin(self) -> None:
            failed, why = (code, meaning) if self._legal else (-11, "Selected GPIO not possible")
            if failed:
                raise RuntimeError(f"ws2811_init failed with code {failed} ({why})")
            self._leds = [0] * self._count

        def setPixelColor(self, n: int, color: int) -> None:  # noqa: N802 - the library's name
            assert self._leds is not None, "the real one ends the process with a segmentation fault"
            assert 0 <= n < self._count and 0 <= color < 1 << 32
            self._leds[n] = color

        def show(self) -> None:
            assert self._leds is not None
            strip.order = self._order
            strip.colors = [(led >> 16 & 255, led >> 8 & 255, led & 255) for led in self._leds]
            strip.frames += 1

        def _cleanup(self) -> None:
            self._leds = None

    module = ModuleType("rpi_ws281x")
    names = ("RGB", "RBG", "GRB", "GBR", "BRG", "BGR")
    module.ws = SimpleNamespace(  # type: ignore[attr-defined]
        **{f"WS2811_STRIP_{name}": name for name in names}
    )
    module.PixelStrip = PixelStrip  # type: ignore[attr-defined]
    return module
