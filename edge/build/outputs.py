"""Makes displays, lights and event channels from the settings."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edge.config.schema import Settings
from edge.errors import MienError, OutputError
from edge.hardware.board import board_name
from edge.hardware.gpio import Gpio, open_gpio
from edge.outputs import Output
from edge.process.systemd import under_systemd
from edge.runtime.appliance import Light


class BoardPins:
    """Opens the GPIO library once, and only if something is wired to it."""

    def __init__(self, settings: Settings) -> None:
        self._leds = settings.leds
        self._gpio: Gpio | None = None
        self._opening = threading.Lock()

    @property
    def wanted(self) -> bool:
        """There are lights: always when a backend is named, on "auto" only on a known board."""
        return self._leds.backend != "none" and (self._leds.backend != "auto" or bool(board_name()))

    def gpio(self) -> Gpio:
        """The library, opened.

        Raises:
            OutputError: it is missing or has no access to the pins.
        """
        with self._opening:  # outputs are opened on threads of their own
            if self._gpio is None:
                backend = self._leds.backend
                self._gpio = open_gpio("auto" if backend == "none" else backend)
            return self._gpio

    def recording_light(self) -> Light:
        """The light that is on while a sensor is open; none where there are no pins."""
        from edge.outputs.leds import RecordingLight

        pin = self._leds.recording_pin
        if not self.wanted or not isinstance(pin, int):
            return RecordingLight(None, None)
        return RecordingLight(self.gpio(), pin)

    def rgb_led(self) -> Output:
        """The RGB LED."""
        from edge.outputs.leds import RgbLed

        leds = self._leds
        assert leds.rgb_pins is not None
        red, green, blue = leds.rgb_pins
        return RgbLed(
            gpio=self.gpio(),
            red=red,
            green=green,
            blue=blue,
            common_anode=leds.common_anode,
            brightness=leds.brightness,
        )

    def emotion_leds(self) -> Output:
        """One LED for each emotion that has a pin."""
        from edge.outputs.leds import EmotionLeds

        pins = {str(emotion): pin for emotion, pin in self._leds.emotion_pins.items()}
        return EmotionLeds(gpio=self.gpio(), pins=pins)


def output_makers(settings: Settings, pins: BoardPins) -> list[Callable[[], Output]]:
    """One maker for each output that is wanted; calling it opens the device."""
    makers: list[Callable[[], Output]] = []
    if _display_wanted(settings):
        makers.append(lambda: open_display(settings, pins))
    if pins.wanted and settings.leds.rgb_pins is not None:
        makers.append(pins.rgb_led)
    if pins.wanted and settings.leds.emotion_pins:
        makers.append(pins.emotion_leds)
    events = settings.events
    if events.to:
        makers.append(lambda: _open_events(events.to, events.interval_s))
    return makers


def has_terminal() -> bool:
    """There is a standard error to write to; `2>&-` and some launchers leave none."""
    return sys.stderr is not None and not sys.stderr.closed


def _display_wanted(settings: Settings) -> bool:
    """A display is asked for, and it is not a preview with nowhere to go."""
    kind = settings.display.kind
    if kind == "none" or has_terminal():
        return kind != "none"
    return kind != "terminal" and (kind != "auto" or _oled_possible(settings))


def _oled_possible(settings: Settings) -> bool:
    display = settings.display
    return display.interface == "spi" or Path(f"/dev/i2c-{display.i2c_port}").exists()


def open_display(settings: Settings, pins: BoardPins) -> Output:
    """Open the display that the settings name; "auto" takes an OLED that answers, else the terminal.

    A service has no terminal: there "auto" waits for the OLED.

    Raises:
        OutputError: it cannot be opened; says what to do.
    """
    display = settings.display
    if display.kind == "oled" or (display.kind == "auto" and under_systemd()):
        return open_oled(settings, pins)
    if display.kind == "auto":
        with suppress(MienError):
            if _oled_possible(settings):
                return open_oled(settings, pins)
    if display.kind in ("auto", "terminal"):
        from edge.outputs.terminal import Preview

        if not has_terminal():
            raise OutputError(
                "No display answers, and the preview has no standard error to draw on: "
                "leave the standard error open, or choose --display none."
            )
        return Preview(sys.stderr)
    if display.kind == "window":
        from edge.outputs.oled import Oled

        _check_desktop()
        return Oled(
            device="window",
            width_px=display.width_px or None,
            height_px=display.height_px or None,
            rotate=display.rotate,
            fps=display.rate_hz,
        )
    from edge.outputs.image_file import Picture

    return Picture(display.file, size=(display.width_px or 128, display.height_px or 64))


def _check_desktop() -> None:
    """Refuse a window where SDL would open one that nobody can see."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in names):
        raise OutputError(
            "There is no desktop to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set): "
            "start Mien from a desktop session, or choose --display terminal."
        )


def open_oled(settings: Settings, pins: BoardPins) -> Output:
    """Open the OLED that the settings describe, whatever kind of display they ask for.

    Raises:
        OutputError: it cannot be opened; says what to do.
    """
    from edge.outputs.oled import Oled

    display = settings.display
    spi = display.interface == "spi"
    return Oled(
        device=display.driver,
        interface=display.interface,
        port=display.spi_port if spi else display.i2c_port,
        address=display.i2c_address,
        spi_device=display.spi_device,
        gpio_dc=display.gpio_dc,
        gpio_rst=display.gpio_rst,
        width_px=display.width_px or None,
        height_px=display.height_px or None,
        rotate=display.rotate,
        contrast=display.contrast,
        fps=display.rate_hz,
        gpio=pins.gpio() if spi else None,
    )


def _open_events(to: str, interval_s: float) -> Output:
    from edge.outputs.events import Events

    return Events(to, interval_s=interval_s)
