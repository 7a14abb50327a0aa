"""The face in a terminal: the display's own pixels, and under them what Mien believes."""

import atexit
import os
import select
import sys
from contextlib import suppress
from typing import Final, TextIO

from edge.errors import OutputError
from edge.face.animation import Animator
from edge.face.pose import SHOWN_COLORS
from edge.messages import Mood
from edge.outputs.terminal_face import Room, Signs, face_lines, room
from edge.outputs.terminal_keeper import (
    BEGIN,
    END,
    HIDE,
    RESET,
    SHOW,
    LastWill,
    hold,
    let_go,
)
from edge.outputs.terminal_text import Painter, bright, plain_line, status, too_small
from edge.outputs.terminal_turn import TURN

_UNKNOWN: Final = (80, 24)
"""Columns and rows of a terminal that does not say."""
_HOME: Final = "\x1b[H\x1b[2J"
_DUMB: Final = "This terminal cannot move its cursor (TERM={}): the face is told in lines of text."
_NO_UTF8: Final = (
    "This terminal does not take UTF-8 ({}): the face is drawn in ASCII. A UTF-8 locale, such as "
    "LANG=C.UTF-8, shows it finer."
)
_SHARED: Final = (
    "Events go to this terminal, so the face is left out: send them elsewhere to see it, such as "
    "--events FILE or > FILE."
)


class Preview:
    """Draws into a fixed area of the terminal; where it cannot, it writes a line a change."""

    name = "preview"
    mends_itself = True
    """After a failure `show` is to be tried again: the terminal is still the same."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        fps: float = 12.0,
        seed: int = 0,
        beside_events: bool = False,
    ) -> None:
        """Take the line of the cursor and those below, from the first picture on.

        Args:
            stream: where to draw; stderr when None, so that stdout is free for events.
            fps: how many pictures a second are drawn at most.
            seed: of the animation's blinks and glances.
            beside_events: others write lines to the same terminal all the time: say that there is no
                face, and leave it to them.
        """
        self._stream = stream if stream is not None else sys.stderr
        self.interval_s = 1 / fps
        self._animator = Animator(seed)
        encoding = getattr(self._stream, "encoding", None) or "ascii"
        self._utf8 = encoding.lower().replace("-", "") == "utf8"
        is_terminal = self._stream.isatty()
        term = os.environ.get("TERM", "")
        self._silent = beside_events and is_terminal
        self._drawing = is_terminal and term not in ("", "dumb") and not self._silent
        self._word = ""
        """A line that is said once."""
        if self._silent:
            self._word = _SHARED
        elif is_terminal and not self._drawing:
            self._word = _DUMB.format(term or '""')
        elif self._drawing and not self._utf8:
            self._word = _NO_UTF8.format(encoding)
        # The font of the Linux console has no Braille.
        self._signs: Signs = "shades" if term == "linux" else "braille"
        if not self._utf8:
            self._signs = "ascii"
        self._painter = Painter("NO_COLOR" not in os.environ)
        self._start_s: float | None = None
        self._shown = ""
        self._rows = 0
        """Rows of the terminal that are ours now."""
        self._text = ""
        self._size = (0, 0)
        self._others = TURN.others
        self._closed = False
        self._will: LastWill | None = None
        """From the first picture on: until then the cursor is as it was."""

    def show(self, mood: Mood, t_s: float) -> None:
        """Show *mood*; see `edge.outputs.Output`."""
        if self._start_s is None:
            self._start_s = t_s
        if self._word and self._write(f"mien: {self._word}\n"):
            self._word = ""
        if not self._drawing:
            if mood.shown != self._shown and not self._silent:
                self._shown = mood.shown
                self._write(plain_line(mood, t_s - self._start_s) + "\n")
            return
        if not TURN.lock.acquire(blocking=False):
            return  # somebody is writing; the next picture comes soon enough
        try:
            if self._in_foreground():
                self._draw(mood, t_s, t_s - self._start_s)
        finally:
            TURN.lock.release()

    def _draw(self, mood: Mood, t_s: float, since_s: float) -> None:
        columns, rows = size = self._terminal()
        lines = self._frame(mood, t_s, since_s, columns, rows)
        text = "".join(f"{line}{self._painter.reset}\x1b[K\r\n" for line in lines)
        resized = self._size not in ((0, 0), size)
        if resized or TURN.others != self._others:
            # Lines that others have moved up cannot be found again: begin below them. Those that the
            # terminal has rewrapped would be left as rubbish: begin on a clean screen.
            self._rows, self._text = 0, ""
        if text == self._text:
            return
        if self._will is None:
            self._will = LastWill(self._stream)
            hold(self)
            atexit.register(self.close)  # a terminal without a cursor is a nuisance
        up = _HOME if resized else f"\x1b[{self._rows}A" if self._rows else ""
        clear = "\x1b[J" if self._rows != len(lines) else ""
        if self._write(f"{BEGIN}{HIDE if not self._text else ''}\r{up}\x1b7{clear}{text}{END}"):
            self._text, self._rows = text, len(lines)
            self._size, self._others = size, TURN.others

    def leave(self) -> None:
        """Give the cursor back, below the face; see `edge.outputs.terminal_keeper.Pausable`."""
        # Ctrl-Z throws away what the terminal has not taken yet: the cursor may be anywhere.
        ours = self._rows and TURN.others == self._others
        below = f"\x1b8\x1b[{self._rows}B\r" if ours else ""
        with suppress(OutputError):
            self._write(f"{END}{below}{self._painter.reset}{SHOW}", patiently=True)

    def close(self) -> None:
        """Leave the last picture standing and give the cursor back."""
        if self._closed:
            return
        self._closed = True
        if self._will is not None:
            atexit.unregister(self.close)
            let_go(self)
            self.leave()
            self._will.revoke()

    def _terminal(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return _UNKNOWN
        return columns or _UNKNOWN[0], rows or _UNKNOWN[1]

    def _in_foreground(self) -> bool:
        """Not sent to the background (`bg`), where a shell has the terminal."""
        try:
            return os.tcgetpgrp(self._stream.fileno()) == os.getpgrp()
        except (OSError, ValueError):  # it does not control us
            return True

    def _frame(self, mood: Mood, t_s: float, since_s: float, columns: int, rows: int) -> list[str]:
        place = room(columns, rows, self._signs)
        pose = self._animator.pose(mood, t_s)
        width = columns - 1  # a terminal may wrap what reaches its edge
        if place.face_px == (0, 0):
            told = status(
                mood, since_s, width, max(place.text_rows - 1, 1), self._utf8, self._painter
            )
            note = self._painter.faint(too_small(width))
            return [told[0], note, *told[1:]][: max(rows - 1, 1)]
        told = status(mood, since_s, width, place.text_rows, self._utf8, self._painter)
        tint = SHOWN_COLORS[mood.shown]
        face = face_lines(pose, place, bright(tint))
        if place.signs == "shades":
            face = [line + RESET for line in face]
        else:
            face = [self._painter.paint(line, tint) for line in face]
        return [*(self._framed(face, place) if place.framed else face), *told]

    def _framed(self, face: list[str], place: Room) -> list[str]:
        left_top, right_top, left_low, right_low, flat, upright = (
            "╭╮╰╯─│" if self._utf8 else "++++-|"
        )
        pixels = 1 if place.signs == "half blocks" else 2
        edge = flat * (place.face_px[0] // pixels + 2)
        bar = self._painter.faint(upright)
        return [
            self._painter.faint(f"{left_top}{edge}{right_top}"),
            *(f"{bar} {line} {bar}" for line in face),
            self._painter.faint(f"{left_low}{edge}{right_low}"),
        ]

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
