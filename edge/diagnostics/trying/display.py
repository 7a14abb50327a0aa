"""The display: a frame that shows a wrong offset, and all nine faces."""

import time
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from edge.config.schema import Settings
from edge.diagnostics.trying.guide import Guide, NotWiredError
from edge.emotions import EMOTIONS
from edge.hardware.host import Host
from edge.messages import Mood
from edge.outputs import Output
from edge.outputs.display import DisplaySettings, oled_possible, open_display, open_oled
from edge.outputs.image_file import Picture
from edge.outputs.oled import Oled

FACES: Final = {
    "happy": "laughing eyes, an open laughing mouth, three strokes on each cheek",
    "surprise": "wide round eyes, raised brows, a small round mouth",
    "neutral": "calm eyes and a straight mouth",
    "sad": "drooping eyes, a tear, the corners of the mouth down",
    "angry": "brows drawn down to the middle, bared teeth",
    "fear": "wide eyes with tiny pupils, drops of sweat, a crooked open mouth",
    "disgust": "squeezed eyes, a wrinkled nose, the tongue out",
    "unsure": "one brow raised, a crooked mouth, a question mark",
    "nobody": "closed eyes, a breathing mouth, the letters Z: asleep, because nobody is there",
}
"""The nine faces, and what is to be seen of each."""
_LEVEL: Final = 0.88


def try_display(settings: Settings, host: Host, guide: Guide) -> None:
    """Show the frame, then the faces; the display is dark afterwards.

    Raises:
        MienError: it cannot be opened or used; says what to do.
        StoppedError: somebody has had enough.
    """
    wanted = settings.of(DisplaySettings)
    if wanted.kind == "none":
        raise NotWiredError('No display is set up: set [display] kind to "auto" or "oled".')
    if wanted.kind == "auto" and not host.board and not oled_possible(wanted):
        raise NotWiredError(
            "No OLED can be wired here, as there is no I2C bus: the face shows in the terminal. To try "
            'that, set [display] kind to "terminal".'
        )
    # The preview does not stand in for an OLED that somebody wants to try.
    wired = wanted.kind in ("auto", "oled")
    display: Output = open_oled(wanted, host) if wired else open_display(wanted, host)
    try:
        taken = display.taken if isinstance(display, Oled) else ""
        guide.say(taken or f"This is the {display.name}.")
        if isinstance(display, (Oled, Picture)):
            _frame(display, wanted, guide)
        for number, (name, seen) in enumerate(FACES.items(), 1):
            guide.say()
            guide.say(f"Face {number} of {len(FACES)}, {name}: {seen}.")
            face = _Face(display, name)
            guide.wait(face.move)
        if isinstance(display, Oled) and display.repeated:
            guide.say()
            guide.judge(
                False,
                f"{display.repeated} transfers were refused and had to be repeated.",
                "Shorten the wires, see that each sits firmly, and slow the bus down: "
                "dtparam=i2c_arm_baudrate=100000 in /boot/firmware/config.txt.",
            )
    finally:
        display.close()
    guide.say()
    guide.say("That was the display." + (" It is dark now." if wired else ""))


class _Face:
    """One face, moving."""

    def __init__(self, display: Output, shown: str) -> None:
        likely = np.full(len(EMOTIONS), (1 - _LEVEL) / (len(EMOTIONS) - 1))
        if shown in EMOTIONS:
            likely[EMOTIONS.index(shown)] = _LEVEL
        self._mood = Mood(time.monotonic(), shown, likely)
        self._display, self._due_s = display, 0.0

    def move(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._due_s:
            self._due_s = now_s + self._display.interval_s
            self._display.show(self._mood, now_s)


def _frame(display: Oled | Picture, wanted: DisplaySettings, guide: Guide) -> None:
    picture = frame(display.size, display.mode)
    if isinstance(display, Oled):
        display.show_picture(picture)
    else:
        display.show_picture(picture, time.monotonic())
    colors = " At the top, from the left: a red, a green and a blue square."
    guide.say()
    guide.say(
        "A frame. You should see a thin line along all four edges, an arrow that points up, and in the "
        "corners, clockwise from the top left: one, two, three and four squares."
        + (colors if display.mode == "RGB" else "")
    )
    guide.say("If not:")
    guide.advise(
        "The line at the left or right is missing, or there is a strip of noise: set [display] "
        f"column_offset (now {wanted.column_offset}) to 0, 2 or 4 on an SH1106, 0 or 32 on an SH1107.",
        "The line at the top or bottom is missing, or the picture is cut in two: set [display] "
        f"row_offset (now {wanted.row_offset}) to 0, 32 or 96.",
        f"The arrow points elsewhere: set [display] rotate (now {wanted.rotate}) to 1, 2 or 3.",
        f"Stripes, noise or a torn picture: set [display] driver (now {wanted.driver}) to sh1106 or "
        "ssd1306, whichever it is not, and height_px to 32 if the panel is that flat.",
        "Nothing at all: check VCC and GND, and set [display] contrast to 255.",
    )
    guide.wait()


def frame(size: tuple[int, int], mode: str) -> Image.Image:
    """A line along the edges, counted squares in the corners, an arrow that points up."""
    width, height = size
    white = (255, 255, 255) if mode == "RGB" else 1 if mode == "1" else 255
    picture = Image.new(mode, size)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width - 1, height - 1), outline=white)
    side = max(2, min(width, height) // 20)
    step = 2 * side
    for count, (right, bottom) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1)), 1):
        for index in range(count):  # in pairs, from the corner inwards
            across, down = step * (index % 2) + side + 1, step * (index // 2) + side + 1
            x = width - across - side if right else across
            y = height - down - side if bottom else down
            draw.rectangle((x, y, x + side - 1, y + side - 1), fill=white)
    middle, reach = (width - 1) / 2, min(width, height) / 5
    tip, foot = height / 2 - reach, height / 2 + reach
    draw.polygon(
        [(middle, tip), (middle - reach, height / 2), (middle + reach, height / 2)], fill=white
    )
    draw.rectangle((middle - reach / 3, height / 2, middle + reach / 3, foot), fill=white)
    if mode == "RGB":
        for index, color in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255))):
            left = middle + (index - 1) * step * 2 - side
            draw.rectangle((left, side + 1, left + step - 1, side + step), fill=color)
    return picture
