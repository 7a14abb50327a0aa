"""Draws docs/pictures/flow.png: how pictures and sound become a mood.

python docs/pictures/draw_flow.py

The numbers in it are read from the code and the manifest.
"""

import itertools
from pathlib import Path
from typing import Final

from drawing import (
    BACKGROUND,
    BEZEL,
    BRIGHT,
    EDGE,
    FAINT,
    GLASS,
    TEXT,
    Box,
    Color,
    Point,
    Sheet,
    dimmed,
    lightened,
)

from edge.config.paths import MODELS
from edge.config.schema import Settings
from edge.emotions import COLORS, EMOTIONS
from edge.face.draw import draw
from edge.face.gallery import panel
from edge.face.pose import POSES
from edge.messages import SAMPLE_RATE_HZ
from edge.perception.manifest import load_manifest
from edge.perception.speech_gate import BLOCK_SAMPLES
from edge.runtime.appliance import TICK_S

_WIDTH, _HEIGHT = 1200, 590
_WARM: Final = COLORS["happy"]
_COOL: Final = (64, 150, 255)
_MIND: Final = (60, 200, 190)
_OUT: Final = COLORS["surprise"]
_FACE_Y, _VOICE_Y = 170.0, 400.0
_MIDDLE_Y = (_FACE_Y + _VOICE_Y) / 2
_FACE_BARS: Final = (0.02, 0.02, 0.03, 0.86, 0.02, 0.06, 0.12)
_VOICE_BARS: Final = (0.1, 0.06, 0.08, 0.42, 0.1, 0.26, 0.2)
_MOOD_BARS: Final = (0.03, 0.03, 0.03, 0.92, 0.03, 0.08, 0.1)
"""How the little charts look; a drawing, not a measurement."""


def main() -> None:
    """Draw and save."""
    settings = Settings()
    manifest = load_manifest(MODELS)
    geometry, front_end = manifest.face.geometry, manifest.voice.front_end
    assert geometry is not None and front_end is not None
    sheet = Sheet(_WIDTH, _HEIGHT)
    _draw_memory(sheet)
    columns = (112.0, 300.0, 488.0)
    face = [
        ("camera", ["newest frame only", f"{settings.camera.width_px} x {settings.camera.height_px},"
                    f" {settings.camera.rate_hz:.0f} a second"]),
        ("face finder", ["MediaPipe follows,", "seeks near and far"]),
        ("face net", ["int8, eyes and mouth", f"in place, {geometry.width_px} x {geometry.height_px}"]),
    ]  # fmt: skip
    window_s = int(front_end["window_samples"]) / SAMPLE_RATE_HZ
    voice = [
        ("microphone", ["any rate to 16 kHz,",
                        f"blocks of {1000 * BLOCK_SAMPLES // SAMPLE_RATE_HZ} ms"]),
        ("speech gate", ["Silero: is anybody", "speaking?"]),
        ("voice net", [f"int8, {window_s:.0f} s of log-mel", f"every {settings.voice.interval_s} s"]),
    ]  # fmt: skip
    for y, nodes, color in ((_FACE_Y, face, _WARM), (_VOICE_Y, voice, _COOL)):
        for x, (name, lines) in zip(columns, nodes, strict=True):
            _node(sheet, (x, y), 152, 96, name, lines, color)
        for x, following in itertools.pairwise(columns):
            sheet.arrow([(x + 80, y), (following - 80, y)], lightened(color, 0.1))
    _node(
        sheet, (742, _MIDDLE_Y), 172, 164, "fusion",
        ["each sense by how well", "it sees or hears now,", f"{1 / TICK_S:.0f} times a second or more"],
        _MIND, lift=34,
    )  # fmt: skip
    _bars(sheet, (742, _MIDDLE_Y + 68), _MOOD_BARS, 36, 14)
    for y, bars, color in ((_FACE_Y, _FACE_BARS, _WARM), (_VOICE_Y, _VOICE_BARS, _COOL)):
        near = _MIDDLE_Y + (-40 if y < _MIDDLE_Y else 40)
        sheet.arrow([(568, y), (612, y), (612, near), (650, near)], lightened(color, 0.1))
        foot = y - 14 if y < _MIDDLE_Y else y + 26
        _bars(sheet, (704, foot), bars, 44, 12)
        sheet.text((704, foot + 17), "7 probabilities", size=12.5, color=FAINT)
    _draw_outputs(sheet)
    sheet.save(Path(__file__).with_name("flow.png"))


def _draw_memory(sheet: Sheet) -> None:
    box: Box = (18, 64, 862, 506)
    sheet.panel(box, (16, 18, 25), edge=None, radius=18)
    left, top, right, bottom = box
    corners: list[Point] = [(left + 16, top), (right - 16, top), (right, top + 16),
                            (right, bottom - 16), (right - 16, bottom), (left + 16, bottom),
                            (left, bottom - 16), (left, top + 16), (left + 16, top)]  # fmt: skip
    sheet.line(corners, (70, 78, 92), 1.6, dash=6)
    sheet.text(
        ((left + right) / 2, bottom + 28),
        "in memory only: no frame and no sample is written or sent",
        size=16,
        color=lightened(_MIND, 0.2),
    )
    sheet.text((left + 22, top - 20), "what Mien senses", size=16, color=FAINT, anchor="lm")
    sheet.text((904, top - 20), "what it shows", size=16, color=FAINT, anchor="lm")


def _node(
    sheet: Sheet,
    center: Point,
    width: float,
    height: float,
    name: str,
    lines: list[str],
    color: Color,
    lift: float = 0,
) -> None:
    x, y = center
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    sheet.halo(box, color, 0.42, 9)
    sheet.panel(box, BEZEL, edge=dimmed(color, 0.45), radius=12)
    sheet.text((x, y - 25 - lift), name, size=18.5, color=lightened(color, 0.45), strong=True)
    for number, line in enumerate(lines):
        sheet.text((x, y + 4 - lift + 20 * number), line, size=13, color=TEXT)


def _bars(sheet: Sheet, foot: Point, parts: tuple[float, ...], height: float, pitch: float) -> None:
    """A little chart of the seven emotions, its foot in the middle of *foot*."""
    x, y = foot
    left = x - pitch * (len(EMOTIONS) - 1) / 2
    for number, (name, part) in enumerate(zip(EMOTIONS, parts, strict=True)):
        middle = left + number * pitch
        half = pitch * 0.34
        top = y - max(height * part, 3)
        sheet.panel((middle - half, top, middle + half, y), lightened(COLORS[name], 0.12),
                    edge=None, radius=2)  # fmt: skip


def _draw_outputs(sheet: Sheet) -> None:
    left, right = 904.0, 1172.0
    heights = ((88.0, 250.0), (284.0, 362.0), (396.0, 492.0))
    color = lightened(_OUT, 0.1)
    for top, bottom in heights:
        middle = (top + bottom) / 2
        start = (828.0, _MIDDLE_Y)
        if abs(middle - _MIDDLE_Y) < 40:
            sheet.arrow([start, (left - 4, _MIDDLE_Y)], color)
        else:
            sheet.arrow([start, (882, _MIDDLE_Y), (882, middle), (left - 4, middle)], color)
    sheet.text((846, _MIDDLE_Y - 16), "mood", size=13, color=FAINT)

    top, bottom = heights[0]
    box = (left, top, right, bottom)
    sheet.halo(box, _WARM, 0.5, 10)
    sheet.panel(box, BEZEL, edge=dimmed(_WARM, 0.45), radius=12)
    sheet.panel((left + 10, top + 10, right - 10, top + 136), GLASS, edge=None, radius=6)
    face = panel(draw(POSES["happy"]), 4)
    sheet.paste(face, (left + 14, top + 13), 240)
    sheet.text(((left + right) / 2, bottom - 13), "OLED, terminal or window", size=13, color=TEXT)

    top, bottom = heights[1]
    sheet.panel((left, top, right, bottom), BEZEL, edge=EDGE, radius=12)
    for number, name in enumerate(EMOTIONS):
        x = left + 37 + number * 32.5
        lit = name == "happy"
        if lit:
            sheet.disc((x, top + 28), 13, dimmed(COLORS[name], 0.7))
        sheet.disc((x, top + 28), 9, COLORS[name] if lit else dimmed(COLORS[name], 0.66))
        if lit:
            sheet.disc((x, top + 28), 4, lightened(COLORS[name], 0.7))
    sheet.text(((left + right) / 2, bottom - 18), "LEDs: one RGB, or one each", size=13, color=TEXT)

    top, bottom = heights[2]
    sheet.panel((left, top, right, bottom), BEZEL, edge=EDGE, radius=12)
    sheet.panel((left + 12, top + 12, right - 12, top + 62), BACKGROUND, edge=None, radius=6)
    sheet.text((left + 24, top + 27), '{"event":"mood","t":9.9,', size=13,
               color=lightened(_MIND, 0.2), anchor="lm")  # fmt: skip
    sheet.text((left + 24, top + 47), '"shown":"happy", ...}', size=13,
               color=lightened(_WARM, 0.2), anchor="lm")  # fmt: skip
    sheet.text(((left + right) / 2, bottom - 17), "events: JSON for your programs", size=13,
               color=BRIGHT)  # fmt: skip


if __name__ == "__main__":
    main()
