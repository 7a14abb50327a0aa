"""The terminal preview: the display's pixels, drawn in place, and plain lines elsewhere."""

import io
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.face.draw import draw
from edge.face.pose import POSES
from edge.messages import Mood, Sense
from edge.outputs.terminal import Preview
from edge.outputs.terminal_face import ascii_art, braille, half_blocks, shades
from edge.outputs.terminal_turn import beside_previews
from tests.fakes.terminal import Terminal, end

HAPPY = Mood(0.0, "happy", np.array([0, 0, 0, 0.9, 0, 0.1, 0]), face=Sense("ok", True, 0.83, 1.0))
SAD = Mood(0.0, "sad", np.array([0, 0, 0, 0, 1.0, 0, 0]), voice=Sense("lost", trouble="It left."))
FACE = re.compile("[\u2801-\u28ff▀▄█]")
SIZES = [(10, 3), (19, 24), (20, 6), (24, 8), (30, 20), (40, 10), (50, 12), (60, 18), (65, 19), (80, 24),
         (132, 40), (140, 6), (200, 60)]  # fmt: skip
PROGRAM = """
import itertools, os, sys, threading, time
import numpy as np
from edge.messages import Mood
from edge.outputs.terminal import Preview
from edge.outputs.terminal_keeper import cursor_back_when_paused

drawn = threading.Event()
def draw():
    preview = Preview()
    for n in itertools.count():
        preview.show(Mood(0.0, "happy", np.full(7, 1 / 7)), n / 12)
        if n == 5:
            drawn.set()
        time.sleep(0.02)

with cursor_back_when_paused():
    threading.Thread(target=draw, daemon=True).start()
    drawn.wait()
    pass
    time.sleep(1000)
"""


@pytest.fixture(autouse=True)
def usual_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    yield


def run(terminal: Terminal, last: Mood = SAD) -> list[str]:
    """What it shows at the end of two seconds; the preview is closed, the terminal not."""
    preview = Preview(terminal.stream)
    for frame in range(24):
        preview.show(HAPPY if frame < 12 else last, 100 + frame / 12)
    preview.close()
    preview.close()
    return terminal.settle()


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_a_terminal_of_any_size_shows_what_fits_and_nothing_scrolls(
    columns: int, rows: int
) -> None:
    terminal = Terminal(columns, rows)
    lines = run(terminal, HAPPY)
    assert terminal.scrolled == 0
    has_face = any(len(FACE.findall(line)) >= 4 for line in lines)
    assert has_face == (columns >= 20 and rows >= 6)
    assert has_face or any("too small" in line.lower() for line in lines)
    words = "\n".join(line for line in lines if not FACE.search(line) or "hap" in line)
    assert "happy" in words
    assert "90%" in words or re.search(r"hap(py)? █", words) or columns < 12
    terminal.close()


def test_wide_terminals_show_every_pixel_in_place() -> None:
    terminal = Terminal(140, 45)
    lines = run(terminal)
    assert lines[0].startswith("╭") and lines[33].startswith("╰")
    assert all(len(line) == 132 for line in lines[:34])
    assert set("".join(line[2:130] for line in lines[1:33])) == set(" ▀▄█")
    assert not any(lines[37:])
    terminal.close()


def test_says_what_it_shows_and_how_the_senses_fare() -> None:
    terminal = Terminal(80, 24)
    lines = run(terminal)
    inside = "".join(line[2:66] for line in lines[1:17])
    assert set(inside) - {" "} <= {chr(code) for code in range(0x2801, 0x2900)}
    assert "sad" in lines[18] and "face off" in lines[18] and "voice lost" in lines[18]
    assert "sad █" in lines[19] and "happy  " in lines[19]
    assert "It left." in lines[20]
    terminal.close()


@pytest.mark.parametrize("size", [(60, 20), (16, 3), (200, 60), (40, 30)])
def test_the_next_picture_after_a_change_of_size_fits_it_and_leaves_no_rubbish(
    size: tuple[int, int],
) -> None:
    resized, fresh = Terminal(80, 24), Terminal(*size)
    preview = Preview(resized.stream)
    preview.show(HAPPY, 100.0)
    resized.settle()
    resized.resize(*size)
    preview.show(HAPPY, 100.0)
    Preview(fresh.stream).show(HAPPY, 100.0)
    assert resized.settle() == fresh.settle()
    preview.close()
    for terminal in (resized, fresh):
        terminal.close()


def test_the_cursor_is_hidden_from_the_first_picture_on_and_comes_back() -> None:
    terminal = Terminal()
    preview = Preview(terminal.stream)
    assert not terminal.cursor_hidden
    preview.show(HAPPY, 100)
    terminal.settle()
    assert terminal.cursor_hidden
    preview.close()
    terminal.settle()
    assert not terminal.cursor_hidden
    terminal.close()


@pytest.mark.parametrize(
    "death", ["sys.exit(7)", "1 / 0", "os.abort()", "os.kill(os.getpid(), 9)", "os._exit(3)"]
)
def test_however_mien_dies_the_cursor_comes_back(death: str) -> None:
    terminal = Terminal()
    terminal.run_python(PROGRAM.replace("pass", death)).wait(60)
    terminal.wait_for(lambda it: b"\x1b[?25l" in it.got and not it.cursor_hidden)
    terminal.close()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[tuple[Terminal, str]]:
    """A terminal with a shell that runs jobs, and the command for the program."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAM.replace("pass", "print('on', 'it', flush=True)"))
    terminal = Terminal()
    process = terminal.run("/bin/sh", "-i", PS1="prompt: ", ENV="")
    yield terminal, f"{sys.executable} {file}"
    end(process)
    terminal.close()


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_draws_the_face_anew(
    shell: tuple[Terminal, str],
) -> None:
    terminal, command = shell
    terminal.type(f"{command}\n")
    terminal.wait_for(lambda it: it.cursor_hidden and b"on it" in it.got)
    for _ in range(2):  # a second time, too
        terminal.type("\x1a")
        terminal.wait_for(lambda it: not it.cursor_hidden and it.last_line == "prompt:")
        before = terminal.lines
        time.sleep(0.3)
        assert terminal.settle() == before  # it draws nothing while it is stopped
        terminal.type("fg\n")
        terminal.wait_for(lambda it: it.cursor_hidden and "happy" in it.last_line)
    terminal.type("\x03")
    terminal.wait_for(lambda it: not it.cursor_hidden)


def test_in_the_background_it_leaves_the_terminal_to_the_shell(shell: tuple[Terminal, str]) -> None:
    terminal, command = shell
    terminal.type(f"{command} & jobs=$!\n")
    terminal.wait_for(lambda it: b"on it" in it.got)
    terminal.settle()
    assert not terminal.cursor_hidden
    assert not any(map(FACE.search, terminal.lines))
    terminal.type("kill $jobs; wait; echo it has 'ended'\n")
    terminal.wait_for(lambda it: b"it has ended" in it.got)


def test_a_still_picture_is_not_written_again() -> None:
    terminal = Terminal()
    preview = Preview(terminal.stream)
    for _ in range(5):
        preview.show(HAPPY, 100.0)
    preview.close()
    terminal.settle()
    assert terminal.got.decode().count("╭") == 1
    terminal.close()


def test_without_colors_nothing_is_colored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    run(terminal)
    assert not re.search(rb"\x1b\[[0-9;]*m", terminal.got)
    terminal.close()


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


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_move_its_cursor_gets_lines_and_a_word(
    term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    terminal = Terminal(120)
    lines = run(terminal)
    assert "the face is told in lines of text" in lines[0]
    assert ["happy" in lines[1], "sad" in lines[2], any(lines[3:])] == [True, True, False]
    assert b"\x1b[" not in terminal.got
    terminal.close()


def test_a_terminal_without_utf_8_gets_ascii_and_a_word() -> None:
    terminal = Terminal(100, 24, encoding="iso-8859-1")
    lines = run(terminal)
    assert "does not take UTF-8 (iso-8859-1): the face is drawn in ASCII" in lines[0] + lines[1]
    assert terminal.got.isascii()
    assert sum(line.count("#") for line in lines) > 40
    assert any("sad 9" in line for line in lines)
    terminal.close()


def test_events_on_the_same_terminal_are_left_to_it_with_a_word() -> None:
    terminal = Terminal(120, 40)
    code = """
import time
import numpy as np
from edge.hardware.host import Host
from edge.messages import Mood
from edge.outputs.display import DisplaySettings, make
from edge.outputs.events import Events
(maker,) = make(DisplaySettings(kind="terminal"), Host(events_to="TO"))
preview, events = maker(), Events("-")
for n in range(30):
    for output in (preview, events):
        output.show(Mood(0.0, ("happy", "sad")[n // 15], np.full(7, 1 / 7)), n / 12)
preview.close(); events.close()
"""
    for target in ("-", "/dev/tty", "/dev/stderr"):
        before = len(terminal.got)
        assert terminal.run_python(code.replace("TO", target)).wait(60) == 0
        terminal.wait_for(lambda it: b'"bye"' in it.got[before:])  # noqa: B023
        lines = terminal.got[before:].decode().split("\r\n")
        assert [line for line in lines if not line.startswith(("{", "mien: Events go to"))] == [""]
        assert sum(line.startswith("mien: Events go to this terminal") for line in lines) == 1
    terminal.close()


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
    assert [len(line) for line in ascii_art(picture)] == [64] * 16


def test_the_linux_console_gets_shades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    terminal = Terminal()
    lines = run(terminal)
    assert set("".join(line[2:66] for line in lines[1:17])) <= set(" ▀")
    assert len(shades(draw(POSES["happy"]), (255, 200, 20))) == 16
    terminal.close()


def test_lines_of_others_stay_whole_and_the_face_goes_on_below() -> None:
    terminal = Terminal(140, 80)
    preview = Preview(terminal.stream)
    preview.show(HAPPY, 100)
    with beside_previews():
        preview.show(SAD, 100.1)  # must not be drawn into the line that is being written
        terminal.stream.write("mien: The camera is gone.\r\n")
    for frame in range(3):
        preview.show(SAD, 101 + frame)
    preview.close()
    lines = terminal.settle()
    assert lines.index("mien: The camera is gone.") == 37
    assert "happy" in lines[34] and "sad" not in lines[34]
    assert lines[38].startswith("╭") and lines[71].startswith("╰")
    assert not any(lines[75:])
    terminal.close()
