"""Renders the pictures of the splash: `python -m edge.splash.render` prints their module.

The splash cannot afford the libraries that draw the face, so its pictures are drawn beforehand.
"""

import base64
import textwrap
import zlib
from dataclasses import replace
from typing import Final

from edge.face.draw import draw
from edge.face.pose import POSES, Eye, Pose
from edge.outputs.oled_packing import pack_pages

SIZES: Final = ((128, 64), (128, 32))
"""Width and height of the panels that the splash drives by itself, in pixels."""

HEADER: Final = '''\
"""The face while Mien starts, packed for the display. Written by edge.splash.render."""

PICTURES: dict[tuple[int, int], tuple[str, str]] = {
'''


def poses() -> tuple[Pose, Pose]:
    """The face with its eyes open, and in a blink."""
    pose = POSES["starting"]
    return pose, replace(pose, left=_closed(pose.left), right=_closed(pose.right))


def _closed(eye: Eye) -> Eye:
    return replace(eye, openness=0.0, lid=0.0)


def pages(pose: Pose, size: tuple[int, int]) -> bytes:
    """*pose* as the chips want it: a byte a column of eight pixels, row by row of such columns."""
    return pack_pages(draw(pose, size, "1")).tobytes()


def module() -> str:
    """The text of edge/splash/pictures.py."""
    lines = [HEADER]
    for size in SIZES:
        lines.append(f"    {size}: (\n")
        for pose in poses():
            text = base64.b64encode(zlib.compress(pages(pose, size), 9)).decode()
            quoted = [f'        "{part}"\n' for part in textwrap.wrap(text, 84)]
            lines += ["        (\n", *(f"    {line}" for line in quoted), "        ),\n"]
        lines.append("    ),\n")
    lines.append(
        '}\n"""For each size: eyes open, and closed; base 64 of the compressed pages."""\n'
    )
    return "".join(lines)


if __name__ == "__main__":
    print(module(), end="")
