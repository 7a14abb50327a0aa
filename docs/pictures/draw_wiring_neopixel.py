"""Draws docs/pictures/wiring_neopixel.png: a ring of pixels on a Raspberry Pi's SPI bus.

python docs/pictures/draw_wiring_neopixel.py
"""

import math
from pathlib import Path
from typing import Final

from drawing import BRIGHT, EDGE, FAINT, GLASS, TEXT, Color, Point, Sheet, dimmed, lightened

from edge.face.pose import SHOWN_COLORS

_WIDTH, _HEIGHT = 1200, 560
_RED: Final = (240, 78, 66)
_GREY: Final = (138, 148, 162)
_BLUE: Final = (86, 168, 255)
_GREEN: Final = (14, 46, 38)
_GREEN_EDGE: Final = (34, 92, 74)
_RIM: Final = (13, 15, 20)
_PIXELS: Final = 12
_DATA_Y, _GROUND_Y, _SUPPLY_Y = 180.0, 400.0, 470.0


def main() -> None:
    """Draw and save."""
    sheet = Sheet(_WIDTH, _HEIGHT)
    ring = (1010.0, 230.0)
    _wire(sheet, [(220, _DATA_Y), (400, _DATA_Y)], _BLUE)
    _wire(sheet, [(560, _DATA_Y), (ring[0] - 98, _DATA_Y)], _BLUE)
    _wire(sheet, [(220, _GROUND_Y), (1030, _GROUND_Y), (1030, ring[1] + 100)], _GREY)
    _wire(sheet, [(450, 240), (450, _GROUND_Y)], _GREY)
    _wire(sheet, [(760, 440), (760, _GROUND_Y)], _GREY)
    _wire(sheet, [(800, _SUPPLY_Y), (990, _SUPPLY_Y), (990, ring[1] + 100)], _RED)
    _wire(sheet, [(640, _SUPPLY_Y), (510, _SUPPLY_Y), (510, 240)], _RED)
    for join in ((450.0, _GROUND_Y), (760.0, _GROUND_Y)):
        sheet.disc(join, 7, _GREY)
    _draw_box(
        sheet, (40, 80, 250, 460), "Raspberry Pi", "or any board with SPI", _GREEN, _GREEN_EDGE
    )
    for y, pin, name, color in (
        (_DATA_Y, "19", "GPIO 10, MOSI", _BLUE), (_GROUND_Y, "6", "GND", _GREY),
    ):  # fmt: skip
        sheet.disc((228, y), 13, color)
        sheet.text((228, y), pin, size=12, color=(16, 17, 20), strong=True)
        sheet.text((206, y), name, size=14, color=lightened(color), anchor="rm", strong=True)
    _draw_box(sheet, (400, 120, 560, 240), "74AHCT125", "level shifter, 3.3 to 5 V")
    for at, name in (((414, _DATA_Y), "1A (2)"), ((546, _DATA_Y), "1Y (3)")):
        sheet.text(at, name, size=13, color=TEXT, anchor="lm" if at[0] < 480 else "rm")
    sheet.text((450, 228), "GND, 1OE", size=12, color=FAINT)
    sheet.text((512, 228), "VCC", size=12, color=FAINT)
    _draw_resistor(sheet, (760, _DATA_Y))
    sheet.text((760, _DATA_Y - 26), "330 ohm", size=14, color=FAINT)
    _draw_box(sheet, (640, 440, 800, 510), "5 V supply", "")
    sheet.text((720, 496), "1000 uF across + and -", size=12, color=FAINT)
    _draw_ring(sheet, ring)
    sheet.text((ring[0] - 126, _DATA_Y - 16), "DIN", size=13, color=lightened(_BLUE))
    sheet.text((978, ring[1] + 128), "5 V", size=13, color=lightened(_RED), anchor="rm")
    sheet.text((1042, ring[1] + 128), "GND", size=13, color=lightened(_GREY), anchor="lm")
    sheet.text((1010, 60), "WS281x pixels", size=19, color=BRIGHT, strong=True)
    sheet.text((600, 538), "one ground for all three: board, level shifter and supply", size=14,
               color=FAINT)  # fmt: skip
    sheet.save(Path(__file__).with_name("wiring_neopixel.png"))


def _wire(sheet: Sheet, points: list[Point], color: Color) -> None:
    sheet.line(points, color, 4.2, bend=14, rim=_RIM)


def _draw_box(
    sheet: Sheet, box: tuple[float, float, float, float], name: str, under: str,
    fill: Color = GLASS, edge: Color = EDGE,
) -> None:  # fmt: skip
    left, top, right, _ = box
    sheet.panel(box, fill, edge=edge, radius=12)
    sheet.text(((left + right) / 2, top + 22), name, size=17, color=BRIGHT, strong=True)
    sheet.text(((left + right) / 2, top + 42), under, size=12, color=FAINT)


def _draw_resistor(sheet: Sheet, center: Point) -> None:
    """330 ohm, 5 %: orange, orange, brown, gold."""
    x, y = center
    sheet.panel((x - 25, y - 8, x + 25, y + 8), (214, 190, 146), edge=(150, 126, 86), radius=7)
    for offset, band in ((-14, (236, 120, 30)), (-5, (236, 120, 30)), (4, (110, 60, 30)),
                         (15, (200, 150, 40))):  # fmt: skip
        sheet.panel((x + offset - 2.5, y - 8, x + offset + 2.5, y + 8), band, edge=None, radius=0)


def _draw_ring(sheet: Sheet, center: Point) -> None:
    x, y = center
    sheet.disc(center, 116, (30, 33, 41), EDGE)
    sheet.disc(center, 72, _RIM, EDGE)
    happy = SHOWN_COLORS["happy"]
    for number in range(_PIXELS):
        turn = math.pi + 2 * math.pi * number / _PIXELS
        place = (x + 94 * math.cos(turn), y + 94 * math.sin(turn))
        sheet.glow(place, 15, happy, 0.6)
        sheet.disc(place, 13, dimmed(happy, 0.4))
        sheet.disc(place, 8, lightened(happy, 0.4))


if __name__ == "__main__":
    main()
