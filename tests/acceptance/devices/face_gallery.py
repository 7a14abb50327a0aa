"""Draws the faces that `face_on_display` compares with, by the appliance's own drawing code."""

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from edge.emotions import EMOTIONS
from edge.face.accessories import draw_icons
from edge.face.animation import Animator
from edge.face.draw import draw
from edge.face.pose import Extras
from edge.messages import SHOWN, Mood, Sense
from edge.outputs.oled_packing import pack_pages

PROBABILITIES: Final = (0.4, 0.6, 0.9)
GAZES: Final = ((0.0, 0.0), (-0.1, 0.0), (0.1, 0.1))
"""Of somebody who stands about the middle of the camera's picture."""
LASTING_S: Final = 3.2
BREATH_S: Final = 12.0
"""Nobody there: two slow breaths, which move the whole face."""
EVERY_S: Final = 0.2
SIZE: Final = (128, 64)


def mood(shown: str, probability: float, gaze: tuple[float, float], t_s: float) -> Mood:
    """A mood that is shown as *shown*, with its probability where it is an emotion."""
    parts = np.full(len(EMOTIONS), (1 - probability) / (len(EMOTIONS) - 1))
    if shown in EMOTIONS:
        parts[EMOTIONS.index(shown)] = probability
    ok = Sense("ok", present=True)
    return Mood(t_s, shown, parts, face=ok, voice=ok, gaze=gaze)


def pictures(shown: str) -> list[bytes]:
    """The face of *shown* at many moments, weak and strong: each once."""
    drawn: dict[bytes, None] = {}
    for probability in PROBABILITIES if shown in EMOTIONS else PROBABILITIES[-1:]:
        for seed, gaze in enumerate(GAZES):
            animator = Animator(seed)
            lasting_s = BREATH_S if shown == "nobody" else LASTING_S
            for step in range(round(lasting_s / EVERY_S)):
                t_s = step * EVERY_S
                pose = animator.pose(mood(shown, probability, gaze, t_s), t_s)
                if t_s > 0.6:  # it has to grow out of another face first
                    drawn[packed(draw(pose, SIZE, "1"))] = None
    return list(drawn)


def icon(extras: Extras) -> tuple[bytes, bytes]:
    """The pixels that the icons of *extras* cover, and those that they light."""
    on_light, on_dark = Image.new("1", SIZE, 1), Image.new("1", SIZE, 0)
    draw_icons(on_light, extras)
    draw_icons(on_dark, extras)
    lit = packed(on_dark)
    hole = packed(on_light)
    covered = bytes(~light & 0xFF | dark for light, dark in zip(hole, lit, strict=True))
    return covered, lit


def packed(picture: Image.Image) -> bytes:
    """As the memory of a display holds it."""
    return pack_pages(picture).tobytes()


def write(folder: Path) -> None:
    """Write every face and every icon into files of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    for shown in SHOWN:
        (folder / f"{shown}.face").write_bytes(b"".join(pictures(shown)))
    lost = {
        "camera lost": Extras(camera_lost=1.0),
        "microphone lost": Extras(microphone_lost=1.0),
    }
    for name, extras in lost.items():
        (folder / f"{name}.icon").write_bytes(b"".join(icon(extras)))
