"""Reads a photograph: of any size and depth that a camera or a scanner makes, in bounded memory."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from edge.errors import SensorError
from edge.messages import Frame
from edge.process.regular_files import open_regular

LARGEST_PX: Final = 4_096
"""Longer sides are scaled down: a face of 40 pixels in it is a hundredth of the picture."""
MOST_BYTES: Final = 200_000_000
"""Of the decoded picture: 66 megapixels in colour, and what a Raspberry Pi Zero 2 W can spare."""
_LARGEST_FILE: Final = 500_000_000
_MOST_JPEG_PX: Final = 500_000_000
"""A JPEG is scaled down while it is decoded, so its size is but a matter of time."""
_FORMATS: Final = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "PPM")
"""Others are no photographs, and some start other programs."""
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture upright, by its EXIF orientation."""
_BLOCK_ROWS: Final = 256


def read_photo(file: Path) -> Frame:
    """Load a photograph, turned as its camera says, at most `LARGEST_PX` long.

    Raises:
        SensorError: it is missing, no picture, or too large to be decoded; says which.
    """
    try:
        with (
            _quiet(),
            open_regular(file, _LARGEST_FILE) as stream,
            Image.open(stream, formats=_FORMATS) as picture,
        ):
            _check_size(file, picture)  # first: to find a PNG's orientation Pillow decodes it
            turn = _TURNS.get(_orientation(picture))
            small = _in_bytes(picture)
            small.thumbnail((LARGEST_PX, LARGEST_PX))
            upright = small if turn is None else small.transpose(turn)
            return Frame(np.asarray(upright.convert("RGB"), np.uint8), 0.0)
    except SensorError:
        raise
    except FileNotFoundError as error:
        raise SensorError(f"There is no picture {file}; check the path.") from error
    except OSError as error:
        if error.errno is not None:
            raise SensorError(
                f"The picture {file} cannot be read ({error.strerror}); give a JPEG or PNG."
            ) from error
        raise _unreadable(file) from error
    except MemoryError as error:
        raise SensorError(
            f"{file} needs more memory than there is; scale it down to {LARGEST_PX} pixels."
        ) from error
    except Exception as error:  # Pillow raises whatever a damaged file makes it stumble over
        raise _unreadable(file) from error


def _unreadable(file: Path) -> SensorError:
    return SensorError(f"{file} is no picture that can be read; give a JPEG or PNG.")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Pillow's words about size and damage away: what matters is said in a sentence."""
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # `_check_size` stands in for it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF is no reason not to look at the picture
        return 1


def _check_size(file: Path, picture: Image.Image) -> None:
    """Refuse what does not fit into memory; a JPEG is told to decode itself smaller."""
    width, height = picture.size
    said = f"{file} has {width:,} x {height:,} pixels"
    if isinstance(picture, JpegImagePlugin.JpegImageFile) and not picture.info.get("progressive"):
        if width * height > _MOST_JPEG_PX:
            raise SensorError(f"{said}, more than {_MOST_JPEG_PX:,}; scale it down.")
        picture.draft(None, (LARGEST_PX, LARGEST_PX))
        width, height = picture.size
    size_bytes = width * height * _bytes_each(picture.mode)
    if size_bytes > MOST_BYTES:
        raise SensorError(
            f"{said} and would take {size_bytes / 1e6:,.0f} MB of memory, more than the "
            f"{MOST_BYTES / 1e6:.0f} MB that Mien spends on a picture; scale it down, or save it as "
            "a baseline JPEG, which is read smaller."
        )


def _bytes_each(mode: str) -> int:
    """Bytes of one pixel while it is decoded and brought to 8 bits."""
    if mode.startswith("I;16"):
        return 3
    if mode in ("I", "F"):
        return 5
    return 3 if mode == "P" else Image.getmodebands(mode)


def _in_bytes(picture: Image.Image) -> Image.Image:
    """*picture* with 8 bits a value, "L" where it is grey: Pillow would cut off what is above 255."""
    if picture.mode.startswith(("I", "F")):
        return Image.fromarray(to_bytes(np.asarray(picture)))
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode in ("L", "RGB"):
        picture.load()
        return picture
    return picture.convert("RGB")


def to_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey values of any kind and depth -> 0 (black) to 255 (white), the same shape [h, w].

    White is the least of 1 (of floats), 255, 4,095 and 65,535 that nearly all values are below: so a
    sensor's 12 bits in a file of 16 are not taken for night. Values below 0 or above all of these
    are stretched from the least to the greatest. What is no number is black.
    """
    every = max(1, round((values.size / 1e6) ** 0.5))
    sample = values[::every, ::every].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    low, high = np.percentile(sample, [0.1, 99.9]) if sample.size else (0.0, 1.0)
    whites = (1.0, 255.0, 4_095.0, 65_535.0)[values.dtype.kind != "f" :]
    white = next((each for each in whites if high <= each), None)
    if low >= 0 and white is not None:
        low, high = 0.0, white
    scale = 255 / max(high - low, 1e-300)
    shown = np.empty(values.shape, np.uint8)
    for row in range(0, len(values), _BLOCK_ROWS):
        block = (values[row : row + _BLOCK_ROWS].astype(np.float64) - low) * scale
        shown[row : row + _BLOCK_ROWS] = np.clip(np.nan_to_num(block), 0, 255)
    return shown
