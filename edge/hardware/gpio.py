"""Pins through the RPi.GPIO API: the board's own library, or a mock that keeps its rules.

Raspberry Pi <= 4 has RPi.GPIO, the Pi 5 and current kernels have rpi-lgpio under the same name,
Jetsons have Jetson.GPIO with the same functions. Channels are BCM numbers everywhere.
"""

import contextlib
import importlib
import os
from collections.abc import Iterator
from typing import Final, Literal, Protocol, cast

from edge.errors import OutputError
from edge.hardware.board import board_name
from edge.process.pip_command import pip, pip_install

Backend = Literal["auto", "rpi", "jetson", "mock"]

_LGPIO_PIPE: Final = ".lgd-nfy"
"""lgpio makes pipes of that name as it is imported, and complains of a name that makes no sense when
their folder is full or read-only. A later import tries again."""

_UNKNOWN_CHIP: Final = "peripheral base address"
"""Words of RPi.GPIO on a Pi 5, mostly at the first use of a pin: it can be imported there."""
_REPLACE_IT: Final = (
    f"replace RPi.GPIO by rpi-lgpio ({pip()} uninstall -y RPi.GPIO; {pip_install('rpi-lgpio')})"
)


class Pwm(Protocol):
    """A channel that is switched on and off so fast that it looks dimmed."""

    def start(self, dutycycle: float) -> None:
        """Begin with *dutycycle* percent of the time on, 0-100."""

    def ChangeDutyCycle(self, dutycycle: float) -> None:  # noqa: N802 - RPi.GPIO's name
        """Go on with *dutycycle* percent, 0-100."""

    def stop(self) -> None:
        """End, with the channel low."""


class Gpio(Protocol):
    """The part of the RPi.GPIO module that Mien uses."""

    BCM: int
    OUT: int
    IN: int
    HIGH: int
    LOW: int

    def setmode(self, mode: int) -> None:
        """Choose how channels are numbered."""

    def setwarnings(self, flag: bool) -> None:
        """Say whether channels in use are warned of."""

    def setup(self, channel: int, direction: int, *, initial: int = ...) -> None:
        """Make *channel* an input or an output."""

    def output(self, channel: int, value: int) -> None:
        """Set an output high or low."""

    def cleanup(self, channel: list[int]) -> None:
        """Make the channels inputs again."""

    def PWM(self, channel: int, frequency: float) -> Pwm:  # noqa: N802 - RPi.GPIO's name
        """Dim an output."""


def open_gpio(backend: Backend = "auto", board: str | None = None) -> Gpio:
    """The GPIO library of this board, set to BCM numbers.

    Args:
        backend: "rpi" for RPi.GPIO or rpi-lgpio, "jetson" for Jetson.GPIO, "mock" for a
            `MockGpio`; "auto" chooses by *board*, the mock on everything else.
        board: the model as its device tree names it; None asks this machine.

    Raises:
        OutputError: the library is missing, or has no access to the pins.
    """
    if backend == "auto":
        model = (board_name() if board is None else board).lower()
        backend = "rpi" if "raspberry pi" in model else "jetson" if _is_jetson(model) else "mock"
    if backend == "mock":
        from edge.hardware.gpio_mock import MockGpio

        gpio: Gpio = MockGpio()
    else:
        gpio = _library(backend)
    with gpio_troubles("The GPIO library"):
        gpio.setmode(gpio.BCM)
        gpio.setwarnings(False)
    return gpio


def _is_jetson(model: str) -> bool:
    return "jetson" in model or "nvidia" in model


def _library(backend: Backend) -> Gpio:
    module, package = ("RPi.GPIO", "rpi-lgpio") if backend == "rpi" else ("Jetson.GPIO",) * 2
    try:
        return cast(Gpio, importlib.import_module(module))
    except ModuleNotFoundError as error:
        raise OutputError(
            f"The GPIO library {module} is missing: install it with `{pip_install(package)}`."
        ) from error
    except Exception as error:  # RuntimeError on foreign boards, plain Exception on Jetson
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        if _LGPIO_PIPE in reason:
            raise OutputError(
                f"{module} cannot make its pipes in {os.environ.get('LG_WD') or os.getcwd()} "
                f"({reason}): make room there, and make it a folder that may be written to."
            ) from error
        remedy = (
            f"on a Raspberry Pi 5 or a current kernel {_REPLACE_IT}, on any other machine set the "
            "GPIO backend to mock"
            if backend == "rpi"
            else "on any other machine than a Jetson set the GPIO backend to mock"
        )
        raise OutputError(f"{module} does not run on this board ({reason}): {remedy}.") from error


def wrong_library(error: Exception) -> str:
    """What to do if *error* says that the library does not know this board, else ""."""
    if _UNKNOWN_CHIP not in str(error):
        return ""
    return f"a Raspberry Pi 5 or a current kernel needs another library, {_REPLACE_IT}"


@contextlib.contextmanager
def gpio_troubles(what: str) -> Iterator[None]:
    """Turn what the libraries raise into an `OutputError` that names the remedy.

    Args:
        what: begins the sentence, such as "The RGB LED".

    Raises:
        OutputError: for everything that goes wrong inside.
    """
    try:
        yield
    except OutputError:
        raise
    except Exception as error:  # lgpio.error, RuntimeError, ValueError, OSError, by library
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        text = reason.lower()
        if wrong_library(error):
            remedy = wrong_library(error)
        elif "busy" in text or "in use" in text or "already exists" in text:
            remedy = "another program or output has this pin, end it or choose another pin"
        elif "pwm" in text:
            remedy = "choose a pin that can do PWM; on a Jetson switch it on with jetson-io"
        elif isinstance(error, PermissionError) or any(
            word in text for word in ("permission", "access", "can not open", "/dev/mem")
        ):
            remedy = "join the group gpio with sudo usermod -aG gpio $USER, then log in again"
        elif isinstance(error, ValueError):
            remedy = "give BCM numbers of free pins, such as 17, 27 and 22"
        else:
            remedy = "check its pins and the GPIO backend"
        raise OutputError(f"{what} cannot use its pins ({reason}): {remedy}.") from error


def pins_problem(pins: dict[str, int]) -> str:
    """One sentence if two of the named *pins* are the same, else ""."""
    seen: dict[int, str] = {}
    for name, pin in pins.items():
        if pin in seen:
            return f"{name} and {seen[pin]} are both on pin {pin}: give each a pin of its own."
        seen[pin] = name
    return ""


def all_off(gpio: Gpio, pwms: list[Pwm], channels: list[int], *, inverted: bool = False) -> None:
    """Stop *pwms*, put *channels* out, release them and no others; errors are left aside."""
    for pwm in pwms:
        with contextlib.suppress(Exception):
            pwm.stop()
    for channel in channels:
        with contextlib.suppress(Exception):
            gpio.output(channel, gpio.HIGH if inverted else gpio.LOW)
    pwms.clear()  # rpi-lgpio stops a PWM once more when it is forgotten: while its pin is ours
    with contextlib.suppress(Exception):
        gpio.cleanup(channels)
