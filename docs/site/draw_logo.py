"""Draws docs/site/logo.png: the face at rest, on a small square panel.

python docs/site/draw_logo.py
"""

from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from edge.face.draw import draw
from edge.face.gallery import panel
from edge.face.pose import POSES

_SIDE_PX: Final = 192
_FINE: Final = 4
"""Samples a pixel, so that the round corners are smooth."""


def logo() -> Image.Image:
    """The panel with round corners, RGBA, [192, 192]."""
    face = panel(draw(POSES["neutral"], (64, 64)), _SIDE_PX // 64)
    shape = Image.new("L", (_SIDE_PX * _FINE, _SIDE_PX * _FINE))
    corner = (0, 0, shape.width - 1, shape.height - 1)
    ImageDraw.Draw(shape).rounded_rectangle(corner, shape.width // 6, fill=255)
    face.putalpha(shape.resize(face.size, Image.Resampling.BOX))
    return face


if __name__ == "__main__":
    logo().save(Path(__file__).with_name("logo.png"))
