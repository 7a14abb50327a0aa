"""Lights: an RGB LED or one LED an emotion for the mood, and one that says Mien is watching."""

import math
import threading
from typing import TYPE_CHECKING, Final, Literal

from pydantic import model_validator

from edge.config.fields import UNCLAIMED, Emotion, Pin, PinClaim, Section, refuse, setting
from edge.emotions import EMOTIONS
from edge.errors import OutputError
from edge.hardware.gpio import Gpio, Pwm, all_off, gpio_troubles, pins_problem
from edge.hardware.host import Host
from edge.outputs import Maker, OutputAdapter

if TYPE_CHECKING:
    from edge.messages import Mood

_PWM_HZ: Final = 200.0
"""Well above what flickers, well below what software PWM keeps up with."""
_GAMMA: Final = 2.2
"""An LED's light grows with its duty cycle, the eye's impression with about its 2.2th root."""
_EASE_S: Final = 0.25
"""Time constant of fading from one colour to the next."""
_LEAST_CHANGE: Final = 0.1
"""Smaller changes of the duty cycle, in percent, are not worth a call."""


class LedSettings(Section):
    """The lights: one RGB LED or one LED for each emotion, and the recording LED."""

    backend: Literal["auto", "rpi", "jetson", "mock", "none"] = setting(
        "auto",
        '"auto" takes the GPIO of the board that this is, and none on a desktop; "mock" keeps a '
        'record instead; "none" has no lights.',
    )
    red: Pin | Literal["none"] = setting(17, "GPIO (BCM number) of the red LED.")
    green: Pin | Literal["none"] = setting(27, "GPIO (BCM number) of the green LED.")
    blue: Pin | Literal["none"] = setting(22, "GPIO (BCM number) of the blue LED.")
    common_anode: bool = setting(
        False, "True when the common leg of the RGB LED goes to 3.3 V instead of ground."
    )
    brightness: float = setting(0.6, "Of the RGB LED, 0 to 1.", ge=0, le=1)
    emotion_pins: dict[Emotion, Pin] = setting(
        {},
        "One LED for each emotion: GPIO (BCM number) by emotion. Any of the seven may be left out.",
        allowed="a GPIO from 0 to 27 for any of the seven emotions",
        example={"happy": 5, "sad": 6, "angry": 13},
    )
    recording_pin: Pin | Literal["none"] = setting(
        23, "GPIO (BCM number) of the LED that is on exactly while a camera or microphone is open."
    )

    @model_validator(mode="after")
    def _three_colors_or_none(self) -> "LedSettings":
        colors = {name: getattr(self, name) for name in ("red", "green", "blue")}
        unwired = [name for name, pin in colors.items() if pin == UNCLAIMED]
        if 0 < len(unwired) < 3:
            raise refuse(
                unwired[0],
                "[leds] red, green and blue need a GPIO each, or all three have to be "
                f'"none": {unwired[0]} is "none"',
            )
        return self

    @property
    def rgb_pins(self) -> tuple[int, int, int] | None:
        """The GPIOs of (red, green, blue), None when there is no RGB LED."""
        pins = [pin for pin in (self.red, self.green, self.blue) if isinstance(pin, int)]
        return (pins[0], pins[1], pins[2]) if len(pins) == 3 else None

    def pin_claims(self) -> list[PinClaim]:
        """A pin for each light that is wired."""
        if self.backend == "none":
            return []
        wired = {name: getattr(self, name) for name in ("red", "green", "blue", "recording_pin")}
        wired |= {f"emotion_pins.{name}": pin for name, pin in self.emotion_pins.items()}
        return [(name, f"[leds] {name}", pin) for name, pin in wired.items() if pin != UNCLAIMED]


def make(leds: LedSettings, host: Host) -> list[Maker]:
    """The RGB LED and the LEDs of single emotions, as far as they are wired."""
    if not host.pins.wanted:
        return []

    def rgb_led() -> RgbLed:
        assert leds.rgb_pins is not None
        red, green, blue = leds.rgb_pins
        return RgbLed(
            gpio=host.pins.gpio(),
            red=red,
            green=green,
            blue=blue,
            common_anode=leds.common_anode,
            brightness=leds.brightness,
        )

    def emotion_leds() -> EmotionLeds:
        pins = {str(emotion): pin for emotion, pin in leds.emotion_pins.items()}
        return EmotionLeds(gpio=host.pins.gpio(), pins=pins)

    makers: list[Maker] = [rgb_led] if leds.rgb_pins is not None else []
    return [*makers, emotion_leds] if leds.emotion_pins else makers


def recording_light(leds: LedSettings, host: Host) -> "RecordingLight":
    """The light that is on while a sensor is open; none where there are no pins.

    Raises:
        OutputError: the pin cannot be had.
    """
    if not host.pins.wanted or not isinstance(leds.recording_pin, int):
        return RecordingLight(None, None)
    return RecordingLight(host.pins.gpio(), leds.recording_pin)


def intensity(mood: "Mood", t_s: float) -> float:
    """How bright the lights shine for *mood*, 0-1: by its probability, dim when nobody is there.

    Without a mood it breathes (starting, nobody) or blinks (fault) with time *t_s*.
    """
    from edge.face.pose import certainty

    if mood.shown in EMOTIONS:
        return 0.45 + 0.55 * certainty(mood)
    if mood.shown == "fault":
        return 1.0 if t_s % 1.0 < 0.5 else 0.15
    if mood.shown == "unsure":
        return 0.45
    breath = 0.5 + 0.5 * math.sin(2 * math.pi * t_s / 4.0)
    return 0.12 + 0.18 * breath if mood.shown == "nobody" else 0.25 + 0.45 * breath


def duty_cycle(brightness: float) -> float:
    """Percent of the time on, 0-100, that looks *brightness* (0-1) of full light."""
    return float(100 * min(max(brightness, 0.0), 1.0) ** _GAMMA)


class _Dimmer:
    """Channels that fade smoothly to the brightness that they are told."""

    def __init__(self, gpio: Gpio, pins: dict[str, int], what: str, inverted: bool) -> None:
        problem = pins_problem(pins)
        if problem:
            raise OutputError(f"{what}: {problem}")
        self._gpio = gpio
        self._what = what
        self._inverted = inverted
        self._channels: list[int] = []
        self._pwms: list[Pwm] = []
        self._brightness = [0.0] * len(pins)
        self._sent = [duty_cycle(0.0)] * len(pins)
        self._t_s: float | None = None
        try:
            with gpio_troubles(what):
                for pin in pins.values():
                    # A common anode is lit by a low pin: high keeps it dark from the start.
                    gpio.setup(pin, gpio.OUT, initial=gpio.HIGH if inverted else gpio.LOW)
                    self._channels.append(pin)
                    pwm = gpio.PWM(pin, _PWM_HZ)
                    self._pwms.append(pwm)
                    pwm.start(100.0 if inverted else 0.0)
        except OutputError:
            self.close()
            raise

    def fade(self, wanted: list[float], t_s: float) -> None:
        """Go towards the brightness *wanted* of each channel, 0-1, as far as time *t_s* allows."""
        dt_s = 0.05 if self._t_s is None else max(t_s - self._t_s, 0.0)
        self._t_s = t_s
        step = 1 - math.exp(-dt_s / _EASE_S)
        with gpio_troubles(self._what):
            for index, goal in enumerate(wanted):
                value = self._brightness[index]
                value = goal if abs(goal - value) < 0.004 else value + step * (goal - value)
                self._brightness[index] = value
                duty = duty_cycle(value)
                if abs(duty - self._sent[index]) >= _LEAST_CHANGE or (
                    duty != self._sent[index] and value == goal
                ):
                    self._pwms[index].ChangeDutyCycle(100 - duty if self._inverted else duty)
                    self._sent[index] = duty

    def close(self) -> None:
        channels, self._channels = self._channels, []
        if not channels:
            return
        all_off(self._gpio, self._pwms, channels, inverted=self._inverted)


class RgbLed:
    """One RGB LED on three pins that takes the colour of the mood."""

    interval_s = 0.05

    def __init__(
        self,
        *,
        gpio: Gpio,
        red: int,
        green: int,
        blue: int,
        common_anode: bool = False,
        brightness: float = 1.0,
    ) -> None:
        """Set the pins up, dark.

        Args:
            gpio: from `edge.hardware.gpio.open_gpio`.
            red: BCM number of the red pin; *green* and *blue* likewise.
            green: see *red*.
            blue: see *red*.
            common_anode: the LED's common leg is on 3.3 V and a low pin lights it.
            brightness: of the LED at its brightest, 0-1.

        Raises:
            OutputError: a pin cannot be had, or two are the same.
        """
        self.name = "RGB LED"
        self._brightness = brightness
        pins = {"red": red, "green": green, "blue": blue}
        self._dimmer = _Dimmer(gpio, pins, "The RGB LED", common_anode)

    def show(self, mood: "Mood", t_s: float) -> None:
        """Show *mood*; see `edge.outputs.Output`."""
        from edge.face.pose import SHOWN_COLORS

        bright = intensity(mood, t_s) * self._brightness
        self._dimmer.fade([bright * part / 255 for part in SHOWN_COLORS[mood.shown]], t_s)

    def close(self) -> None:
        """Put the light out and release its pins."""
        self._dimmer.close()


class EmotionLeds:
    """One LED for each of some emotions; the shown one's is lit."""

    interval_s = 0.05

    def __init__(self, *, gpio: Gpio, pins: dict[str, int]) -> None:
        """Set the pins up, dark.

        Args:
            gpio: from `edge.hardware.gpio.open_gpio`.
            pins: BCM number of the LED of each emotion that has one.

        Raises:
            OutputError: a pin cannot be had, two are the same, or a name is no emotion.
        """
        self.name = "emotion LEDs"
        for name in pins:
            if name not in EMOTIONS:
                raise OutputError(
                    f'The emotion LEDs know no "{name}": the emotions are {", ".join(EMOTIONS)}.'
                )
        self._names = list(pins)
        self._dimmer = _Dimmer(gpio, pins, "The emotion LEDs", inverted=False)

    def show(self, mood: "Mood", t_s: float) -> None:
        """Show *mood*; see `edge.outputs.Output`."""
        bright = intensity(mood, t_s)
        self._dimmer.fade([bright if name == mood.shown else 0.0 for name in self._names], t_s)

    def close(self) -> None:
        """Put the lights out and release their pins."""
        self._dimmer.close()


class RecordingLight:
    """An LED that is on exactly while at least one sensor is open; any thread may call it."""

    def __init__(self, gpio: Gpio | None, pin: int | None) -> None:
        """Set the pin up, dark.

        Args:
            gpio: from `edge.hardware.gpio.open_gpio`; None is allowed where *pin* is None.
            pin: BCM number, or None where there is no such LED: then nothing is ever done.

        Raises:
            OutputError: the pin cannot be had.
        """
        self._gpio = gpio
        self._pin = pin if gpio is not None else None
        self._open: set[str] = set()
        self._lock = threading.Lock()
        if gpio is not None and pin is not None:
            with gpio_troubles("The recording light"):
                gpio.setup(pin, gpio.OUT, initial=gpio.LOW)

    @property
    def on(self) -> bool:
        """Whether it is lit, or would be if there was one."""
        with self._lock:
            return bool(self._open)

    def sensor_opened(self, name: str) -> None:
        """Call it just before sensor *name* is opened, so that no picture goes unannounced.

        Raises:
            OutputError: the light cannot be switched.
        """
        with self._lock:
            self._open.add(name)
            self._switch()

    def sensor_closed(self, name: str) -> None:
        """Call it when sensor *name* is closed, or could not be opened.

        Raises:
            OutputError: the light cannot be switched.
        """
        with self._lock:
            self._open.discard(name)
            self._switch()

    def _switch(self) -> None:
        if self._gpio is None or self._pin is None:
            return
        with gpio_troubles("The recording light"):
            self._gpio.output(self._pin, self._gpio.HIGH if self._open else self._gpio.LOW)

    def close(self) -> None:
        """Put the light out and release its pin."""
        with self._lock:
            self._open.clear()
            if self._gpio is not None and self._pin is not None:
                all_off(self._gpio, [], [self._pin])
            self._pin = None


class DarkLight:
    """The recording LED while a clip is watched: dark throughout, as no sensor is open."""

    def __init__(self, light: RecordingLight) -> None:
        """Keep *light* dark."""
        self._light = light

    def sensor_opened(self, name: str) -> None:
        """Nothing that could watch anybody is opened."""

    def sensor_closed(self, name: str) -> None:
        """Nothing was."""

    def close(self) -> None:
        """Release the pin."""
        self._light.close()


ADAPTER = OutputAdapter(LedSettings, make)
