"""Draws docs/pictures/wiring.png: the wires between a Raspberry Pi, an OLED and the LEDs.

python docs/pictures/draw_wiring.py

The GPIOs are those that `edge.outputs.leds` has built in.
"""

from pathlib import Path
from typing import Final

from drawing import (
    BRIGHT,
    EDGE,
    FAINT,
    GLASS,
    TEXT,
    Color,
    Point,
    Sheet,
    dimmed,
    lightened,
    text_width,
)

from edge.face.draw import draw
from edge.face.gallery import panel
from edge.face.pose import POSES
from edge.outputs.leds import LedSettings

_WIDTH, _HEIGHT = 1200, 776
_TOP, _PITCH = 118.0, 30.6
_LEFT_X, _RIGHT_X = 560.0, 596.0
"""The two columns of pins."""
_BOARD: Final = (424.0, 60.0, 732.0, 756.0)
_GREEN: Final = (14, 46, 38)
_GREEN_EDGE: Final = (34, 92, 74)
_GREEN_TEXT: Final = (116, 168, 148)
_GOLD: Final = (214, 178, 94)

_RED: Final = (240, 78, 66)
_GREY: Final = (138, 148, 162)
_AMBER: Final = (255, 196, 60)
_BLUE: Final = (86, 168, 255)
_LIME: Final = (92, 214, 104)
_ROYAL: Final = (92, 124, 255)
_ROSE: Final = (255, 120, 130)
_RIM: Final = (13, 15, 20)

_FIXED: Final = {1: "3.3 V", 2: "5 V", 4: "5 V", 6: "GND", 9: "GND", 14: "GND", 17: "3.3 V",
                 20: "GND", 25: "GND", 27: "ID SD", 28: "ID SC", 30: "GND", 34: "GND",
                 39: "GND"}  # fmt: skip
_BCM_BY_PIN: Final = {3: 2, 5: 3, 7: 4, 8: 14, 10: 15, 11: 17, 12: 18, 13: 27, 15: 22, 16: 23,
                      18: 24, 19: 10, 21: 9, 22: 25, 23: 11, 24: 8, 26: 7, 29: 5, 31: 6, 32: 12,
                      33: 13, 35: 19, 36: 16, 37: 26, 38: 20, 40: 21}  # fmt: skip
"""The header of every Raspberry Pi with 40 pins: BCM number by physical pin."""


def pin_of(bcm: int) -> int:
    """The physical pin of a GPIO."""
    return next(pin for pin, number in _BCM_BY_PIN.items() if number == bcm)


def name_of(pin: int) -> str:
    """What the header calls a pin."""
    if pin in _FIXED:
        return _FIXED[pin]
    role = {2: " SDA", 3: " SCL"}.get(_BCM_BY_PIN[pin], "")
    return f"GPIO {_BCM_BY_PIN[pin]}{role}"


def beside(pin: int) -> Point:
    """Where the wire of a pin leaves its name."""
    x, y = place(pin)
    side = -1 if pin % 2 else 1
    return x + side * (40 + text_width(name_of(pin), 14)), y


def place(pin: int) -> Point:
    """The middle of a pin."""
    row = (pin - 1) // 2
    return (_LEFT_X if pin % 2 else _RIGHT_X), _TOP + row * _PITCH


def main() -> None:
    """Draw and save."""
    leds = LedSettings()
    assert leds.rgb_pins is not None and isinstance(leds.recording_pin, int)
    red, green, blue = (pin_of(bcm) for bcm in leds.rgb_pins)
    recording = pin_of(leds.recording_pin)
    used = {1: _RED, 3: _BLUE, 5: _AMBER, 9: _GREY, red: _RED, green: _LIME, blue: _ROYAL,
            14: _GREY, recording: _ROSE, 20: _GREY}  # fmt: skip
    sheet = Sheet(_WIDTH, _HEIGHT)
    _draw_board(sheet)
    _draw_oled(sheet)
    _draw_rgb_led(sheet, (red, green, blue))
    _draw_recording_led(sheet, recording)
    for pin in range(1, 41):
        _draw_pin(sheet, pin, used.get(pin))
    sheet.save(Path(__file__).with_name("wiring.png"))


def _draw_board(sheet: Sheet) -> None:
    left, top, right, bottom = _BOARD
    sheet.panel(_BOARD, _GREEN, edge=_GREEN_EDGE, radius=18)
    sheet.text(((left + right) / 2, 32), "Raspberry Pi", size=21, color=BRIGHT, strong=True)
    for x, y in ((left + 26, top + 26), (left + 26, bottom - 26)):
        sheet.disc((x, y), 11, _GOLD)
        sheet.disc((x, y), 7, (13, 15, 20))
    sheet.text((left + 46, top + 26), "SD card end", size=12.5, color=_GREEN_TEXT, anchor="lm")
    sheet.text((left + 46, bottom - 26), "USB end", size=12.5, color=_GREEN_TEXT, anchor="lm")
    middle = (_LEFT_X + _RIGHT_X) / 2
    sheet.panel(
        (middle - 37, _TOP - 21, middle + 37, _TOP + 19 * _PITCH + 21),
        (18, 19, 23),
        edge=(44, 47, 54),
        radius=5,
    )


def _draw_pin(sheet: Sheet, pin: int, color: Color | None) -> None:
    x, y = place(pin)
    fill = _GOLD if color is None else color
    half = 11.5
    sheet.panel(
        (x - half, y - half, x + half, y + half),
        fill if color else dimmed(_GOLD, 0.45),
        edge=None,
        radius=half if pin != 1 else 3,
    )
    dark = (16, 17, 20)
    sheet.text((x, y), str(pin), size=12, color=dark, strong=True)
    side = -1 if pin % 2 else 1
    shade = lightened(color, 0.3) if color else (84, 128, 112)
    sheet.text(
        (x + side * 29, y), name_of(pin), size=14 if color else 13, color=shade, strong=bool(color),
        anchor="rm" if side < 0 else "lm",
    )  # fmt: skip


def _wire(sheet: Sheet, points: list[Point], color: Color) -> None:
    sheet.line(points, color, 4.2, bend=14, rim=_RIM)


def _draw_oled(sheet: Sheet) -> None:
    left, top, width, height = 52.0, 380.0, 308.0, 222.0
    pins = {"GND": 9, "VCC": 1, "SCL": 5, "SDA": 3}
    colors = {"GND": _GREY, "VCC": _RED, "SCL": _AMBER, "SDA": _BLUE}
    places = {name: (left + 100 + 36 * number, top + 20) for number, name in enumerate(pins)}
    for name in ("GND", "SCL", "SDA", "VCC"):
        x, y = places[name]
        end = beside(pins[name])
        _wire(sheet, [(x, y), (x, end[1]), end], colors[name])
    happy = (255, 190, 20)
    box = (left, top, left + width, top + height)
    sheet.halo(box, happy, 0.35, 16)
    sheet.panel(box, (16, 30, 62), edge=(40, 66, 120), radius=12)
    for x in (left + 18, left + width - 18):
        for y in (top + 18, top + height - 18):
            sheet.disc((x, y), 7.5, _GOLD)
            sheet.disc((x, y), 4.5, (13, 15, 20))
    for name, (x, y) in places.items():
        sheet.disc((x, y), 7, colors[name])
        sheet.disc((x, y), 3, (16, 17, 20))
        sheet.text((x, y + 18), name, size=12, color=TEXT)
    glass = (left + 10, top + 52, left + width - 10, top + height - 34)
    sheet.panel(glass, GLASS, edge=(8, 12, 24), radius=5)
    face = panel(draw(POSES["happy"]), 4)
    wide = 256.0
    sheet.paste(
        face, ((glass[0] + glass[2] - wide) / 2, (glass[1] + glass[3] - wide / 2) / 2), wide
    )
    middle = left + width / 2
    sheet.text((middle, top + height + 28), "OLED, I2C", size=19, color=BRIGHT, strong=True)
    sheet.text(
        (middle, top + height + 53), "SSD1306 or SH1106 at address 0x3C", size=14, color=FAINT
    )
    sheet.text(
        (middle, top + height + 74), "the order of its pins differs: go by the labels", size=14,
        color=FAINT,
    )  # fmt: skip


def _resistor(sheet: Sheet, center: Point) -> None:
    """330 ohm, 5 %: orange, orange, brown, gold."""
    x, y = center
    sheet.panel((x - 25, y - 8, x + 25, y + 8), (214, 190, 146), edge=(150, 126, 86), radius=7)
    for offset, band in ((-14, (236, 120, 30)), (-5, (236, 120, 30)), (4, (110, 60, 30))):
        sheet.panel((x + offset - 2.5, y - 8, x + offset + 2.5, y + 8), band, edge=None, radius=0)
    sheet.panel((x + 13.5, y - 8, x + 17.5, y + 8), (200, 150, 40), edge=None, radius=0)


def _draw_rgb_led(sheet: Sheet, pins: tuple[int, int, int]) -> None:
    center = (1058.0, 238.0)
    legs = [(0, _RED, -51.0), (1, _LIME, 17.0), (2, _ROYAL, 51.0)]
    # The odd pins' wires pass between the rows of the even ones.
    for index, color, down in legs:
        x, y = place(pins[index])
        gap_y = y + _PITCH / 2
        end_y = center[1] + down
        lane_x = {0: 776.0, 1: 800.0, 2: 824.0}[index]
        path = [(x, y), (x, gap_y), (lane_x, gap_y), (lane_x, end_y), (center[0] - 40, end_y)]
        _wire(sheet, path, color)
        _resistor(sheet, (908, end_y))
    ground_y = center[1] - 17
    x, y = beside(14)
    _wire(sheet, [(x, y), (788, y), (788, ground_y), (center[0] - 40, ground_y)], _GREY)
    _draw_lamp(sheet, center, 62, [(255, 70, 60), (80, 220, 100), (90, 120, 255)])
    for label, down, color in (("R", -51.0, _RED), ("GND", -17.0, _GREY), ("G", 17.0, _LIME),
                                ("B", 51.0, _ROYAL)):  # fmt: skip
        sheet.text((center[0] - 84, center[1] + down - 12), label, size=13, color=lightened(color))
    sheet.text((center[0] - 40, center[1] + 96), "RGB LED, common cathode", size=19,
               color=BRIGHT, strong=True)  # fmt: skip
    sheet.text((center[0] - 40, center[1] + 121), "its longest leg to GND,", size=14, color=FAINT)
    sheet.text((center[0] - 40, center[1] + 142), "330 ohm in each colour", size=14, color=FAINT)


def _draw_recording_led(sheet: Sheet, pin: int) -> None:
    center = (1058.0, 540.0)
    for number, color, down, lane_x in ((pin, _ROSE, -17.0, 800.0), (20, _GREY, 17.0, 776.0)):
        x, y = beside(number)
        end_y = center[1] + down
        _wire(sheet, [(x, y), (lane_x, y), (lane_x, end_y), (center[0] - 30, end_y)], color)
        if number == pin:
            _resistor(sheet, (908, end_y))
    _draw_lamp(sheet, center, 40, [(255, 60, 50)])
    sheet.text((center[0] - 62, center[1] - 29), "+", size=15, color=lightened(_ROSE))
    sheet.text((center[0] - 62, center[1] + 5), "GND", size=13, color=lightened(_GREY))
    sheet.text(
        (center[0] - 40, center[1] + 76), "Recording LED", size=19, color=BRIGHT, strong=True
    )
    sheet.text(
        (center[0] - 40, center[1] + 101), "on exactly while camera or", size=14, color=FAINT
    )
    sheet.text(
        (center[0] - 40, center[1] + 122), "microphone is open; 330 ohm", size=14, color=FAINT
    )


def _draw_lamp(sheet: Sheet, center: Point, radius: float, lights: list[Color]) -> None:
    """An LED from above: its rim, its lens and what shines in it."""
    x, y = center
    if len(lights) == 1:  # several would mix to mud
        sheet.glow(center, radius * 0.9, lights[0], 0.75)
    sheet.disc(center, radius, (30, 33, 41), EDGE)
    sheet.disc(center, radius * 0.82, (20, 22, 28))
    for number, color in enumerate(lights):
        shift = (number - (len(lights) - 1) / 2) * radius * 0.46
        sheet.disc((x + shift, y), radius * 0.22, dimmed(color, 0.55))
        sheet.disc((x + shift, y), radius * 0.16, color)
        sheet.disc((x + shift, y), radius * 0.08, lightened(color, 0.75))


if __name__ == "__main__":
    main()
