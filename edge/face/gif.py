"""Writes an animated GIF picture by picture, in constant memory."""

import contextlib
from pathlib import Path
from typing import IO, Final

from PIL import GifImagePlugin, Image, ImageChops

from edge.process.written_files import written_whole

_ENDLESS: Final = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
_TRAILER: Final = b"\x3b"
_SHORTEST_CS: Final = 2
"""Viewers slow shorter pictures down to 10 a second."""
_LONGEST_CS: Final = 0xFFFF
_TO_INDEX: Final = [0] * 128 + [1] * 128
_BLACK_AND_WHITE: Final = [0, 0, 0, 255, 255, 255]


class GifWriter:
    """An endless GIF whose pictures all have one size; only what changes is stored."""

    def __init__(
        self, file: IO[bytes], size: tuple[int, int], *, zoom: int = 1, colors: int = 64
    ) -> None:
        """Begin a GIF in the open *file*.

        Args:
            file: open for writing bytes; it stays open.
            size: width and height of every picture that is added, in pixels.
            zoom: how many pixels of the file one of theirs is wide.
            colors: how many each stored picture may have, 2-256.
        """
        self._file = file
        self._size = size
        self._zoom = zoom
        self._colors = colors
        self._last: Image.Image | None = None
        self._start_s = 0.0
        self._begun_cs = 0
        self.size_bytes = 0
        self.pictures = 0
        width, height = size[0] * zoom, size[1] * zoom
        screen = width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\0\0\0"
        self._write(b"GIF89a" + screen + _ENDLESS)
        self._waiting: tuple[Image.Image, tuple[int, int]] | None = None

    def add(self, picture: Image.Image, t_s: float) -> bool:
        """Show *picture* from *t_s* on; False if it looks like the one before."""
        # Black and white need a quarter of the memory, and no search for the colours that are in them.
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
        if self._last is None:
            self._start_s = t_s
            box: tuple[int, int, int, int] | None = (0, 0, *self._size)
        else:
            box = ImageChops.difference(self._last, picture).getbbox()
        if box is None or (self._last is not None and self._elapsed_cs(t_s) < _SHORTEST_CS):
            return False
        self._flush(t_s)
        self._waiting = picture.crop(box), (box[0], box[1])
        self._last = picture
        return True

    def finish(self, t_s: float) -> None:
        """Show the last picture until *t_s* and end the GIF."""
        self._flush(t_s)
        self._write(_TRAILER)

    def _elapsed_cs(self, t_s: float) -> int:
        return round((t_s - self._start_s) * 100) - self._begun_cs

    def _flush(self, t_s: float) -> None:
        """Write the picture that was waiting to learn how long it is shown."""
        if self._waiting is None:
            return
        # Enlarged only now and only what changed: what is kept from picture to picture stays small.
        small, (left, top) = self._waiting
        picture = enlarged(small, self._zoom)
        offset = left * self._zoom, top * self._zoom
        duration_cs = min(max(self._elapsed_cs(t_s), _SHORTEST_CS), _LONGEST_CS)
        if picture.mode == "L":
            indexed = picture.point(_TO_INDEX)
            indexed.putpalette(_BLACK_AND_WHITE)
        else:
            indexed = picture.quantize(self._colors, dither=Image.Dither.NONE)
        parts = GifImagePlugin.getdata(
            indexed, offset, duration=duration_cs * 10, disposal=1, include_color_table=True
        )
        self._write(b"".join(parts))
        self._begun_cs = max(round((t_s - self._start_s) * 100), self._begun_cs + _SHORTEST_CS)
        self.pictures += 1
        self._waiting = None

    def _write(self, part: bytes) -> None:
        """Write all of *part*, or take back what a full disk took of it: half a picture spoils all."""
        left = memoryview(part)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.seek(self.size_bytes)
                self._file.truncate()
            raise
        self.size_bytes += len(part)


def enlarged(picture: Image.Image, zoom: int) -> Image.Image:
    """*picture* with *zoom* pixels a side for each of its own."""
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)


def save_gif(
    path: Path, pictures: list[Image.Image], interval_s: float, *, colors: int = 64
) -> None:
    """Save *pictures*, shown *interval_s* each, as a GIF at *path*."""
    with written_whole(path) as file:
        writer = GifWriter(file, pictures[0].size, colors=colors)
        for index, picture in enumerate(pictures):
            writer.add(picture, index * interval_s)
        writer.finish(len(pictures) * interval_s)
