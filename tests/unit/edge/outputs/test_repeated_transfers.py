"""Transfers that are refused, at any place, by a chip that goes by its data sheet."""

import errno
import random
from typing import Any

import numpy as np
import pytest

from edge.errors import OutputError
from edge.face.animation import Animator
from edge.face.draw import draw
from edge.messages import DisplayLevel, Mood
from edge.outputs.oled import Oled
from edge.outputs.oled_packing import pack_pages
from edge.outputs.repeated_transfers import Repeating
from edge.outputs.supply_watch import SupplyWatch
from tests.acceptance.devices.ssd1306 import Ssd1306
from tests.fakes.oled_chip import Chip
from tests.fakes.oled_chip import Wire as PlainWire

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # luma reads with getdata()
HAPPY = Mood(0.0, "happy", np.array([0, 0, 0, 1.0, 0, 0, 0]))
LEVELS: tuple[DisplayLevel, ...] = ("dim", "awake", "asleep", "awake")


class Flaky(PlainWire):
    """Breaks transfers off anywhere, one of twenty, or as long as it is told to."""

    def __init__(self, chip: Any, seed: int = 0, part: float = 0.05, whole: bool = False) -> None:
        super().__init__(chip)
        self.part, self.refused = part, 0
        self._whole = whole  # a transfer arrives whole or not at all
        self.error = errno.EREMOTEIO
        self._random = random.Random(seed)

    def _send(self, transfer: bytes) -> None:
        if self._random.random() < self.part:
            self.refused += 1
            arrived = transfer[: self._random.randrange(len(transfer) + 1)]
            if len(arrived) > 1 and not self._whole:
                self.chip.write(arrived)
            raise OSError(self.error, "Remote I/O error")
        self.chip.write(transfer)

    def command(self, *parts: int) -> None:
        self._send(bytes([0x00, *parts]))

    def data(self, data: list[int]) -> None:
        self._send(bytes([0x40, *data]))


@pytest.mark.parametrize("seed", range(5))
def test_one_of_twenty_transfers_refused_is_not_seen(seed: int) -> None:
    chip = Ssd1306()
    wire = Flaky(chip, seed)
    oled = Oled(serial=wire, contrast=180)
    animator = Animator()
    for step in range(400):
        if step % 20 == 0:
            oled.rest(LEVELS[step // 20 % len(LEVELS)])
        mood = HAPPY if step % 50 < 25 else Mood(0.0, "fault")
        drawn = draw(animator.pose(mood, step / 12))
        oled.show_picture(drawn)
        if chip.on:
            assert chip.picture() == pack_pages(drawn).tobytes()
    oled.rest("awake")
    assert (chip.on, chip.contrast) == (True, 180)
    assert wire.refused > 30
    oled.close()
    assert not chip.on


def test_sh1106_is_drawn_page_by_page_all_the_same() -> None:
    chip = Chip(sh1106=True)
    wire = Flaky(chip, whole=True)
    oled = Oled(device="sh1106", serial=wire)
    animator = Animator()
    for step in range(100):
        drawn = draw(animator.pose(HAPPY, step / 12))
        oled.show_picture(drawn)
    assert wire.refused > 10
    assert np.array_equal(chip.pixels(64, 2), np.asarray(drawn))


def test_unplugged_display_is_given_up_soon_and_left_without_patience() -> None:
    wire = Flaky(Ssd1306(), part=0.0)
    oled = Oled(serial=wire)
    oled.show(HAPPY, 0.0)
    wire.part = 1.0
    with pytest.raises(OutputError, match="check its wiring"):
        oled.show(HAPPY, 0.5)
    assert 5 < wire.refused < 20
    before = wire.refused
    oled.close()
    assert wire.refused == before + 1


@pytest.mark.parametrize("number", [errno.ENODEV, errno.EBADF, errno.EACCES])
def test_what_will_not_pass_is_not_repeated(number: int) -> None:
    wire = Flaky(Ssd1306(), part=1.0)
    wire.error = number
    with pytest.raises(OSError, match="Remote"):
        Repeating(wire, fill=True).command(0xAF)
    assert wire.refused == 1


def test_bus_that_takes_its_time_to_refuse_is_not_asked_again() -> None:
    now_s = 0.0

    class Slow(Flaky):
        def _send(self, transfer: bytes) -> None:
            nonlocal now_s
            now_s += 2.0
            super()._send(transfer)

    wire = Slow(Ssd1306(), part=1.0)
    wire.error = errno.ETIMEDOUT
    serial = Repeating(wire, fill=True, wait=lambda seconds: None, clock=lambda: now_s)
    with pytest.raises(OSError, match="Remote"):
        serial.command(0xAF)
    assert wire.refused == 1


def test_bus_that_hangs_is_told_by_the_first_read_of_the_status() -> None:
    answers: list[tuple[float, int | OSError]] = [
        (0.0, 0x06), (0.0, 0x06),  # it is on
        (0.0, OSError(121, "refused")),  # as any transfer may be
        (4.0, OSError(110, "timed out")),
    ]  # fmt: skip
    now_s = 0.0

    def read() -> int:
        nonlocal now_s
        takes_s, answer = answers.pop(0)
        now_s += takes_s
        if isinstance(answer, OSError):
            raise answer
        return answer

    watch = SupplyWatch(read, lambda: now_s)
    assert not watch.lost(2.0)
    with pytest.raises(OSError, match="timed out"):
        watch.lost(4.0)


class Smbus:
    """The bus as smbus2 has it, with one chip."""

    def __init__(self, chip: Ssd1306) -> None:
        self.chip = chip

    def write_i2c_block_data(self, address: int, mode: int, data: list[int]) -> None:
        self.chip.write(bytes([mode, *data]))

    def read_byte(self, address: int) -> int:
        return self.chip.status


def test_panel_that_lost_its_power_for_a_moment_is_set_up_anew() -> None:
    from luma.core.interface.serial import i2c

    bus = Smbus(Ssd1306())
    oled = Oled(serial=i2c(bus=bus))
    for t_s in (0.0, 1.0, 2.5, 5.0):
        oled.show(HAPPY, t_s)
    oled.rest("asleep")
    oled.show(HAPPY, 8.0)  # it is off because it was told to
    oled.rest("awake")
    bus.chip = Ssd1306()  # as when power comes on: it answers, and is dark
    with pytest.raises(OutputError, match="gone off by itself"):
        oled.show(HAPPY, 11.0)
    oled.close()
    Oled(serial=i2c(bus=bus)).show(HAPPY, 12.0)
    assert any(bus.chip.picture())


def test_chip_that_never_says_that_it_is_on_is_not_taken_for_one_without_power() -> None:
    from luma.core.interface.serial import i2c

    class Mute(Ssd1306):
        @property
        def status(self) -> int:
            return 0xFF

    oled = Oled(serial=i2c(bus=Smbus(Mute())))
    for t_s in (0.0, 3.0, 6.0):
        oled.show(HAPPY, t_s)
