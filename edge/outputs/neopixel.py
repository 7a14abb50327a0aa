"""WS281x LEDs ("NeoPixels"): a strip, ring or single pixel that takes the colour of the mood.

They hang on one data wire, on which every bit is a pulse: a short one is 0, a long one is 1. Two ways
of making such pulses are known here. SPI sends each bit as a byte whose ones are the pulse: that works
on every board with SPI, without root. rpi-ws281x lets a Raspberry Pi up to 4 make them by PWM or PCM and
DMA: on other pins, as root.
"""

import atexit
import contextlib
import importlib
import importlib.util
import math
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from edge.config.fields import PinClaim, Section, setting
from edge.errors import OutputError
from edge.hardware.host import Host
from edge.outputs import Maker, OutputAdapter
from edge.outputs.leds import duty_cycle, intensity
from edge.process.pip_command import pip_install

if TYPE_CHECKING:
    from edge.messages import DisplayLevel, Mood

Rgb = tuple[int, int, int]
"""Red, green and blue, 0-255 each, as bright as the LEDs are to be driven."""
Order = Literal["RGB", "RBG", "GRB", "GBR", "BRG", "BGR"]

SPI_HZ: Final = 6_400_000
"""A bit of SPI lasts 156 ns then, eight of them 1.25 us, which is what a bit of a pixel takes."""
_ZERO, _ONE = 0b11000000, 0b11111000
"""Pulses of 312 and 781 ns: inside the WS2812B's 250-550 and 650-950, also where a board's divider makes
it 6.25 MHz. Later chips take no more than 380 ns for a 0: three bits at 2.4 MHz would be too long."""
_RESET: Final = bytes(256)
"""320 us of silence: older chips show what they got after 50 us, newer ones after 280."""
_BYTES: Final = [
    bytes(_ONE if value >> bit & 1 else _ZERO for bit in range(7, -1, -1)) for value in range(256)
]
"""The eight bytes of SPI for each byte of a colour."""

_PWM_PINS: Final = (12, 13, 18, 19)
_PCM_PIN: Final = 21
_REFRESH_S: Final = 5.0
"""Pixels that lost their supply for a moment get their colour again after this time."""
_DIMMED: Final = 0.25
"""How bright they look while resting, as a part of the usual."""
_AS_ROOT: Final = (
    'run Mien as root, or wire the pixels to GPIO 10 and set [neopixel] backend to "spi"'
)
_BUFFER_FILE: Final = Path("/sys/module/spidev/parameters/bufsiz")
_USUAL_BUFFER: Final = 4096


class NeopixelSettings(Section):
    """WS281x LEDs ("NeoPixels") on one data wire, in the colour of the mood."""

    enabled: bool = setting(False, "Whether there are any.")
    backend: Literal["spi", "ws281x"] = setting(
        "spi",
        '"spi" works on every board, on the data wire of its SPI bus (GPIO 10), without root; '
        '"ws281x" takes another pin of a Raspberry Pi up to 4, and has to run as root.',
    )
    count: int = setting(8, "How many pixels there are.", ge=1, le=1024)
    pin: Literal[12, 13, 18, 19, 21] = setting(
        18, 'GPIO (BCM number) of the data wire with "ws281x": by PWM, 21 by PCM.'
    )
    spi_port: int = setting(0, 'Number of the SPI bus with "spi": 0 is /dev/spidev0.*.', ge=0, le=9)
    spi_device: int = setting(0, "Chip select on that bus; its wire stays free.", ge=0, le=1)
    order: Order = setting("GRB", "In which order the pixels take their colours.")
    brightness: float = setting(
        0.3, "Of the pixels at their brightest, 0 to 1: a pixel takes up to 60 mA at 1.", ge=0, le=1
    )
    fade_s: float = setting(
        0.4, "Time constant of fading from one colour to the next, in seconds.", ge=0.05, le=5
    )

    def pin_claims(self) -> list[PinClaim]:
        """The data wire; on SPI the other wires of the bus as well, which it moves."""
        if not self.enabled:
            return []
        if self.backend == "ws281x":
            return [("pin", "[neopixel] pin", self.pin)]
        name = "the SPI bus of the NeoPixels"
        bus = (9, 10, 11, 8 - self.spi_device) if self.spi_port == 0 else ()
        return [("spi_port", name, claimed) for claimed in (*bus, f"SPI bus {self.spi_port}")]


def make(settings: NeopixelSettings, host: Host) -> list[Maker]:
    """The pixels, if there are any."""

    def neopixels() -> NeoPixels:
        strip = open_strip(settings)
        return NeoPixels(strip, brightness=settings.brightness, fade_s=settings.fade_s)

    return [neopixels] if settings.enabled else []


def open_strip(settings: NeopixelSettings) -> "Strip":
    """Open the way to the pixels.

    Raises:
        OutputError: a library is missing, or they cannot be reached.
    """
    if settings.backend == "spi":
        return SpiStrip(settings.count, settings.order, settings.spi_port, settings.spi_device)
    return Ws281xStrip(settings.count, settings.order, settings.pin)


class Strip(Protocol):
    """Pixels on a wire."""

    count: int

    def send(self, colors: Sequence[Rgb]) -> None:
        """Show one colour on each pixel.

        Raises:
            OutputError: the way to them is gone.
        """

    def close(self) -> None:
        """Let go; the pixels keep what they show."""


class NeoPixels:
    """Every pixel in the colour of the mood, which fades, breathes while nobody is there, and rests."""

    interval_s = 1 / 30

    def __init__(self, strip: Strip, *, brightness: float = 0.3, fade_s: float = 0.4) -> None:
        """Take over *strip*, dark.

        Args:
            strip: the pixels.
            brightness: of a pixel at its brightest, 0-1, as a part of its current.
            fade_s: time constant of fading, in seconds.

        Raises:
            OutputError: it cannot be written to.
        """
        self.name = "NeoPixels"
        self._strip, self._brightness, self._fade_s = strip, brightness, fade_s
        self._level: DisplayLevel = "awake"
        self._looks = (0.0, 0.0, 0.0)
        """How bright red, green and blue look just now, 0-1."""
        self._t_s: float | None = None
        self._sent: Rgb | None = None
        self._sent_s = -math.inf
        self._closed = False
        try:
            self._send((0, 0, 0), -math.inf)
        except OutputError:
            strip.close()
            raise

    def show(self, mood: "Mood", t_s: float) -> None:
        """Show *mood*; see `edge.outputs.Output`."""
        from edge.face.pose import SHOWN_COLORS

        bright = intensity(mood, t_s) * (_DIMMED if self._level == "dim" else 1.0)
        dt_s = 0.0 if self._t_s is None else max(t_s - self._t_s, 0.0)
        self._t_s = t_s
        step = 1 - math.exp(-dt_s / self._fade_s)
        red, green, blue = (
            look + step * (bright * part / 255 - look)
            for look, part in zip(self._looks, SHOWN_COLORS[mood.shown], strict=True)
        )
        self._looks = (red, green, blue)
        color = driven(self._looks, self._brightness)
        if color != self._sent or t_s - self._sent_s >= _REFRESH_S:
            self._send(color, t_s)

    def rest(self, level: "DisplayLevel") -> None:
        """Glow more faintly while dim, go out while asleep.

        Raises:
            OutputError: the pixels cannot be written to.
        """
        self._level = level
        if level == "asleep":
            self._looks, self._t_s = (0.0, 0.0, 0.0), None
            self._send((0, 0, 0), -math.inf)

    def close(self) -> None:
        """Put the pixels out and let go; errors are left aside, they may be unplugged."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OutputError):
            self._send((0, 0, 0), -math.inf)
        self._strip.close()

    def _send(self, color: Rgb, t_s: float) -> None:
        self._strip.send([color] * self._strip.count)
        self._sent, self._sent_s = color, t_s


def driven(looks: tuple[float, float, float], brightness: float) -> Rgb:
    """How to drive a pixel that is to look *looks* bright, 0-1 each.

    What is lit at all stays lit: the brightest colour never falls below the least step.
    """
    scale = 255 * brightness / 100
    red, green, blue = (round(scale * duty_cycle(look)) for look in looks)
    if brightness and max(looks) > 0.05 and not max(red, green, blue):
        red, green, blue = (int(look == max(looks)) for look in looks)
    return red, green, blue


def encode(colors: Sequence[Rgb], order: Order = "GRB") -> bytes:
    """What to send by SPI at `SPI_HZ` to show *colors*, the pixel next to the board first."""
    places = ["RGB".index(letter) for letter in order]
    pulses = b"".join(_BYTES[color[place]] for color in colors for place in places)
    return b"\0" + pulses + _RESET  # the wire may be high before the first byte


class SpiStrip:
    """Pixels on the data wire (MOSI) of an SPI bus."""

    def __init__(self, count: int, order: Order = "GRB", port: int = 0, device: int = 0) -> None:
        """Open the bus.

        Args:
            count: how many pixels, 1 or more.
            order: in which they take their colours.
            port: number of the SPI bus.
            device: its chip select, whose wire stays free.

        Raises:
            OutputError: there is no such bus, it may not be used, or it takes too few bytes.
        """
        self.count, self._order = count, order
        self._node = f"/dev/spidev{port}.{device}"
        problem = buffer_problem(count)
        if problem:
            raise OutputError(f"The NeoPixels cannot be used: {problem}.")
        try:
            spidev = importlib.import_module("spidev")
        except ImportError as error:
            raise OutputError(
                "The library spidev, which the NeoPixels need, is missing: install it with "
                f"`{pip_install('spidev')}`."
            ) from error
        self._spi: Any = spidev.SpiDev()
        with self._troubles():
            self._spi.open(port, device)
            self._spi.max_speed_hz = SPI_HZ
            self._spi.mode = 0

    def send(self, colors: Sequence[Rgb]) -> None:
        """Show *colors*; see `Strip`."""
        with self._troubles():
            self._spi.writebytes2(encode(colors, self._order))

    def close(self) -> None:
        """Close the bus."""
        with contextlib.suppress(OSError):
            self._spi.close()

    @contextlib.contextmanager
    def _troubles(self) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            raise OutputError(
                f"The NeoPixels may not use {self._node}: join the group spi with sudo usermod -aG "
                "spi $USER, then log in again."
            ) from error
        except FileNotFoundError as error:
            raise OutputError(
                f"The NeoPixels need {self._node}, which is not there: switch SPI on with sudo "
                "raspi-config nonint do_spi 0, on a Jetson with jetson-io, then restart."
            ) from error
        except OSError as error:
            raise OutputError(
                f"The NeoPixels cannot be reached by {self._node} ({error.strerror or error}): check "
                "that nothing else uses it."
            ) from error


class Ws281xStrip:
    """Pixels on a pin of a Raspberry Pi up to 4, by rpi-ws281x."""

    def __init__(self, count: int, order: Order = "GRB", pin: int = 18) -> None:
        """Start the DMA.

        Args:
            count: how many pixels, 1 or more.
            order: in which they take their colours.
            pin: BCM number, one of 12, 13, 18, 19 (PWM) and 21 (PCM).

        Raises:
            OutputError: the library is missing, or it cannot use this board or pin.
        """
        self.count = count
        try:
            library: Any = importlib.import_module("rpi_ws281x")
        except ImportError as error:
            raise OutputError(
                "The library rpi-ws281x, which the NeoPixels need, is missing: install it with "
                f'`{pip_install("rpi-ws281x")}`, or set [neopixel] backend to "spi".'
            ) from error
        self._strip: Any = library.PixelStrip(
            count,
            pin,
            channel=1 if pin in (13, 19) else 0,
            strip_type=getattr(library.ws, f"WS2811_STRIP_{order}"),
        )
        try:
            with _library_troubles(pin):
                self._strip.begin()
        except OutputError:
            self.close()
            raise
        self._pin = pin

    def send(self, colors: Sequence[Rgb]) -> None:
        """Show *colors*; see `Strip`."""
        with _library_troubles(self._pin):
            for number, (red, green, blue) in enumerate(colors):
                self._strip.setPixelColor(number, red << 16 | green << 8 | blue)
            self._strip.show()

    def close(self) -> None:
        """Free the DMA, which the library does only at the end of the process."""
        atexit.unregister(self._strip._cleanup)
        self._strip._cleanup()


@contextlib.contextmanager
def _library_troubles(pin: int) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        code = re.search(r"code (-\d+)", str(error))
        remedy = {
            "-3": 'this board is none that it knows: set [neopixel] backend to "spi"',
            "-4": _AS_ROOT,
            "-5": _AS_ROOT,
            "-6": _AS_ROOT,
            "-9": _AS_ROOT,
            "-11": "set [neopixel] pin to 12, 13, 18, 19 or 21",
        }.get(code[1] if code else "", "see that nothing else uses PWM or DMA, sound included")
        raise OutputError(f"rpi-ws281x cannot use GPIO {pin} ({error}): {remedy}.") from error


def buffer_problem(count: int, file: Path = _BUFFER_FILE) -> str:
    """What is wrong with sending *count* pixels at once, and the fix; "" if nothing is.

    What is sent in two pieces has a pause between them, which pixels take for the end.
    """
    try:
        room = int(file.read_text())
    except (OSError, ValueError):
        room = _USUAL_BUFFER
    needed = len(encode([(0, 0, 0)] * count))
    if needed <= room:
        return ""
    return (
        f"{count} of them need {needed} bytes at once and SPI takes {room}: add spidev.bufsiz="
        f"{max(65536, needed)} to the kernel's command line (/boot/firmware/cmdline.txt) and restart"
    )


def check(settings: NeopixelSettings, host: Host) -> Iterator[str]:
    """What is missing for the pixels; see `OutputAdapter.check`."""
    if not settings.enabled:
        return
    library = "spidev" if settings.backend == "spi" else "rpi_ws281x"
    if importlib.util.find_spec(library) is None:
        package = library.replace("_", "-")
        yield f"the library {package} is not installed; {pip_install(package)}"
    if settings.backend == "spi":
        node = f"/dev/spidev{settings.spi_port}.{settings.spi_device}"
        if not os.path.exists(node):
            yield f"{node} is not there; sudo raspi-config nonint do_spi 0, then restart"
        elif not os.access(node, os.R_OK | os.W_OK):
            yield f"{node} may not be opened by you; sudo usermod -aG spi $USER, then log in again"
        problem, _, fix = buffer_problem(settings.count).partition(": ")
        if problem:
            yield f"{problem}; {fix}"
        return
    if not re.search(r"Raspberry Pi (?!5|Compute Module 5|500)", host.board):
        yield f'rpi-ws281x does not know {host.board or "this machine"}; set [neopixel] backend to "spi"'
    if os.geteuid():
        yield f"rpi-ws281x needs root; {_AS_ROOT}"


ADAPTER = OutputAdapter(NeopixelSettings, make, check)
