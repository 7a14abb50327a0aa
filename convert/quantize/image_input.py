"""An image -> the array that a model takes."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

IMAGES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff"})
_MODES: Final = {1: "L", 3: "RGB", 4: "RGBA"}

Shape = tuple[int, ...]


class UnknownRangeError(Exception):
    """An image whose values could mean anything; the message says why."""


@dataclass(frozen=True)
class Layout:
    """Where an image lies in an input."""

    height: int
    width: int
    channels: int
    channels_last: bool


def image_layout(shape: Shape) -> Layout | None:
    """How an image fits an input of *shape*; None if none does."""
    if len(shape) == 3:
        return Layout(shape[1], shape[2], 1, True)
    if len(shape) != 4:
        return None
    if shape[3] in _MODES:
        return Layout(shape[1], shape[2], shape[3], True)
    if shape[1] in _MODES:
        return Layout(shape[2], shape[3], shape[1], False)
    return None


def fit_image(image: Image.Image, shape: Shape, low: float, high: float) -> NDArray[np.float32]:
    """Resize *image* (stretching it), make it grey or RGB, and map 0..255 to *low*..*high*.

    Raises:
        UnknownRangeError: nobody can tell what is black and white in it.
        ValueError: an input of *shape* takes no image.
    """
    layout = image_layout(shape)
    if layout is None:
        raise ValueError(f"an input {list(shape)} takes no image")
    upright = _in_bytes(ImageOps.exif_transpose(image) or image)
    fitted = upright.convert(_MODES[layout.channels]).resize(
        (layout.width, layout.height), Image.Resampling.BILINEAR, reducing_gap=3.0
    )
    values = np.asarray(fitted, np.float32).reshape(layout.height, layout.width, layout.channels)
    if not layout.channels_last:
        values = values.transpose(2, 0, 1)
    return (low + values * np.float32((high - low) / 255)).astype(np.float32).reshape(shape)


def _in_bytes(image: Image.Image) -> Image.Image:
    """*image* with 8 bits a value: Pillow would cut off all that is above 255."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65_535:
        raise UnknownRangeError(
            "its values are neither of 8 nor of 16 bits; give .npy arrays of the model's own range"
        )
    return Image.fromarray((values // 257).astype(np.uint8))
