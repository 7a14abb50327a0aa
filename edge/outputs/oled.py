"""The face on a display that luma drives: an OLED on I2C or SPI, or an emulated one."""

import atexit
import contextlib
import difflib
import os
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal

from PIL import Image

from edge.errors import OutputError
from edge.face.animation import Animator
from edge.face.canvas import Mode
from edge.face.draw import draw
from edge.messages import DisplayLevel, Mood
from edge.outputs.display_chips import CHIPS
from edge.outputs.oled_errors import display_troubles
from edge.outputs.oled_packing import Sender
from edge.outputs.oled_search import Place
from edge.outputs.repeated_transfers import Repeating
from edge.outputs.supply_watch import SupplyWatch
from edge.outputs.x_server import SERVER
from edge.process.pip_command import pip_install

Interface = Literal["i2c", "spi"]

EMULATORS: Final = {"window": "pygame", "pygame": "pygame", "gifanim": "gifanim",
                    "capture": "capture"}  # fmt: skip
"""Names for emulated displays, and luma.emulator's names for them."""

_UNSEEN: Final = ("offscreen", "dummy")
"""What SDL falls back to by itself where there is no desktop."""
_PARALLEL: Final = ("ws0010", "winstar_weh")
"""Displays of luma.oled that have neither I2C nor SPI."""
_USUAL_CONTRAST: Final = 0xCF
"""What luma sets the SSD1306 to."""
_DIM_CONTRAST: Final = 0x04
"""Still visible in a lit room, and a fraction of the wear."""
_SET_ROW_OFFSET: Final = 0xD3
"""The command for it, on every mono chip that can shift its panel."""


class Oled:
    """Draws the animated face on a display, and sends it only when its pixels have changed."""

    def __init__(
        self,
        *,
        device: str = "ssd1306",
        interface: Interface = "i2c",
        port: int | None = None,
        address: int = 0x3C,
        spi_device: int = 0,
        gpio_dc: int = 24,
        gpio_rst: int | None = 25,
        bus_speed_hz: int = 8_000_000,
        width_px: int | None = None,
        height_px: int | None = None,
        column_offset: int | None = None,
        row_offset: int | None = None,
        rotate: int = 0,
        contrast: int | None = None,
        fps: float = 12.0,
        seed: int = 0,
        serial: Any = None,
        gpio: Any = None,
        options: dict[str, Any] | None = None,
        drawn_as: Mode | None = None,
        place: Place | None = None,
        taken: str = "",
    ) -> None:
        """Open the display and clear it.

        Args:
            device: luma.oled's name of the chip (ssd1306, sh1106, ssd1351 ...), or "window",
                "gifanim" or "capture" for an emulated display.
            interface: how the display is wired.
            port: number of the I2C bus (1 when None) or of the SPI bus (0 when None).
            address: I2C address, 0x3C or 0x3D on most displays.
            spi_device: chip select of the SPI bus, 0 or 1.
            gpio_dc: BCM number of the data/command pin (SPI).
            gpio_rst: BCM number of the reset pin (SPI), None where it is not wired.
            bus_speed_hz: SPI clock.
            width_px: width of the panel where it is not the chip's usual one.
            height_px: height of the panel, likewise.
            column_offset: column of the chip's memory that the panel begins with, None for the usual.
            row_offset: rows by which the panel is shifted in the chip's memory, likewise.
            rotate: quarter turns clockwise, 0 to 3.
            contrast: 0-255, None for the chip's usual one.
            fps: how many pictures a second are drawn at most.
            seed: of the animation's blinks and glances.
            serial: an open serial interface of luma to use in place of the bus.
            gpio: an object with the RPi.GPIO API for the pins of SPI; luma's own when None.
            options: further arguments for the device's constructor in luma, such as
                `bgr` (ssd1351) or `filename` (gifanim).
            drawn_as: the mode of the display that an emulated one stands for; its own when None.
            place: where on I2C it was found.
            taken: what to tell a person of that; see `edge.outputs.FindsItself`.

        Raises:
            OutputError: there is no such device, or it cannot be opened.
        """
        self.name = f"display {device}"
        self.interval_s = 1 / fps
        self.place, self.taken = place, taken
        self._animator = Animator(seed)
        self._shown: bytes | None = None
        self._closed = False
        self._contrast = _USUAL_CONTRAST if contrast is None else contrast
        self._asleep = False
        self._release: Callable[[], None] = lambda: None
        self._bus: Any = None
        where = f"bus {port if port is not None else 1}, address {address:#04x}"
        self._where = where if interface == "i2c" else "SPI"
        arguments: dict[str, Any] = {"rotate": rotate, **(options or {})}
        if width_px is not None:
            arguments["width"] = width_px
        if height_px is not None:
            arguments["height"] = height_px
        if device in EMULATORS:
            windowed = EMULATORS[device] == "pygame"
            if windowed and SERVER.ended:
                raise OutputError(
                    f"The X server of the {self.name} has ended: start Mien again to have a new "
                    "window."
                )
            self._device, self._mode = _open_emulator(device, arguments)
            self._mode = drawn_as or self._mode
            if windowed:
                _check_window(self._device._pygame.display)
        else:
            model, self._mode = _model(device)
            if interface == "i2c" and self._mode == "RGB":
                raise OutputError(
                    f"The display {device} has no I2C: wire it to SPI and set its interface to spi."
                )
            with self._troubles():
                bus = serial or _open_bus(
                    interface, port, address, spi_device, gpio_dc, gpio_rst, bus_speed_hz, gpio
                )
                if interface == "spi" and gpio is not None and serial is None:
                    pins = [pin for pin in (gpio_dc, gpio_rst) if pin is not None]
                    self._release = partial(gpio.cleanup, pins)  # luma leaves them to us
                if interface == "i2c":
                    bus = Repeating(bus, fill=self._mode == "1")
                self._bus = bus
                arguments |= _place_in_memory(device, column_offset, row_offset)
                try:
                    self._device = model(bus, **arguments)
                    _shift(self._device, device, column_offset, row_offset)
                except BaseException:
                    with contextlib.suppress(Exception):
                        bus.cleanup()
                        self._release()
                    raise
                finally:
                    _forget_exit_hooks()
        self._sender = Sender(self._device, column_offset or 0)
        try:
            with self._troubles():
                self._supply = _supply_watch(self._bus) if self._mode == "1" else None
                if contrast is not None:
                    self._device.contrast(contrast)
        except OutputError:
            self.close()
            raise

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures in pixels, after rotation."""
        width, height = self._device.size
        return width, height

    def show(self, mood: Mood, t_s: float) -> None:
        """Show *mood*; see `edge.outputs.Output`."""
        with self._troubles():
            off = self._supply is not None and not self._asleep and self._supply.lost(t_s)
        if off:
            raise OutputError(
                f"The {self.name} has gone off by itself and is set up anew: see that its power (VCC, "
                "GND) sits firmly."
            )
        self.show_picture(draw(self._animator.pose(mood, t_s), self.size, self._mode))

    @property
    def mode(self) -> Mode:
        """What the display shows: "1" mono, "L" greys, "RGB" colours."""
        return self._mode

    @property
    def repeated(self) -> int:
        """How many transfers had to be repeated since it was opened."""
        return self._bus.repeated if isinstance(self._bus, Repeating) else 0

    def show_picture(self, picture: Image.Image) -> None:
        """Bring *picture*, of `size` and in `mode`, onto the display.

        Raises:
            OutputError: as `show`.
        """
        pixels = picture.tobytes()
        if self._shown == pixels:
            return
        self._shown = None
        if picture.mode != self._device.mode:
            picture = picture.convert(self._device.mode)
        with self._troubles():
            self._sender.send(picture)
        self._shown = pixels

    def rest(self, level: DisplayLevel) -> None:
        """Dim, sleep (the panel is off and keeps its picture), or wake.

        Raises:
            OutputError: the display is gone and has to be reopened.
        """
        with self._troubles():
            if level == "asleep":
                self._device.hide()
            else:
                if self._asleep:
                    self._device.show()
                self._device.contrast(_DIM_CONTRAST if level == "dim" else self._contrast)
        self._asleep = level == "asleep"

    def close(self) -> None:
        """Clear the display and switch it off; errors are left aside, it may be unplugged."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(Exception, SystemExit):
            if hasattr(self._device, "write_animation"):
                atexit.unregister(self._device.write_animation)
                self._device.write_animation()
        try:
            self._device.cleanup()
        except (Exception, SystemExit):
            # luma has not come to letting go of the bus: the display did not answer before.
            with contextlib.suppress(Exception):
                self._bus.cleanup()
        with contextlib.suppress(Exception):
            self._release()
        if hasattr(self._device, "_pygame"):
            with contextlib.suppress(Exception):
                self._device._pygame.display.quit()

    def _troubles(self) -> contextlib.AbstractContextManager[None]:
        return display_troubles(self.name, self._where)


def _model(name: str) -> tuple[Any, Mode]:
    """The class of luma.oled called *name*, and the mode to draw in for it."""
    try:
        from luma.oled import device as oled
        from luma.oled.device.color import color_device
        from luma.oled.device.greyscale import greyscale_device
    except ImportError as error:
        raise OutputError(
            f"The display library luma.oled is missing: install it with `{pip_install('luma.oled')}`."
        ) from error
    known = [chip for chip in oled.__all__ if chip not in _PARALLEL]
    if name not in known:
        near = difflib.get_close_matches(name, [*known, *EMULATORS], n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
        raise OutputError(f'There is no display called "{name}". {hint}')
    model = getattr(oled, name)
    if issubclass(model, color_device):
        return model, "RGB"
    return model, "L" if issubclass(model, greyscale_device) else "1"


def _supply_watch(bus: Any) -> SupplyWatch | None:
    """What reads the status, where luma has opened the I2C bus itself."""
    serial: Any = bus.serial if isinstance(bus, Repeating) else None
    if not isinstance(getattr(serial, "_addr", None), int) or not hasattr(serial._bus, "read_byte"):
        return None
    return SupplyWatch(lambda: int(serial._bus.read_byte(serial._addr)))


def _place_in_memory(device: str, column: int | None, row: int | None) -> dict[str, int]:
    """Arguments of luma's constructors that say where in the memory the panel lies."""
    if device == "sh1106" and column is not None:
        return {"page_address_offset": column}
    if device == "ssd1351":
        return {"h_offset": column or 0, "v_offset": row or 0}
    return {}


def _shift(device: Any, name: str, column: int | None, row: int | None) -> None:
    """What luma's constructors have no arguments for; they have set the chip up by now.

    Raises:
        OutputError: the panel would lie beside the memory.
    """
    chip = CHIPS.get(name)
    if chip is None or chip.memory_px is None or chip.mode != "1":
        return
    columns = chip.memory_px[0]
    if column is not None and column + device._w > columns:
        raise OutputError(
            f"The display {name} has a memory of {columns} columns: [display] column_offset is "
            f"{columns - device._w} at most."
        )
    if column is not None and hasattr(device, "_colstart"):
        device._colstart, device._colend = column, column + device._w
    if row is not None:
        device.command(_SET_ROW_OFFSET, row)
    if columns > device._w and hasattr(device, "_page_address_offset"):
        # Noise in the columns that luma leaves out would be seen where the offset is not the usual one.
        for page in range(device._pages):
            device.command(0xB0 + page, 0x00, 0x10)
            device.data([0] * columns)


def _open_bus(
    interface: Interface,
    port: int | None,
    address: int,
    spi_device: int,
    gpio_dc: int,
    gpio_rst: int | None,
    bus_speed_hz: int,
    gpio: Any,
) -> Any:
    from luma.core.interface import serial

    if interface == "i2c":
        return serial.i2c(port=1 if port is None else port, address=address)
    return serial.spi(
        gpio=gpio,
        port=port or 0,
        device=spi_device,
        gpio_DC=gpio_dc,
        gpio_RST=gpio_rst,
        bus_speed_hz=bus_speed_hz,
    )


def _open_emulator(name: str, arguments: dict[str, Any]) -> tuple[Any, Mode]:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # it would go to stdout
    missing = f"A window needs luma.emulator: install it with `{pip_install('luma.emulator')}`."
    try:
        from luma.emulator import device as emulator
    except ImportError as error:
        raise OutputError(missing) from error
    arguments = {"mode": "1", "transform": "identity", "scale": 4, **arguments}
    try:
        opened = getattr(emulator, EMULATORS[name])(**arguments)
    except RuntimeError as error:  # luma's way of saying that pygame is missing, and pygame's own
        if "pygame to be installed" in str(error):
            raise OutputError(missing) from error
        raise OutputError(f"The display {name} cannot be opened: {error}.") from error
    except (AssertionError, AttributeError, TypeError) as error:
        raise OutputError(f"The display {name} was given wrong options: {error}.") from error
    return opened, "1" if opened.mode == "1" else "RGB"


def _check_window(display: Any) -> None:
    """Survive the end of the server that the window is on, and refuse one that nobody can see."""
    if display.get_driver() in _UNSEEN and not os.environ.get("SDL_VIDEODRIVER"):
        display.quit()
        raise OutputError(
            "There is no desktop to open a window on (DISPLAY or WAYLAND_DISPLAY names one that does "
            "not answer): start Mien from a desktop session, or choose --display terminal."
        )
    if display.get_driver() == "x11":
        SERVER.watch()


class _LumaHook:
    """Equal to the function that every device of luma registers to be called at exit."""

    def __eq__(self, other: object) -> bool:
        return getattr(other, "__module__", "") == "luma.core.device"

    __hash__ = None  # type: ignore[assignment]


def _forget_exit_hooks() -> None:
    """Keep luma from collecting devices for the end of the process.

    It holds on to each one that was ever made, also in vain: looking for an unplugged display every
    few seconds would fill the memory within days. `Oled.close` switches the display off by itself.
    """
    atexit.unregister(_LumaHook())  # type: ignore[arg-type]
