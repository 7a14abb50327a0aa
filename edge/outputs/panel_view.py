"""A picture as a panel shows it: turned as it is sent, in the greys or colours that the chip has."""

import numpy as np
from PIL import Image


def turned(size: tuple[int, int], rotate: int) -> tuple[int, int]:
    """The size of the pictures for a panel of *size* that is turned by *rotate* quarters."""
    return (size[1], size[0]) if rotate % 2 else size


def on_panel(picture: Image.Image, rotate: int = 0) -> Image.Image:
    """What a panel shows of *picture* while it stays where it is and only the picture is turned.

    Args:
        picture: "1" for mono panels, "L" for those of 16 greys, "RGB" for those of 65,536 colours.
        rotate: quarter turns clockwise, 0-3.

    Returns:
        A picture in the same mode.
    """
    if rotate:
        picture = picture.rotate(-90 * rotate, expand=True)
    if picture.mode == "1":
        return picture
    pixels = np.asarray(picture)
    if picture.mode == "L":
        return Image.fromarray((pixels >> 4) * 17)
    red, green, blue = (pixels[..., part] for part in range(3))
    shown = [red & 0xF8 | red >> 5, green & 0xFC | green >> 6, blue & 0xF8 | blue >> 5]
    return Image.fromarray(np.stack(shown, axis=-1))
