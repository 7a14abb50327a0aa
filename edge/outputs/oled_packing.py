"""Packs pictures for display chips with numpy and sends only what has changed.

luma's own `display` packs pixel by pixel in Python, slow on a small board, and sends
a mono panel whole, 23 ms for 1 KiB over I2C at 400 kHz. The commands are those of luma 3.13-3.16:
a whole picture makes the very bytes that luma would send (tests/unit/edge/outputs/test_oled_packing.py).
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]
Window = tuple[int, int, int, int]
"""First row, last row + 1, first column, last column + 1."""

_WINDOW_COST_BYTES: Final = 12
"""What addressing a further window costs on I2C: a command of 6 bytes and the frames around it."""


def pack_pages(picture: Image.Image) -> Bytes:
    """Pack a mono picture as the chips want it: shape [height / 8, width].

    Each byte is a column of eight pixels, the uppermost in the lowest bit.
    """
    lit = np.asarray(picture, dtype=bool)
    pages = lit.reshape(lit.shape[0] // 8, 8, lit.shape[1])
    return np.packbits(pages, axis=1, bitorder="little")[:, 0, :]


def pack_rgb565(picture: Image.Image) -> Bytes:
    """Pack a colour picture in two bytes a pixel: shape [height, width, 2]."""
    pixels = np.asarray(picture, dtype=np.uint8)
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    high = (red & 0xF8) | (green >> 5)
    low = ((green << 3) & 0xE0) | (blue >> 3)
    return np.stack([high, low], axis=-1)


def changed_rows(before: Bytes | None, after: Bytes) -> Iterator[Window]:
    """One window for each changed row (page) of *after*, as narrow as the change."""
    if before is None:
        for row in range(after.shape[0]):
            yield row, row + 1, 0, after.shape[1]
        return
    changed = before != after
    for row in np.flatnonzero(changed.any(axis=1)).tolist():
        columns = np.flatnonzero(changed[row])
        yield row, row + 1, int(columns[0]), int(columns[-1]) + 1


def changed_windows(before: Bytes | None, after: Bytes) -> list[Window]:
    """The changed rows of *after*, neighbours joined where that makes less to send."""
    windows: list[Window] = []
    for window in changed_rows(before, after):
        if windows and windows[-1][1] == window[0]:
            last = windows[-1]
            joined = (last[0], window[1], min(last[2], window[2]), max(last[3], window[3]))
            if _cost(joined) <= _cost(last) + _cost(window):
                windows[-1] = joined
                continue
        windows.append(window)
    return windows


def _cost(window: Window) -> int:
    top, bottom, left, right = window
    return (bottom - top) * (right - left) + _WINDOW_COST_BYTES


class Sender:
    """Sends pictures to one luma device; the fast way where its chip's way is known."""

    def __init__(self, device: Any, first_column: int = 0) -> None:
        """Look up how *device*, any device of luma, wants its pictures.

        Args:
            device: the device.
            first_column: of the memory of an SH1107 that its panel shows: luma knows 0 alone.
        """
        from luma.oled import device as oled
        from luma.oled.device.color import color_device

        self._device, self._first_column = device, first_column
        self._before: Bytes | None = None
        self._pack: Callable[[Image.Image], Bytes] = pack_pages
        self._send: Callable[[Bytes], None] | None = None
        # By the method and not by the name: every chip that luma drives alike goes the same way.
        for model, send in (
            (oled.ssd1306, self._send_ssd1306),
            (oled.sh1106, self._send_sh1106),
            (oled.sh1107, self._send_sh1107),
        ):
            if type(device).display is model.display:
                self._send = send
        if type(device).display is color_device.display:
            self._pack, self._send = pack_rgb565, self._send_color

    @property
    def fast(self) -> bool:
        """Whether the pictures are packed here and not by luma."""
        return self._send is not None

    def send(self, picture: Image.Image) -> None:
        """Bring *picture*, in the size and mode of the device, onto the panel."""
        if self._send is None:
            self._device.display(picture)
            return
        packed = self._pack(self._device.preprocess(picture))
        try:
            self._send(packed)
        except BaseException:
            self._before = None  # nobody knows how much has arrived
            raise
        self._before = packed

    def _send_ssd1306(self, pages: Bytes) -> None:
        device = self._device
        whole = [(0, pages.shape[0], 0, pages.shape[1])]
        for top, bottom, left, right in (
            whole if self._before is None else changed_windows(self._before, pages)
        ):
            start = device._colstart
            device.command(
                device._const.COLUMNADDR, start + left, start + right - 1,
                device._const.PAGEADDR, top, bottom - 1,
            )  # fmt: skip
            device.data(pages[top:bottom, left:right].ravel().tolist())

    def _send_sh1106(self, pages: Bytes) -> None:
        device = self._device
        for page, _, left, right in changed_rows(self._before, pages):
            column = left + device._page_address_offset
            device.command(0xB0 + page, column & 0x0F, 0x10 | column >> 4)
            device.data(pages[page, left:right].tolist())

    def _send_sh1107(self, pages: Bytes) -> None:
        device = self._device
        for page, _, left, right in changed_rows(self._before, pages):
            column = left + self._first_column
            device.command(0x10 | column >> 4, column & 0x0F, 0xB0 | page)
            device.data(pages[page, left:right].tolist())

    def _send_color(self, pixels: Bytes) -> None:
        device = self._device
        top, bottom, left, right = 0, pixels.shape[0], 0, pixels.shape[1]
        if self._before is not None:
            changed = (self._before != pixels).any(axis=2)
            if not changed.any():
                return
            rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
            top, bottom = int(rows[0]), int(rows[-1]) + 1
            left, right = int(columns[0]), int(columns[-1]) + 1
        place = device._apply_offsets((left, top, right, bottom))
        device._set_position(place[1], place[2], place[3], place[0])
        device.data(pixels[top:bottom, left:right].ravel().tolist())
