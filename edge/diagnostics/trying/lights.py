"""The lights: each by its name and pin, one after the other."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from edge.config.schema import Settings
from edge.diagnostics.trying.guide import Guide, NotWiredError
from edge.hardware.gpio import Gpio, all_off, gpio_troubles
from edge.hardware.host import Host
from edge.outputs.leds import LedSettings
from edge.outputs.neopixel import NeopixelSettings, open_strip

HEADER: Final = {
    2: 3, 3: 5, 4: 7, 14: 8, 15: 10, 17: 11, 18: 12, 27: 13, 22: 15, 23: 16, 24: 18, 10: 19, 9: 21,
    25: 22, 11: 23, 8: 24, 7: 26, 0: 27, 1: 28, 5: 29, 6: 31, 12: 32, 13: 33, 19: 35, 16: 36, 26: 37,
    20: 38, 21: 40,
}  # fmt: skip
"""The pin of the 40-pin header of each GPIO."""
_DIM: Final = 0.2
"""Of the pixels' full current: to be seen, and no strain on a supply."""


@dataclass(frozen=True)
class Light:
    """One that can be lit by itself."""

    name: str
    pin: int
    setting: str
    inverted: bool = False


def lights_of(leds: LedSettings) -> list[Light]:
    """The single lights that the settings name."""
    lights: list[Light] = []
    if leds.rgb_pins is not None:
        for color, pin in zip(("red", "green", "blue"), leds.rgb_pins, strict=True):
            lights.append(Light(f"{color} of the RGB LED", pin, color, leds.common_anode))
    for emotion, pin in leds.emotion_pins.items():
        lights.append(Light(f"the LED for {emotion}", pin, f"emotion_pins.{emotion}"))
    if isinstance(leds.recording_pin, int):
        lights.append(Light("the recording LED", leds.recording_pin, "recording_pin"))
    return lights


def try_lights(settings: Settings, host: Host, guide: Guide) -> None:
    """Light one after the other; all are dark afterwards.

    Raises:
        MienError: they cannot be used, or there are none; says what to do.
        StoppedError: somebody has had enough.
    """
    leds, pixels = settings.of(LedSettings), settings.of(NeopixelSettings)
    lights = lights_of(leds) if host.pins.wanted else []
    if not lights and not pixels.enabled:
        raise NotWiredError(
            "No lights are set up here: on a Raspberry Pi or Jetson they are by themselves, on any other "
            "board set [leds] backend; NeoPixels want [neopixel] enabled = true."
        )
    if lights and leds.backend == "mock":
        guide.say(
            'These pins are a mock ([leds] backend = "mock"): nothing lights up, whatever is wired.'
        )
    for number, light in enumerate(lights, 1):
        gpio = host.pins.gpio()
        guide.say()
        with _lit(gpio, light, [each for each in lights if each is not light]):
            pin = HEADER.get(light.pin)
            where = f"GPIO {light.pin}" + (f", pin {pin} of the header" if pin else "")
            guide.say(f"Light {number} of {len(lights)}: {light.name}, {where}.")
            guide.say("You should see it alone. If not:")
            guide.advise(*_advice(light))
            guide.wait()
    if pixels.enabled:
        _try_pixels(pixels, guide)
    guide.say()
    guide.say("Those were the lights. All are dark now.")


@contextmanager
def _lit(gpio: Gpio, light: Light, others: list[Light]) -> Iterator[None]:
    """Have one light on, all others dark, and every pin let go of afterwards."""
    with ExitStack() as taken:
        for each in (*others, light):
            with gpio_troubles(each.name[0].upper() + each.name[1:]):
                off, on = (gpio.HIGH, gpio.LOW) if each.inverted else (gpio.LOW, gpio.HIGH)
                gpio.setup(each.pin, gpio.OUT, initial=off)
                taken.callback(all_off, gpio, [], [each.pin], inverted=each.inverted)
                if each is light:
                    gpio.output(each.pin, on)
        yield


def _advice(light: Light) -> list[str]:
    advice = [
        "Nothing is lit: turn the LED round (the long leg is plus), and check its resistor and its wire "
        f"to GND; it is on [leds] {light.setting} = {light.pin}.",
    ]
    if light.setting in ("red", "green", "blue"):
        advice += [
            "Another colour is lit: two legs are swapped; swap their wires, or the numbers of [leds] "
            "red, green and blue.",
            "The other two are lit and this one is dark: its common leg is plus; wire that to 3.3 V and "
            "set [leds] common_anode = true (or false, if it is set and the common leg goes to GND).",
        ]
    else:
        advice.append(f"Another LED is lit: set [leds] {light.setting} to the GPIO of this one.")
    return advice


def _try_pixels(pixels: NeopixelSettings, guide: Guide) -> None:
    dark, white = (0, 0, 0), (round(255 * _DIM),) * 3
    full = round(255 * _DIM)
    count = pixels.count
    steps: list[tuple[str, Callable[[int], bool], tuple[int, int, int], str]] = [
        (f"all {count} pixels red", lambda i: True, (full, 0, 0), "order"),
        ("all of them green", lambda i: True, (0, full, 0), "order"),
        ("all of them blue", lambda i: True, (0, 0, full), "order"),
        ("the first alone, white", lambda i: i == 0, (white[0], white[1], white[2]), "count"),
        (
            "the last alone, white",
            lambda i: i == count - 1,
            (white[0], white[1], white[2]),
            "count",
        ),
    ]
    advice = {
        "order": f"Another colour: set [neopixel] order (now {pixels.order}) to RGB, GRB or BRG.",
        "count": f"Another pixel: set [neopixel] count (now {count}) to how many there are.",
    }
    strip = open_strip(pixels)
    try:
        for number, (what, lit, color, wrong) in enumerate(steps, 1):
            strip.send([color if lit(index) else dark for index in range(count)])
            guide.say()
            guide.say(f"NeoPixels {number} of {len(steps)}: {what}. If not:")
            guide.advise(
                advice[wrong],
                "Nothing, or flicker: check the supply's ground, the level shifter, and that DIN is the "
                "end that the arrows on the strip point away from.",
            )
            guide.wait()
    finally:
        try:
            strip.send([dark] * count)
        finally:
            strip.close()
