"""The display of the rig's guest: a bridge to I2C, and the chip behind it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge.messages import Mood
from edge.outputs.oled import Oled
from edge.outputs.oled_packing import pack_pages
from edge.splash import boot
from tests.acceptance.devices.i2c_bridge import Bridge
from tests.acceptance.devices.ssd1306 import Ssd1306

ADDRESS = 0x3C


class Wire:
    """luma's serial interface, straight into a chip."""

    def __init__(self, chip: Ssd1306) -> None:
        self._chip = chip

    def command(self, *parts: int) -> None:
        self._chip.write(bytes([0x00, *parts]))

    def data(self, data: Any) -> None:
        self._chip.write(bytes([0x40, *data]))

    def cleanup(self) -> None:
        pass


class Recorder:
    """A chip that only keeps what it is sent."""

    status = 0x46

    def __init__(self) -> None:
        self.transfers: list[bytes] = []

    def write(self, transfer: bytes) -> None:
        self.transfers.append(transfer)


def reports(address: int, data: bytes, kind: int = 0x90) -> list[bytes]:
    """What Linux' driver sends to write *data*: 60 bytes at a time."""
    head = bytes([kind, len(data) & 0xFF, len(data) >> 8, address << 1])
    pieces = [data[place : place + 60] for place in range(0, len(data), 60)]
    return [(head + piece).ljust(64, b"\0") for piece in pieces]


def status(bridge: Bridge, cancel: bool = False) -> bytes:
    return bridge.answer(bytes([0x10, 0, 0x10 if cancel else 0]).ljust(64, b"\0"))


@pytest.mark.parametrize("shown", ["starting", "fault"])
def test_what_luma_sends_is_the_picture_that_was_drawn(shown: str) -> None:
    chip = Ssd1306()
    oled = Oled(serial=Wire(chip))
    for step in range(6):  # later ones are sent in part only
        oled.show(Mood(step * 0.2, shown), step * 0.2)
    assert chip.on
    drawn = Image.frombytes("1", (128, 64), oled._shown or b"")
    assert chip.picture() == pack_pages(drawn).tobytes()
    assert sum(byte.bit_count() for byte in chip.picture()) > 100
    oled.close()
    assert not any(chip.picture())


def test_splash_is_shown_bit_for_bit() -> None:
    chip = Ssd1306()
    panel = boot.Panel()
    opened, _ = boot.pictures(panel)
    chip.write(b"\x00" + boot.setup(panel))
    boot.show(panel, opened, chip.write)
    assert not any(chip.picture()), "nothing is to be seen before the panel is on"
    chip.write(b"\x00\xaf")
    assert chip.picture() == opened
    assert chip.contrast == 200


def test_without_its_charge_pump_the_panel_is_dark() -> None:
    chip = Ssd1306()
    chip.write(b"\x00\x20\x00\xaf")
    chip.write(b"\x40" + b"\xff" * 10)
    assert not any(chip.picture())
    chip.write(b"\x00\x8d\x14")
    assert chip.picture()[:11] == b"\xff" * 10 + b"\0"


def test_inverted_and_all_lit_are_what_somebody_would_see() -> None:
    chip = Ssd1306()
    chip.write(b"\x00\x8d\x14\xaf\xa7")
    assert chip.picture() == b"\xff" * 1024
    chip.write(b"\x00\xa6")
    assert chip.picture() == bytes(1024)
    chip.write(b"\x00\xa5")
    assert chip.picture() == b"\xff" * 1024


def test_window_is_filled_row_by_row_and_begins_again() -> None:
    chip = Ssd1306()
    chip.write(b"\x00\x8d\x14\xaf\x20\x00\x21\x7e\x7f\x22\x01\x02")
    chip.write(b"\x40" + bytes([1, 2, 3, 4, 5]))
    places = {128 + 127: 2, 256 + 126: 3, 256 + 127: 4, 128 + 126: 5}
    assert {place: byte for place, byte in enumerate(chip.picture()) if byte} == places


def test_next_picture_ends_the_one_before() -> None:
    ended: list[bytes] = []
    chip = Ssd1306(lambda: ended.append(chip.picture()))
    chip.write(b"\x00\x8d\x14\xaf\x20\x00")
    ended.clear()
    for value in (1, 2):
        for page in (2, 5):
            chip.write(bytes([0x00, 0x21, 0, 127, 0x22, page, page]))
            chip.write(bytes([0x40, value]))
    assert [(picture[256], picture[640]) for picture in ended] == [(1, 1)]


@given(st.binary(min_size=1, max_size=1100))
def test_transfer_of_any_length_arrives_whole(data: bytes) -> None:
    chip = Recorder()
    bridge = Bridge({ADDRESS: chip})
    for report in reports(ADDRESS, data):
        answer = bridge.answer(report)
        assert (len(answer), answer[0], answer[1]) == (64, 0x90, 0)
    assert chip.transfers == [data]
    assert status(bridge)[20] & 0x40 == 0


def test_address_without_a_chip_is_not_acknowledged() -> None:
    bridge = Bridge({})
    for report in reports(ADDRESS, b"\x00\xaf"):
        bridge.answer(report)
    assert status(bridge)[20] & 0x40
    assert status(bridge, cancel=True)[2] == 0x10
    assert status(bridge)[20] & 0x40 == 0, "forgotten with the transfer"


def read_byte(bridge: Bridge) -> bytes:
    bridge.answer(bytes([0x91, 1, 0, ADDRESS << 1 | 1]).ljust(64, b"\0"))
    return bridge.answer(bytes([0x40]).ljust(64, b"\0"))


def test_read_gives_the_status_of_the_chip() -> None:
    chip = Ssd1306()
    bridge = Bridge({ADDRESS: chip})
    assert read_byte(bridge)[2:5] == bytes([0x55, 1, 0x46])
    chip.write(b"\x00\xaf")
    assert read_byte(bridge)[4] == 0x06
    assert read_byte(Bridge({}))[2] == 0x25


def test_flaky_bus_breaks_off_the_part_that_it_is_told() -> None:
    chip = Recorder()
    bridge = Bridge({ADDRESS: chip})
    bridge.refused_part = 0.5
    for _ in range(200):
        bridge.answer(reports(ADDRESS, bytes(8))[0])
    assert 60 < bridge.refused < 140
    assert sum(len(transfer) < 8 for transfer in chip.transfers) > 30


def test_chip_that_stops_answering_in_the_middle_loses_the_transfer() -> None:
    chip = Recorder()
    chips: dict[int, Recorder] = {ADDRESS: chip}
    bridge = Bridge(chips)
    first, second = reports(ADDRESS, bytes(100))
    bridge.answer(first)
    chips.clear()
    bridge.answer(second)
    assert chip.transfers == []
    assert status(bridge)[20] & 0x40
