"""What can go wrong with a display, and what to do about it."""

import contextlib
import errno
from collections.abc import Iterator
from typing import Final

from edge.errors import OutputError
from edge.hardware.gpio import wrong_library
from edge.process.pip_command import pip_install

_NOT_THERE: Final = (errno.EREMOTEIO, errno.ENXIO, errno.EIO, errno.ENODEV)
"""What the kernel says when nothing answers at an I2C address, by bus driver."""
_NO_ACCESS: Final = (errno.EACCES, errno.EPERM)


@contextlib.contextmanager
def display_troubles(name: str, where: str) -> Iterator[None]:
    """Turn whatever luma and the kernel raise into an `OutputError` that names the remedy.

    Args:
        name: of the display, such as "display ssd1306".
        where: "SPI", or "bus 1, address 0x3c" for I2C.

    Raises:
        OutputError: for everything that goes wrong inside.
    """
    from luma.core import error as luma

    try:
        yield
    except OutputError:
        raise
    except SystemExit as error:  # luma's window ends the whole program when it is closed
        raise OutputError(f"The window of the {name} was closed.") from error
    except luma.DevicePermissionError as error:
        raise OutputError(_no_access(name, where)) from error
    except luma.DeviceAddressError as error:
        raise OutputError(
            f"The {name} has no valid I2C address: it is 0x3C or 0x3D on most displays."
        ) from error
    except luma.DeviceDisplayModeError as error:
        raise OutputError(
            f"The {name} does not come in this size ({error}): set its width and height."
        ) from error
    except luma.DeviceNotFoundError as error:
        if "on address" in str(error):
            raise OutputError(_no_answer(name, where)) from error
        raise OutputError(_no_bus(name, where)) from error
    except (luma.UnsupportedPlatform, ImportError) as error:
        raise OutputError(
            f"The {name} cannot be reached by {where}, a library is missing ({error}): install it "
            f"with `{pip_install(*_libraries(where, error))}`."
        ) from error
    except AssertionError as error:
        raise OutputError(
            f"The {name} refused a setting {error}: check rotation (0-3), contrast (0-255) and "
            "SPI speed (0.5, 1, 2, 4, 8, 16, 20 ... 52 MHz)."
        ) from error
    except OSError as error:
        if error.errno in _NO_ACCESS:
            raise OutputError(_no_access(name, where)) from error
        if error.errno == errno.ENOENT:
            raise OutputError(_no_bus(name, where)) from error
        if error.errno in _NOT_THERE:
            raise OutputError(_no_answer(name, where)) from error
        raise OutputError(
            f"The {name} on {where} does not respond ({error.strerror or error}): "
            "check its wiring and its power."
        ) from error
    except Exception as error:  # pygame and GPIO libraries raise types of their own
        remedy = wrong_library(error)
        raise OutputError(
            f"The {name} on {where} failed: {error or type(error).__name__}"
            + (f"; {remedy}." if remedy else ".")
        ) from error


def _libraries(where: str, error: Exception) -> tuple[str, ...]:
    """The packages that are missing: what could not be imported, or what a bus needs."""
    if isinstance(error, ImportError) and error.name:
        module = error.name.partition(".")[0]
        return ("rpi-lgpio" if module == "RPi" else module.replace("_", "-"),)
    return ("spidev", "rpi-lgpio") if where == "SPI" else ("smbus2",)


def _no_answer(name: str, where: str) -> str:
    if where == "SPI":
        return f"The {name} does not answer on SPI: check its wiring."
    bus = where.partition(",")[0].removeprefix("bus ")
    return (
        f"No {name} answers on I2C {where}: check its wiring (SDA, SCL, power), "
        f"and look for its address with i2cdetect -y {bus}."
    )


def _no_bus(name: str, where: str) -> str:
    kind, flag = ("SPI", "do_spi") if where == "SPI" else ("I2C", "do_i2c")
    what = "SPI bus" if where == "SPI" else f"I2C {where.partition(',')[0]}"
    return (
        f"There is no {what} for the {name}: enable {kind} with sudo raspi-config nonint {flag} 0 "
        "(on a Jetson with jetson-io) and restart."
    )


def _no_access(name: str, where: str) -> str:
    group = "spi and gpio" if where == "SPI" else "i2c"
    return (
        f"The {name} on {where} may not be used by this user: join the group {group} with "
        f"sudo usermod -aG {group.replace(' and ', ',')} $USER, then log in again."
    )
