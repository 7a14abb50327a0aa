"""The terminal preview: the display's pixels, drawn in place, and plain lines elsewhere."""

import io
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
import pytest

from edge.face.draw import draw
from edge.face.pose import POSES
from edge.messages import Mood, Sense
from edge.outputs.terminal import Preview, braille, half_blocks, shades
from edge.outputs.terminal_turn import beside_previews

ROOT = Path(__file__).parents[4]
HAPPY = Mood(0.0, "happy", np.array([0, 0, 0, 0.9, 0, 0.1, 0]), face=Sense("ok", True, 0.83, 1.0))
SAD = Mood(0.0, "sad", np.array([0, 0, 0, 0, 1.0, 0, 0]), voice=Sense("lost", trouble="It left."))


def open_terminal() -> tuple[int, int]:
    """Both ends of a new pseudo-terminal."""
    try:
        return pty.openpty()
    except OSError as error:
        pytest.skip(f"this system has no pseudo-terminals ({error})")


class Terminal:
    """A pseudo terminal with a thread that reads it, and just enough of a screen."""

    def __init__(self, columns: int, rows: int) -> None:
        import fcntl
        import struct
        import termios

        self.main, side = open_terminal()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.stream: TextIO = os.fdopen(side, "w", encoding="utf-8")
        self._got = b""
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                part = os.read(self.main, 65536)
            except OSError:  # the other side was closed
                return
            self._got += part

    def finish(self) -> str:
        self.stream.close()
        self._thread.join(5)
        os.close(self.main)
        return self._got.decode()


def screen(text: str) -> list[str]:
    """What a terminal shows after *text*: cursor up, line ends and erasing are all that occurs."""
    lines: list[str] = [""]
    row = 0
    for token in re.findall(r"\x1b\[[0-9;?]*[a-zA-Z]|\r|\n|[^\x1b\r\n]+", text):
        if token == "\n":
            row += 1
            if row == len(lines):
                lines.append("")
        elif token == "\r":
            column = 0
        elif token.endswith("A") and token.startswith("\x1b"):
            row -= int(token[2:-1])
        elif token == "\x1b[J":
            lines[row:] = [""]
        elif token == "\x1b[K":
            lines[row] = lines[row][:column]
        elif not token.startswith("\x1b"):
            lines[row] = lines[row][:column] + token + lines[row][column + len(token) :]
            column += len(token)
        assert row >= 0
    return lines


@pytest.fixture(autouse=True)
def usual_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    yield


def run(terminal: Terminal) -> str:
    preview = Preview(terminal.stream)
    for frame in range(24):
        preview.show(HAPPY if frame < 12 else SAD, 100 + frame / 12)
    preview.close()
    preview.close()
    return terminal.finish()


def test_wide_terminals_show_every_pixel_in_place() -> None:
    text = run(Terminal(140, 45))
    lines = screen(text)
    assert len(lines) == 32 + 2 + 3 + 1
    assert all(len(line) == 132 for line in lines[:34])
    assert lines[0].startswith("╭") and lines[33].startswith("╰")
    inside = "".join(line[2:130] for line in lines[1:33])
    assert set(inside) == set(" ▀▄█")


def test_usual_terminals_show_it_in_braille() -> None:
    lines = screen(run(Terminal(80, 24)))
    assert len(lines) == 16 + 2 + 3 + 1 <= 24
    assert max(len(line) for line in lines) <= 80
    inside = "".join(line[2:66] for line in lines[1:17])
    assert set(inside) - {" "} <= {chr(code) for code in range(0x2801, 0x2900)}
    assert len(set(inside)) > 10


def test_tiny_terminals_show_the_words_alone() -> None:
    lines = screen(run(Terminal(40, 10)))
    assert len(lines) == 4
    assert max(len(line) for line in lines) <= 40
    assert lines[0].strip().startswith("sad")


def test_says_what_it_shows_and_how_the_senses_fare() -> None:
    lines = screen(run(Terminal(80, 24)))
    assert "sad" in lines[18] and "face off" in lines[18] and "voice lost" in lines[18]
    assert "sad █" in lines[19] and "happy  " in lines[19]
    assert "It left." in lines[20]


def test_the_cursor_is_hidden_and_comes_back() -> None:
    text = run(Terminal(80, 24))
    assert text.startswith("\x1b[?25l")
    assert text.endswith("\x1b[?25h")
    assert text.count("\x1b[?25h") == 1


def test_a_still_picture_is_not_written_again() -> None:
    terminal = Terminal(80, 24)
    preview = Preview(terminal.stream)
    for _ in range(5):
        preview.show(HAPPY, 100.0)
    preview.close()
    assert terminal.finish().count("╭") == 1


def test_without_colors_nothing_is_colored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*m", run(Terminal(80, 24)))


def test_the_cursor_comes_back_after_an_error() -> None:
    main, side = open_terminal()
    code = (
        "import sys; from edge.outputs.terminal import Preview; from edge.messages import Mood\n"
        "p = Preview(); p.show(Mood(0.0, 'happy'), 0.0); sys.exit(7)"
    )
    with os.fdopen(side, "w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-c", code],
            cwd=ROOT,
            stderr=stream,
            env={**os.environ, "TERM": "xterm"},
        )
    got = b""
    while b"\x1b[?25h" not in got:
        got += os.read(main, 65536)
    assert process.wait(10) == 7
    os.close(main)


def test_elsewhere_it_writes_a_line_a_change() -> None:
    stream = io.StringIO()
    preview = Preview(stream)
    for step in range(20):
        preview.show(HAPPY, 100 + step * 0.1)
    for step in range(20, 40):
        preview.show(SAD, 100 + step * 0.1)
    preview.close()
    assert stream.getvalue() == (
        "   0.0 s  happy      face 0.83  voice off\n   2.0 s  sad        face off  voice lost\n"
    )


def test_a_fault_brings_its_sentence() -> None:
    stream = io.StringIO()
    Preview(stream).show(Mood(0.0, "fault", trouble="The camera is gone: plug it in."), 0.0)
    assert "The camera is gone: plug it in." in stream.getvalue()


def test_half_blocks_and_braille_hold_the_same_pixels() -> None:
    picture = draw(POSES["disgust"])
    wanted = np.asarray(picture)
    blocks = half_blocks(picture)
    upper = np.array([[sign in "▀█" for sign in line] for line in blocks])
    lower = np.array([[sign in "▄█" for sign in line] for line in blocks])
    np.testing.assert_array_equal(upper, wanted[0::2])
    np.testing.assert_array_equal(lower, wanted[1::2])
    bits = {(0, 0): 0, (1, 0): 1, (2, 0): 2, (0, 1): 3, (1, 1): 4, (2, 1): 5, (3, 0): 6, (3, 1): 7}
    for row, line in enumerate(braille(picture)):
        for column, sign in enumerate(line):
            code = 0 if sign == " " else ord(sign) - 0x2800
            for (y, x), bit in bits.items():
                assert bool(code >> bit & 1) == wanted[row * 4 + y, column * 2 + x]


def test_the_linux_console_gets_shades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    lines = screen(run(Terminal(80, 24)))
    assert set("".join(line[2:66] for line in lines[1:17])) <= set(" ▀")
    assert len(shades(draw(POSES["happy"]), (255, 200, 20))) == 16


def test_lines_of_others_stay_whole_and_the_face_goes_on_below() -> None:
    terminal = Terminal(140, 45)
    preview = Preview(terminal.stream)
    preview.show(HAPPY, 100)
    with beside_previews():
        preview.show(SAD, 100.1)  # must not be drawn into the line that is being written
        terminal.stream.write("mien: The camera is gone.\r\n")
    for frame in range(3):
        preview.show(SAD, 101 + frame)
    preview.close()
    lines = screen(terminal.finish())
    message = lines.index("mien: The camera is gone.")
    assert message == 37
    assert "happy" in lines[34] and "sad" not in lines[34]
    assert lines[38].startswith("╭") and lines[71].startswith("╰")
    assert len(lines) == 38 + 37 + 1
