"""The face in a terminal: the display's own pixels, and under them what Mien believes."""

import atexit
import os
import select
import sys
from typing import Final, TextIO

import numpy as np
from PIL import Image

from edge.emotions import EMOTIONS
from edge.errors import OutputError
from edge.face.animation import Animator
from edge.face.draw import draw
from edge.face.pose import SHOWN_COLORS
from edge.messages import Mood, Sense
from edge.outputs.terminal_turn import TURN
from edge.process.printable import printable

_SIZE: Final = (128, 64)
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_RESET, _BOLD, _FAINT = "\x1b[0m", "\x1b[1m", "\x1b[2m"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Terminals that know these show each picture in one go; others leave them aside."""
_LEVELS: Final = " ▁▂▃▄▅▆▇█"
_DOTS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bits of the dots of a Braille sign (Unicode block U+2800), by row and column."""
_UNDER: Final = 3
"""Lines of text under the face."""


class Preview:
    """Draws into a fixed area of the terminal; without a terminal it writes a line a change."""

    name = "preview"
    mends_itself = True
    """After a failure `show` is to be tried again: the terminal is still the same."""

    def __init__(self, stream: TextIO | None = None, *, fps: float = 12.0, seed: int = 0) -> None:
        """Take over the line of the cursor and those below.

        Args:
            stream: where to draw; stderr when None, so that stdout is free for events.
            fps: how many pictures a second are drawn at most.
            seed: of the animation's blinks and glances.
        """
        self._stream = stream if stream is not None else sys.stderr
        self.interval_s = 1 / fps
        self._animator = Animator(seed)
        encoding = (getattr(self._stream, "encoding", None) or "ascii").lower().replace("-", "")
        able = encoding == "utf8" and os.environ.get("TERM") != "dumb"
        self._drawing = able and self._stream.isatty()
        self._color = "NO_COLOR" not in os.environ
        self._braille = os.environ.get("TERM") != "linux"  # whose console font has none
        self._start_s: float | None = None
        self._shown = ""
        self._rows = 0
        """Rows of the terminal that are ours now."""
        self._text = ""
        self._columns = 0
        self._others = TURN.others
        self._closed = False
        if self._drawing:
            self._write(_HIDE)
            atexit.register(self.close)  # a terminal without a cursor is a nuisance

    def show(self, mood: Mood, t_s: float) -> None:
        """Show *mood*; see `edge.outputs.Output`."""
        if self._start_s is None:
            self._start_s = t_s
        if not self._drawing:
            if mood.shown != self._shown:
                self._shown = mood.shown
                self._write(plain_line(mood, t_s - self._start_s) + "\n")
            return
        if not TURN.lock.acquire(blocking=False):
            return  # somebody is writing; the next picture comes soon enough
        try:
            self._draw(mood, t_s, t_s - self._start_s)
        finally:
            TURN.lock.release()

    def _draw(self, mood: Mood, t_s: float, since_s: float) -> None:
        columns, rows = self._terminal()
        picture = draw(self._animator.pose(mood, t_s), _SIZE, "1")
        lines = self._frame(picture, mood, since_s, columns, rows)
        text = "".join(f"{line}{_RESET if self._color else ''}\x1b[K\r\n" for line in lines)
        if columns != self._columns or TURN.others != self._others:
            # Lines that the terminal has rewrapped, or that others have moved up, cannot be found
            # again: begin below them.
            self._rows = 0
            self._text = ""
        self._columns, self._others = columns, TURN.others
        if text == self._text:
            return
        up = f"\x1b[{self._rows}A" if self._rows else ""
        clear = "\x1b[J" if self._rows != len(lines) else ""
        if self._write(f"{_BEGIN}\r{up}{clear}{text}{_END}"):
            self._text, self._rows = text, len(lines)

    def close(self) -> None:
        """Leave the last picture standing and give the cursor back."""
        if self._closed:
            return
        self._closed = True
        if self._drawing:
            atexit.unregister(self.close)
            try:
                self._write((_RESET if self._color else "") + _SHOW, patiently=True)
            except OutputError:
                return

    def _terminal(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return 80, 24
        return columns or 80, rows or 24

    def _frame(
        self, picture: Image.Image, mood: Mood, t_s: float, columns: int, rows: int
    ) -> list[str]:
        under = self._status(mood, t_s, columns)
        tint = SHOWN_COLORS[mood.shown]
        for high, wide in ((32, 128), (16, 64)):
            if columns >= wide + 4 and rows > high + 2 + len(under):
                if wide == picture.width:
                    face = [self._paint(line, tint) for line in half_blocks(picture)]
                elif self._braille:
                    face = [self._paint(line, tint) for line in braille(picture)]
                else:
                    face = [line + _RESET for line in shades(picture, _bright(tint))]
                edge = self._faint("─" * (wide + 2))
                bar = self._faint("│")
                return [
                    f"{self._faint('╭')}{edge}{self._faint('╮')}",
                    *(f"{bar} {line} {bar}" for line in face),
                    f"{self._faint('╰')}{edge}{self._faint('╯')}",
                    *under,
                ]
        return under

    def _status(self, mood: Mood, t_s: float, columns: int) -> list[str]:
        width = columns - 1
        bars, used = "", 0
        for name, part in zip(EMOTIONS, mood.probabilities, strict=True):
            level = _LEVELS[min(int(float(part) * 8.99), 8)]
            label = f"{name} {level}  "
            if used + len(label) > width:
                break
            used += len(label)
            shown = name == mood.shown
            bars += self._paint(label, SHOWN_COLORS[name], bold=shown, faint=not shown)
        head = f" {mood.shown:<9}"
        rest = f"{t_s:7.1f} s   face {_sense(mood.face)}   voice {_sense(mood.voice)}"
        troubles = (
            mood.trouble if mood.shown == "fault" else "",
            mood.face.trouble if mood.face.state == "lost" else "",
            mood.voice.trouble if mood.voice.state == "lost" else "",
        )
        trouble = printable(next((sentence for sentence in troubles if sentence), ""))
        return [
            self._paint(head, SHOWN_COLORS[mood.shown], bold=True) + rest[: width - len(head)],
            " " + bars,
            " " + self._paint(trouble[: width - 1], SHOWN_COLORS["fault"]) if trouble else "",
        ]

    def _paint(
        self, text: str, tint: tuple[int, int, int], *, bold: bool = False, faint: bool = False
    ) -> str:
        if not self._color:
            return text
        red, green, blue = _bright(tint)
        weight = _BOLD if bold else _FAINT if faint else ""
        return f"{weight}\x1b[38;2;{red};{green};{blue}m{text}{_RESET}"

    def _faint(self, text: str) -> str:
        return f"{_FAINT}{text}{_RESET}" if self._color else text

    def _write(self, text: str, *, patiently: bool = False) -> bool:
        """Write *text*; False if the terminal does not take it just now (Ctrl-S)."""
        try:
            wait_s = 0.5 if patiently else 0.0
            try:
                number = self._stream.fileno()
            except (OSError, ValueError, AttributeError):
                number = -1  # a stream in memory
            if number >= 0 and not select.select([], [number], [], wait_s)[1]:
                return False
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: it was closed
            self._closed = True
            raise OutputError(
                f"The preview cannot be written ({error}): the terminal has gone."
            ) from error
        return True


def _bright(tint: tuple[int, int, int]) -> tuple[int, int, int]:
    """*tint* lightened, for dark backgrounds."""
    red, green, blue = (55 + value * 200 // 255 for value in tint)
    return red, green, blue


def half_blocks(picture: Image.Image) -> list[str]:
    """A mono picture with two pixels a character, one above the other."""
    lit = np.asarray(picture, dtype=np.uint8).reshape(picture.height // 2, 2, picture.width)
    kinds = lit[:, 0].astype(bool) * 1 + lit[:, 1].astype(bool) * 2
    return ["".join(" ▀▄█"[kind] for kind in row) for row in kinds.tolist()]


def shades(picture: Image.Image, tint: tuple[int, int, int]) -> list[str]:
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


def plain_line(mood: Mood, t_s: float) -> str:
    """What is shown and how the senses fare, in one line of plain text."""
    line = f"{t_s:6.1f} s  {mood.shown:<9}  face {_sense(mood.face)}  voice {_sense(mood.voice)}"
    return f"{line}  {printable(mood.trouble)}" if mood.shown == "fault" else line


def _sense(sense: Sense) -> str:
    """The quality of a sense that perceives somebody, else a word or a dash."""
    if sense.state == "ok":
        return f"{sense.quality:.2f}" if sense.present else "-"
    return sense.state
