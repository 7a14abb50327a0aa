"""Draws the face on the OLED as soon as there is power: `python -m edge.splash`.

Importing what `mien run` needs takes seconds on a small board. So the usual displays (SSD1306,
SSD1309 and SH1106 on I2C) are driven here with the standard library alone, from pictures drawn
beforehand; any other goes through luma, which takes longer. It blinks until it is asked to end
(SIGTERM), and leaves its picture to `mien run`. Without a display it ends soon, with 0: nothing has
to wait for it.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from edge.process.printable import printable
from edge.process.regular_files import read_regular

SYSTEM_CONFIG: Final = "/etc/mien/config.toml"
"""As `edge.config.paths.SYSTEM_CONFIG`, which costs the import of pathlib."""
LARGEST_CONFIG_BYTES: Final = 1_000_000
"""As `edge.config.load.LARGEST_BYTES`."""
BLINK_EVERY_S: Final = 4.0
BLINK_S: Final = 0.15
BUS_WAIT_S: Final = 3.0
"""udev calls for every bus of the machine, and the display's own may come a moment after the first,
or be there while udev has not opened it to its group yet."""
BUS_LOOK_S: Final = 0.1
_I2C_SLAVE: Final = 0x0703
"""Of linux/i2c-dev.h: chooses whom the file talks to."""
_COMMAND, _DATA = b"\x00", b"\x40"
"""What the first byte of a transfer says of the others."""
_ENDS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Write = Callable[[bytes], object]
Table = Mapping[str, Any]


class Panel(NamedTuple):
    """A display that can be driven from here."""

    port: int = 1
    address: int = 0x3C
    driver: str = "ssd1306"
    width: int = 128
    height: int = 64
    upside_down: bool = False
    contrast: int = 200


def quick_panel(table: Table) -> Panel | None:
    """The panel that the settings of [display] name; None if it takes more than this file.

    Args:
        table: the settings as TOML or environment have them, checked by nobody yet.
    """
    known = {
        "kind": ("auto", "oled"),
        "driver": ("ssd1306", "ssd1309", "sh1106"),
        "interface": ("i2c",),
        "rotate": (0, 2),
        "width_px": (0, 128),
        "height_px": (0, 32, 64),
    }
    if any(name in table and table[name] not in values for name, values in known.items()):
        return None
    panel = Panel(
        table.get("i2c_port", 1),
        table.get("i2c_address", 0x3C),
        table.get("driver", "ssd1306"),
        128,
        table.get("height_px", 0) or 64,
        table.get("rotate", 0) == 2,
        table.get("contrast", 200),
    )
    numbers = ((panel.port, 0, 255), (panel.address, 0x08, 0x77), (panel.contrast, 0, 255))
    if any(type(number) is not int or not low <= number <= high for number, low, high in numbers):
        return None
    return None if panel.driver == "sh1106" and panel.height != 64 else panel


def setup(panel: Panel) -> bytes:
    """The commands that set the chip up, by its data sheet; it stays dark until `lit`."""
    tall = panel.height == 64
    common = [
        0xAE,  # off
        0xD5, 0x80,  # clock
        0xA8, panel.height - 1,  # rows
        0xD3, 0x00, 0x40,  # first row
        0xA1, 0xC8,  # as the modules are mounted: upper left corner first
        0xDA, 0x12 if tall else 0x02,  # how the rows are wired
        0xA4, 0xA6,  # show the memory, lit on dark
        0x81, panel.contrast,
    ]  # fmt: skip
    if panel.driver == "sh1106":
        return bytes([*common, 0xAD, 0x8B, 0xD9, 0x22, 0xDB, 0x35])  # charge pump, its timing
    return bytes([*common, 0x8D, 0x14, 0xD9, 0xF1, 0xDB, 0x40, 0x20, 0x00])  # likewise; addressing


def show(panel: Panel, pages: bytes, write: Write) -> None:
    """Bring *pages* onto the panel: a byte a column of eight pixels, row by row of such columns."""
    if panel.upside_down:
        pages = bytes(int(f"{byte:08b}"[::-1], 2) for byte in reversed(pages))
    if panel.driver == "sh1106":  # its memory is 132 columns wide, and addressed row by row
        for row in range(panel.height // 8):
            write(_COMMAND + bytes([0xB0 + row, 0x02, 0x10]))
            write(_DATA + pages[row * panel.width : (row + 1) * panel.width])
        return
    window = [0x21, 0, panel.width - 1, 0x22, 0, panel.height // 8 - 1]
    write(_COMMAND + bytes(window))
    write(_DATA + pages)


def pictures(panel: Panel) -> tuple[bytes, bytes]:
    """The pages of the face with its eyes open and closed."""
    import zlib
    from binascii import a2b_base64

    from edge.splash.pictures import PICTURES

    opened, closed = PICTURES[panel.width, panel.height]
    return zlib.decompress(a2b_base64(opened)), zlib.decompress(a2b_base64(closed))


def open_panel(panel: Panel) -> Write:
    """A function that sends bytes to the panel.

    Raises:
        OSError: there is no such bus, or it may not be used.
    """
    import fcntl

    number = os.open(f"/dev/i2c-{panel.port}", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(number, _I2C_SLAVE, panel.address)
    return lambda data: os.write(number, data)


def display_settings(config: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """What file and environment say under [display], unchecked; nothing where there is none.

    Raises:
        ValueError: the file is no TOML.
    """
    table: dict[str, Any] = {}
    try:
        text = read_regular(config, LARGEST_CONFIG_BYTES).decode("utf-8-sig")
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        found = tomllib.loads(text).get("display", {})
        table |= found if isinstance(found, dict) else {}
    except OSError:
        pass  # no settings, which is usual
    prefix = "MIEN_DISPLAY__"
    for name, text in environ.items():
        if name.startswith(prefix):
            value = int(text, 0) if text[:1].isdecimal() else text
            table[name.removeprefix(prefix).lower()] = value
    return table


def main(config: str = SYSTEM_CONFIG) -> int:
    """Draw, blink, and leave the picture; the exit code, always 0."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)  # they are waited for, below
    try:
        table = display_settings(config, os.environ)
        if table.get("kind", "auto") not in ("auto", "oled"):
            return 0
        panel = quick_panel(table)
    except (ValueError, RecursionError):
        panel = None  # the whole settings will say what is wrong with them
    try:
        if panel is None:
            _draw_with_luma(config)
        else:
            _draw_and_blink(panel)
    except Exception as error:  # whatever it is, starting the device must not depend on it
        reason = printable(_reason(error, panel))
        print(f"mien: No face while starting: {reason}", file=sys.stderr)
    return 0


def _draw_and_blink(panel: Panel) -> None:
    write = _wait_for_panel(panel)
    if write is None:
        return
    opened, closed = pictures(panel)
    write(_COMMAND + setup(panel))
    show(panel, opened, write)
    write(_COMMAND + b"\xaf")  # on
    while not _asked_to_end(BLINK_EVERY_S):
        show(panel, closed, write)
        ending = _asked_to_end(BLINK_S)
        show(panel, opened, write)
        if ending:
            return


def _wait_for_panel(panel: Panel) -> Write | None:
    """As `open_panel`, for a bus that is only just coming up; None if asked to end meanwhile."""
    for _ in range(round(BUS_WAIT_S / BUS_LOOK_S)):
        try:
            return open_panel(panel)
        except (FileNotFoundError, PermissionError):
            if _asked_to_end(BUS_LOOK_S):
                return None
    return open_panel(panel)


def _asked_to_end(wait_s: float) -> bool:
    return signal.sigtimedwait(_ENDS, wait_s) is not None


def _draw_with_luma(config: str) -> None:
    """The same for displays that are not driven from here, without the blinking."""
    import time
    from pathlib import Path

    from edge.build.outputs import this_host
    from edge.config.load import load_settings
    from edge.messages import Mood
    from edge.outputs.display import DisplaySettings, open_oled

    settings = load_settings(system=Path(config)).settings
    oled = open_oled(settings.of(DisplaySettings), this_host(settings))
    oled.show(Mood(time.monotonic(), "starting"), time.monotonic())
    while not _asked_to_end(3600.0):
        continue


def _reason(error: Exception, panel: Panel | None) -> str:
    if isinstance(error, FileNotFoundError) and panel is not None:
        return f"there is no I2C bus {panel.port}; the settings of the system switch it on."
    if isinstance(error, OSError) and panel is not None:
        return (
            f"no {panel.driver} can be used at address {panel.address:#04x} of I2C bus "
            f"{panel.port} ({error.strerror or error}); check its wiring, and see `mien doctor`."
        )
    return str(error) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
