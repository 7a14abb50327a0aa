"""What Mien believes, in lines of text that fit a terminal of any width."""

from typing import Final

import numpy as np

from edge.emotions import EMOTIONS
from edge.face.pose import SHOWN_COLORS
from edge.messages import Mood, Sense
from edge.outputs.terminal_face import LEAST_CELLS, Color
from edge.process.printable import printable

_LEVELS: Final = " ▁▂▃▄▅▆▇█"
_RESET, _BOLD, _FAINT = "\x1b[0m", "\x1b[1m", "\x1b[2m"


class Painter:
    """Colours text, or leaves it alone where nobody wants colours."""

    def __init__(self, colored: bool) -> None:
        self.colored = colored
        self.reset = _RESET if colored else ""

    def paint(self, text: str, tint: Color, *, bold: bool = False, faint: bool = False) -> str:
        """*text* in *tint*, lightened for dark backgrounds."""
        if not self.colored:
            return text
        red, green, blue = bright(tint)
        weight = _BOLD if bold else _FAINT if faint else ""
        return f"{weight}\x1b[38;2;{red};{green};{blue}m{text}{_RESET}"

    def faint(self, text: str) -> str:
        """*text* in the terminal's own colour, faint."""
        return f"{_FAINT}{text}{_RESET}" if self.colored else text


def bright(tint: Color) -> Color:
    """*tint* lightened, for dark backgrounds."""
    red, green, blue = (55 + value * 200 // 255 for value in tint)
    return red, green, blue


def status(
    mood: Mood, t_s: float, width: int, lines: int, blocks: bool, painter: Painter
) -> list[str]:
    """What is shown and how the senses fare, how likely each emotion is, and what is wrong.

    Args:
        mood: what is told.
        t_s: seconds since the start.
        width: most characters a line.
        lines: how many there may be, 1-3; of two the second is the trouble, if there is any.
        blocks: the terminal has signs for bars; else levels are digits, tenths.
        painter: colours it.
    """
    word = f" {mood.shown:<9}" if width >= 46 and lines > 1 else _brief(mood, width)
    head = painter.paint(word, SHOWN_COLORS[mood.shown], bold=True)
    head += _senses(mood, t_s, width - len(word))
    if lines == 1:
        return [head]
    trouble = _trouble(mood)
    told = [head]
    if lines > 2 or not trouble:
        told.append(_bars(mood, width, blocks, painter))
    if lines > 2 or trouble:
        told.append(painter.paint(f" {trouble}"[:width], SHOWN_COLORS["fault"]) if trouble else "")
    return told


def too_small(width: int) -> str:
    """One line that says why there is no face."""
    columns, rows = LEAST_CELLS
    for sentence in (
        f" Too small for the face: it takes {columns} columns and {rows} rows.",
        f" Too small for the face ({columns}x{rows}).",
        f" too small: {columns}x{rows}",
    ):
        if len(sentence) <= width:
            return sentence
    return "too small"[:width]


def plain_line(mood: Mood, t_s: float) -> str:
    """What is shown and how the senses fare, in one line of plain text."""
    line = f"{t_s:6.1f} s  {mood.shown:<9}  face {_sense(mood.face)}  voice {_sense(mood.voice)}"
    return f"{line}  {printable(mood.trouble)}" if mood.shown == "fault" else line


def _brief(mood: Mood, width: int) -> str:
    """What is shown and how likely it is, where there may be no room for bars."""
    head = f" {mood.shown}" if len(mood.shown) < width else mood.shown[:width]
    if mood.shown in EMOTIONS:
        likely = f" {float(mood.probabilities[EMOTIONS.index(mood.shown)]):.0%}"
        head += likely if len(head + likely) <= width else ""
    return head


def _senses(mood: Mood, t_s: float, room: int) -> str:
    face, voice = _sense(mood.face), _sense(mood.voice)
    for told in (
        f"{t_s:7.1f} s   face {face}   voice {voice}",
        f"  face {face}  voice {voice}",
    ):
        if len(told) <= room:
            return told
    return ""


def _bars(mood: Mood, width: int, blocks: bool, painter: Painter) -> str:
    """All seven where they fit, by their first three letters if need be; else the likeliest."""
    shown = EMOTIONS.index(mood.shown) if mood.shown in EMOTIONS else -1
    parts = [float(part) for part in mood.probabilities]
    levels = [_level(part, blocks) for part in parts]
    chosen, labels = list(range(len(EMOTIONS))), list(EMOTIONS)
    if sum(len(label) + 4 for label in labels) > width:
        labels = [label[:3] for label in labels]
    if sum(len(label) + 4 for label in labels) > width:
        labels = list(EMOTIONS)
        likeliest = sorted(np.argsort(parts)[::-1].tolist(), key=lambda index: index != shown)
        chosen, used = [], 1
        for index in likeliest:
            used += len(labels[index]) + 4
            if used - 2 > width:
                break
            chosen.append(index)
    bars = " "
    for index in chosen:
        label = f"{labels[index]} {levels[index]}" + ("" if index == chosen[-1] else "  ")
        tint = SHOWN_COLORS[EMOTIONS[index]]
        bars += painter.paint(label, tint, bold=index == shown, faint=index != shown)
    return bars


def _level(part: float, blocks: bool) -> str:
    return _LEVELS[min(int(part * 8.99), 8)] if blocks else str(min(int(part * 10), 9))


def _trouble(mood: Mood) -> str:
    troubles = (
        mood.trouble if mood.shown == "fault" else "",
        mood.face.trouble if mood.face.state == "lost" else "",
        mood.voice.trouble if mood.voice.state == "lost" else "",
    )
    return printable(next((sentence for sentence in troubles if sentence), ""))


def _sense(sense: Sense) -> str:
    """The quality of a sense that perceives somebody, else a word or a dash."""
    if sense.state == "ok":
        return f"{sense.quality:.2f}" if sense.present else "-"
    return sense.state
