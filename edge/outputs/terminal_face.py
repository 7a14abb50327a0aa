"""The face in characters, as large as a terminal has room for: half blocks, Braille, shades, ASCII."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from PIL import Image

from edge.face.draw import draw
from edge.face.pose import Pose

Signs = Literal["half blocks", "braille", "shades", "ascii"]
"""What a picture is written with: 1x2 pixels a character, else 2x4."""
Color = tuple[int, int, int]

PANEL_PX: Final = (128, 64)
"""Where there is room, these are the very pixels of the usual display."""
LEAST_CELLS: Final = (20, 6)
"""Columns and rows of the smallest terminal that shows a face."""
_DOTS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bits of the dots of a Braille sign (Unicode block U+2800), by row and column."""
_ASCII: Final = (" ._", "':u", '"T#')
"""By how much of the upper and of the lower half of a character is lit: none, some, most."""
_ICONS_FROM_PX: Final = (96, 48)
_SLIMMEST: Final = 3
"""Columns a row of the narrowest picture: 1.5 times as wide as high."""
_WIDEST: Final = 6
"""Columns a row of the widest one."""


@dataclass(frozen=True)
class Room:
    """What goes where in a terminal."""

    face_px: tuple[int, int]
    """Of the drawn face; (0, 0): there is no room for one."""
    signs: Signs
    framed: bool
    """A line around the face."""
    text_rows: int
    """Lines of text under the face, or alone."""


def room(columns: int, rows: int, signs: Signs) -> Room:
    """Share a terminal of *columns* and *rows* out; the lowest row is left for the cursor.

    Args:
        columns: of the terminal.
        rows: of the terminal.
        signs: what it can show; half blocks are taken in place of Braille where there is room.
    """
    text_rows = 3 if rows >= 12 else 2 if rows >= 8 else 1
    wide, high = PANEL_PX
    if signs != "ascii" and columns >= wide + 4 and rows >= high // 2 + 2 + text_rows + 1:
        return Room(PANEL_PX, "half blocks", True, text_rows)
    if columns < LEAST_CELLS[0] or rows < LEAST_CELLS[1]:
        return Room((0, 0), signs, False, max(min(rows - 1, 3), 1))
    framed = rows >= 14 and columns >= 28
    face_columns = min(columns - (4 if framed else 1), wide // 2)
    face_rows = min(rows - 1 - text_rows - (2 if framed else 0), high // 4)
    face_rows = min(face_rows, max(face_columns // _SLIMMEST, 1))
    face_columns = min(face_columns, face_rows * (_WIDEST if face_rows < 8 else 4))
    return Room((face_columns * 2, face_rows * 4), signs, framed, text_rows)


def face_lines(pose: Pose, room: Room, tint: Color) -> list[str]:
    """*pose* as large as *room* says, a string a row; shades bring their own colours.

    A small one goes without the icons of lost senses, which would cover an eye: words say it below.
    """
    if room.face_px[0] < _ICONS_FROM_PX[0] or room.face_px[1] < _ICONS_FROM_PX[1]:
        pose = replace(pose, extras=replace(pose.extras, camera_lost=0.0, microphone_lost=0.0))
    picture = draw(pose, room.face_px, "1")
    if room.signs == "half blocks":
        return half_blocks(picture)
    if room.signs == "braille":
        return braille(picture)
    return shades(picture, tint) if room.signs == "shades" else ascii_art(picture)


def half_blocks(picture: Image.Image) -> list[str]:
    """A mono picture with two pixels a character, one above the other."""
    lit = np.asarray(picture, dtype=np.uint8).reshape(picture.height // 2, 2, picture.width)
    kinds = lit[:, 0].astype(bool) * 1 + lit[:, 1].astype(bool) * 2
    return ["".join(" ▀▄█"[kind] for kind in row) for row in kinds.tolist()]


def shades(picture: Image.Image, tint: Color) -> list[str]:
    """A mono picture with eight pixels a character: two half blocks in five shades of *tint*."""
    lit = np.asarray(picture, dtype=np.uint8)
    height, width = lit.shape
    levels = lit.reshape(height // 2, 2, width // 2, 2).sum(axis=(1, 3))
    lines = []
    for upper, lower in zip(levels[::2].tolist(), levels[1::2].tolist(), strict=True):
        line, last = "", (0, 0)
        for pair in zip(upper, lower, strict=True):
            if pair != last:
                line += "".join(
                    f"\x1b[{ground};2;" + ";".join(str(part * level // 4) for part in tint) + "m"
                    for ground, level in ((38, pair[0]), (48, pair[1]))
                )
                last = pair
            line += " " if pair == (0, 0) else "▀"
        lines.append(line)
    return lines


def braille(picture: Image.Image) -> list[str]:
    """A mono picture with eight pixels a character, two wide and four high."""
    lit = np.asarray(picture, dtype=bool)
    height, width = lit.shape
    cells = lit.reshape(height // 4, 4, width // 2, 2).transpose(0, 2, 1, 3)
    codes = 0x2800 + (cells * _DOTS).sum(axis=(2, 3))
    return ["".join(chr(code) if code > 0x2800 else " " for code in row) for row in codes.tolist()]


def ascii_art(picture: Image.Image) -> list[str]:
    """A mono picture with eight pixels a character, by how much is lit above and below."""
    lit = np.asarray(picture, dtype=np.uint8)
    height, width = lit.shape
    halves = lit.reshape(height // 4, 2, 2, width // 2, 2).sum(axis=(2, 4))
    steps = (halves >= 1).astype(int) + (halves >= 3)
    return [
        "".join(_ASCII[upper][lower] for upper, lower in zip(*row, strict=True))
        for row in steps.tolist()
    ]
