"""Packing for the chips: the same bytes as luma's own, and the same picture from parts."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from luma.core.framebuffer import full_frame
from luma.oled import device as oled
from numpy.typing import NDArray
from PIL import Image

from edge.outputs.oled_packing import Sender, changed_windows, pack_pages

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # luma reads with getdata()


class Recorder:
    """A serial interface of luma that notes what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[int, ...]]] = []

    def command(self, *command: int) -> None:
        self.sent.append(("command", command))

    def data(self, data: list[int]) -> None:
        self.sent.append(("data", tuple(data)))

    def cleanup(self) -> None:
        self.sent.append(("cleanup", ()))


class Memory(Recorder):
    """The picture memory of a mono chip, addressed as its data sheet says."""

    def __init__(self) -> None:
        super().__init__()
        self.ram: NDArray[np.uint8] = np.zeros((16, 140), dtype=np.uint8)
        self.window = [0, 127, 0, 7]
        self.page, self.column = 0, 0
        self.horizontal = False

    def command(self, *command: int) -> None:
        super().command(*command)
        if len(command) == 6 and command[0] == 0x21 and command[3] == 0x22:
            self.horizontal = True
            self.window = [command[1], command[2], command[4], command[5]]
            self.column, self.page = command[1], command[4]
        elif len(command) == 3:
            for byte in command:
                if byte & 0xF0 == 0xB0:
                    self.page = byte & 0x0F
                elif byte & 0xF0 == 0x10:
                    self.column = (self.column & 0x0F) | (byte & 0x0F) << 4
                else:
                    self.column = (self.column & 0xF0) | byte & 0x0F

    def data(self, data: list[int]) -> None:
        super().data(data)
        for byte in data:
            self.ram[self.page, self.column] = byte
            self.column += 1
            if self.horizontal and self.column > self.window[1]:
                self.column = self.window[0]
                self.page = self.page + 1 if self.page < self.window[3] else self.window[2]


MONO = [
    ("ssd1306", {}),
    ("ssd1306", {"height": 32}),
    ("ssd1306", {"width": 64, "height": 48}),
    ("ssd1306", {"rotate": 2}),
    ("ssd1305", {}),
    ("ssd1309", {}),
    ("ssd1315", {}),
    ("ssd1316", {}),
    ("sh1106", {}),
    ("sh1106", {"rotate": 1}),
    ("sh1107", {}),
    ("sh1107", {"rotate": 3, "width": 128, "height": 128}),
]


def noise(size: tuple[int, int], seed: int, mode: str = "1") -> Image.Image:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    return picture if mode == "RGB" else picture.convert("L").point([0] * 128 + [255] * 128, "1")


def sent_by(serial: Recorder, act: Any) -> list[tuple[str, tuple[int, ...]]]:
    serial.sent.clear()
    act()
    return list(serial.sent)


@pytest.mark.parametrize(("name", "options"), MONO)
def test_a_whole_picture_makes_the_very_bytes_of_luma(name: str, options: dict[str, int]) -> None:
    serial = Recorder()
    device = getattr(oled, name)(serial, **options)
    picture = noise(device.size, seed=3)
    sender = Sender(device)
    assert sender.fast
    ours = sent_by(serial, lambda: sender.send(picture))
    theirs = sent_by(serial, lambda: device.display(picture))
    assert ours == theirs


@pytest.mark.parametrize(
    ("name", "options"),
    [("ssd1351", {}), ("ssd1351", {"rotate": 1, "h_offset": 2, "v_offset": 1}), ("ssd1331", {})],
)
def test_a_whole_color_picture_makes_the_very_bytes_of_luma(
    name: str, options: dict[str, int]
) -> None:
    serial = Recorder()
    device = getattr(oled, name)(serial, framebuffer=full_frame(), **options)
    picture = noise(device.size, seed=4, mode="RGB")
    sender = Sender(device)
    assert sender.fast
    ours = sent_by(serial, lambda: sender.send(picture))
    assert ours == sent_by(serial, lambda: device.display(picture))


@pytest.mark.parametrize(("name", "options"), MONO)
def test_changes_alone_leave_the_same_picture_in_the_chip(
    name: str, options: dict[str, int]
) -> None:
    ours, theirs = Memory(), Memory()
    our_device = getattr(oled, name)(ours, **options)
    their_device = getattr(oled, name)(theirs, **options)
    sender = Sender(our_device)
    random = np.random.default_rng(5)
    pixels = np.zeros((our_device.height, our_device.width), dtype=np.uint8)
    for _ in range(12):
        top, left = random.integers(0, pixels.shape[0] - 8), random.integers(0, pixels.shape[1] - 8)
        height, width = random.integers(1, 24), random.integers(1, 40)
        pixels[top : top + height, left : left + width] ^= 255
        picture = Image.fromarray(pixels).point([0] * 128 + [255] * 128, "1")
        sender.send(picture)
        their_device.display(picture)
        np.testing.assert_array_equal(ours.ram, theirs.ram)
    assert sum(len(data) for _, data in ours.sent) < sum(len(data) for _, data in theirs.sent)


def test_changes_alone_leave_the_same_colors_in_the_chip() -> None:
    serial = Recorder()
    device = oled.ssd1351(serial)
    sender = Sender(device)
    first = noise(device.size, seed=1, mode="RGB")
    sender.send(first)
    second = first.copy()
    second.paste((255, 255, 255), (10, 20, 15, 23))
    sent = sent_by(serial, lambda: sender.send(second))
    # 0x15 columns 10-14, 0x75 rows 20-22, 0x5C and 15 pixels of two bytes.
    assert sent == [
        ("command", (0x15,)),
        ("data", (10, 14)),
        ("command", (0x75,)),
        ("data", (20, 22)),
        ("command", (0x5C,)),
        ("data", (255,) * 30),
    ]
    assert sent_by(serial, lambda: sender.send(second)) == []


def test_nothing_is_sent_for_the_same_picture() -> None:
    serial = Recorder()
    device = oled.ssd1306(serial)
    sender = Sender(device)
    sender.send(noise((128, 64), seed=1))
    assert sent_by(serial, lambda: sender.send(noise((128, 64), seed=1))) == []


def test_everything_is_sent_again_after_an_error() -> None:
    class Flaky(Recorder):
        broken = False

        def data(self, data: list[int]) -> None:
            if self.broken:
                raise OSError(121, "Remote I/O error")
            super().data(data)

    serial = Flaky()
    sender = Sender(oled.ssd1306(serial))
    sender.send(noise((128, 64), seed=1))
    serial.broken = True
    with pytest.raises(OSError):
        sender.send(noise((128, 64), seed=2))
    serial.broken = False
    # What was there before is no proof of what is there now.
    sent = sent_by(serial, lambda: sender.send(noise((128, 64), seed=1)))
    assert len(sent[1][1]) == 1024


def test_chips_that_are_not_known_go_luma_s_own_way() -> None:
    serial = Recorder()
    device = oled.ssd1327(serial)
    sender = Sender(device)
    assert not sender.fast
    sent = sent_by(serial, lambda: sender.send(Image.new("RGB", device.size, "white")))
    assert any(kind == "data" and set(data) == {255} for kind, data in sent)


def test_upper_pixel_is_the_lowest_bit() -> None:
    picture = Image.new("1", (3, 16))
    picture.putpixel((1, 0), 1)
    picture.putpixel((2, 15), 1)
    assert pack_pages(picture).tolist() == [[0, 1, 0], [0, 0, 128]]


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 127)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_windows_cover_every_change_and_never_cost_more_than_all(
    changes: list[tuple[int, int]],
) -> None:
    before = np.zeros((8, 128), dtype=np.uint8)
    after = before.copy()
    for page, column in changes:
        after[page, column] = 1
    rebuilt = before.copy()
    windows = changed_windows(before, after)
    for top, bottom, left, right in windows:
        rebuilt[top:bottom, left:right] = after[top:bottom, left:right]
    np.testing.assert_array_equal(rebuilt, after)
    assert len(windows) <= 8
    assert sum((b - t) * (r - w) for t, b, w, r in windows) <= 1024
