"""Draws docs/pictures/terminal.png: what `mien run` shows in a terminal when somebody smiles.

python docs/pictures/draw_terminal.py

Runs Mien on the demo clip in a terminal of its own and draws a picture that it prints in the happy
stretch. Needs what `./setup.sh run` makes, and the font DejaVu Sans Mono for the letters.
"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from drawing import BACKGROUND, BEZEL, EDGE, Color, save
from PIL import Image, ImageDraw, ImageFont

from edge.config.paths import demo_clip
from edge.demo.script import SCENES

_COLUMNS, _ROWS = 80, 24
_CELL: Final = (51, 102)
"""Width and height of a character, drawn three times as large as it is kept."""
_MARGIN: Final = 60
_FINE: Final = 3
_PLAIN: Final = (200, 206, 214)
_BEGIN, _END = b"\x1b[?2026h", b"\x1b[?2026l"
_LEVELS: Final = " ▁▂▃▄▅▆▇█"
_DOTS: Final = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of the dot that each bit of a Braille sign stands for."""


@dataclass(frozen=True)
class Ink:
    """How characters are written from here on."""

    color: Color = _PLAIN
    faint: bool = False
    bold: bool = False


def main() -> None:
    """Run, choose a happy picture, draw and save it."""
    happy = next(scene for scene in SCENES if scene.name == "happy")
    frames = watch(happy.end_s - 0.5)
    shown = [frame for frame in frames if re.search(r"happy {5}", plain(frame))]
    if not shown:
        sys.exit("Mien did not show happy; make the demo clip with ./setup.sh run.")
    # Of those with the full smile the one in which most of the seven have a bar.
    settled = shown[len(shown) // 2 :]
    told = max(settled, key=lambda frame: sum(level in _LEVELS[1:] for level in plain(frame)))
    render(told).save_as(Path(__file__).with_name("terminal.png"))


def watch(seconds: float) -> list[str]:
    """The pictures that Mien prints while it plays so much of the demo clip."""
    command = [
        "run",
        "--clip",
        str(demo_clip()),
        "--seconds",
        str(seconds),
        "--display",
        "terminal",
    ]
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", *command], stderr=its, stdin=its, env=environment
    )
    os.close(its)
    printed = b""
    deadline_s = time.monotonic() + seconds + 60
    while time.monotonic() < deadline_s:
        if not select.select([ours], [], [], 0.5)[0]:
            continue
        try:
            printed += os.read(ours, 65536)
        except OSError:  # it has ended
            break
    process.wait(10)
    os.close(ours)
    pieces = [piece.partition(_END) for piece in printed.split(_BEGIN)[1:]]
    return [piece.decode() for piece, ending, _ in pieces if ending]


def plain(frame: str) -> str:
    """*frame* without its control sequences."""
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]|\x1b7", "", frame)


@dataclass(frozen=True)
class Screen:
    """A drawn terminal."""

    image: Image.Image

    def save_as(self, path: Path) -> None:
        """Scale it down and write it."""
        size = (self.image.width // _FINE, self.image.height // _FINE)
        save(self.image.resize(size, Image.Resampling.LANCZOS), path)


def render(frame: str) -> Screen:
    """Draw the characters of *frame* as a terminal does."""
    inked = re.sub(r"\x1b\[[?\d;]*[A-HJKhl]|\x1b7", "", frame)
    lines = inked.replace("\r", "").rstrip("\n").split("\n")
    while lines and not plain(lines[-1]).strip():
        lines.pop()
    width = max(len(plain(line)) for line in lines)
    size = (width * _CELL[0] + 2 * _MARGIN, len(lines) * _CELL[1] + 2 * _MARGIN)
    image = Image.new("RGB", size, BACKGROUND)
    pen = ImageDraw.Draw(image)
    inset = 6 * _FINE
    box = (inset, inset, size[0] - inset, size[1] - inset)
    pen.rounded_rectangle(box, 12 * _FINE, (9, 10, 14), EDGE, round(1.2 * _FINE))
    for row, line in enumerate(lines):
        _draw_line(pen, line, _MARGIN + row * _CELL[1])
    return Screen(image)


def _draw_line(pen: ImageDraw.ImageDraw, line: str, y: int) -> None:
    font = _font(round(_CELL[1] * 0.68))
    ink = Ink()
    x = _MARGIN
    for piece in re.split(r"(\x1b\[[\d;]*m)", line):
        if piece.startswith("\x1b"):
            ink = _changed(ink, piece[2:-1])
            continue
        for character in piece:
            _draw_character(pen, character, (x, y), ink, font)
            x += _CELL[0]


def _changed(ink: Ink, codes: str) -> Ink:
    """*ink* after the sequence `ESC [ codes m`."""
    numbers = [int(code or 0) for code in codes.split(";")]
    if numbers[0] == 38:
        red, green, blue = numbers[2:5]
        return replace(ink, color=(red, green, blue))
    if numbers[0] in (1, 2):
        return replace(ink, bold=numbers[0] == 1, faint=numbers[0] == 2)
    return Ink()


def _draw_character(
    pen: ImageDraw.ImageDraw,
    character: str,
    place: tuple[int, int],
    ink: Ink,
    font: ImageFont.FreeTypeFont,
) -> None:
    x, y = place
    width, height = _CELL
    color = ink.color
    if ink.faint:
        red, green, blue = (
            round(part * 0.62 + dark * 0.38) for part, dark in zip(color, BEZEL, strict=True)
        )
        color = (red, green, blue)
    right, bottom, middle = x + width - 1, y + height - 1, y + height // 2
    thick = 3
    if character in "▀█":
        pen.rectangle((x, y, right, middle - 1), color)
    if character in "▄█":
        pen.rectangle((x, middle, right, bottom), color)
    if character in "▀▄█ ":
        return
    if character in _LEVELS:
        top = bottom - round(height * 0.8 * _LEVELS.index(character) / 8)
        pen.rectangle((x + 6, top - 16, right - 6, bottom - 20), color)
    elif "\u2800" < character <= "\u28ff":
        _draw_braille(pen, ord(character) - 0x2800, place, color)
    elif character == "─":
        pen.rectangle((x, middle - thick, right, middle + thick - 1), color)
    elif character == "│":
        center = x + width // 2
        pen.rectangle((center - thick, y, center + thick - 1, bottom), color)
    elif character in "╭╮╰╯":
        _draw_corner(pen, character, place, color, 2 * thick)
    else:
        pen.text((x, y + height * 0.76), character, color, font, anchor="ls",
                 stroke_width=1 if ink.bold else 0)  # fmt: skip


def _draw_braille(
    pen: ImageDraw.ImageDraw, bits: int, place: tuple[int, int], color: Color
) -> None:
    """Eight dots, two wide and four high, as terminals draw the Unicode block U+2800."""
    pitch_x, pitch_y = _CELL[0] / 2, _CELL[1] / 4
    radius = pitch_x * 0.42
    for bit, (column, row) in enumerate(_DOTS):
        if bits >> bit & 1:
            x = place[0] + (column + 0.5) * pitch_x
            y = place[1] + (row + 0.5) * pitch_y
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), color)


def _draw_corner(
    pen: ImageDraw.ImageDraw, corner: str, place: tuple[int, int], color: Color, thick: int
) -> None:
    x, y = place
    width, height = _CELL
    center_x, center_y, radius = x + width // 2, y + height // 2, width // 2
    to_right, to_bottom = corner in "╭╰", corner in "╭╮"
    around_x = center_x + (radius if to_right else -radius)
    around_y = center_y + (radius if to_bottom else -radius)
    start = {"╭": 180, "╮": 270, "╯": 0, "╰": 90}[corner]
    reach = radius + thick / 2
    box = (around_x - reach, around_y - reach, around_x + reach, around_y + reach)
    pen.arc(box, start, start + 90, color, thick)
    ends = (around_y, y + height - 1) if to_bottom else (y, around_y)
    pen.rectangle((center_x - thick / 2, ends[0], center_x + thick / 2 - 1, ends[1]), color)


def _font(size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype("DejaVuSansMono.ttf", size)
    except OSError:
        sys.exit("The font DejaVu Sans Mono is missing: install it with apt install fonts-dejavu.")


if __name__ == "__main__":
    main()
