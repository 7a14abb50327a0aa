"""Draws the face on the OLED as soon as there is power: `python -m edge.splash`.

Importing what `mien run` needs takes seconds on a small board. So the usual displays (SSD1306,
SSD1309 and SH1106 on I2C) are found and driven here with the standard library alone, from pictures
drawn beforehand; any other goes through luma, which takes longer. It blinks until it is asked to end
(SIGTERM), and leaves its picture to `mien run`. Without a display it ends soon, with 0: nothing has
to wait for it.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from edge.hardware.bus_purpose import bus_numbers, whose
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
ADDRESSES: Final = (0x3C, 0x3D)
"""As `edge.outputs.oled_search.ADDRESSES`."""
SH1106_STATUS: Final = 0x08
"""As in `edge.outputs.oled_search.STATUS`: the lower four bits of what an SH1106 answers."""
REPETITIONS: Final = 12
"""Of what was refused, at once: as `edge.outputs.repeated_transfers` does."""
_NOP: Final = b"\xe3"
_I2C_SLAVE: Final = 0x0703
"""Of linux/i2c-dev.h: chooses whom the file talks to."""
_COMMAND, _DATA = b"\x00", b"\x40"
"""What the first byte of a transfer says of the others."""
_ENDS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Write = Callable[[bytes], object]
Table = Mapping[str, Any]


class Panel(NamedTuple):
    """A display that can be driven from here."""

    port: int | str = "auto"
    address: int | str = "auto"
    driver: str = "auto"
    width: int = 128
    height: int = 64
    upside_down: bool = False
    contrast: int = 200
    column_offset: int | str = "auto"
    row_offset: int | str = "auto"

    @property
    def first_column(self) -> int:
        """The column of the chip's memory that the panel begins with."""
        if isinstance(self.column_offset, int):
            return self.column_offset
        return 2 if self.driver == "sh1106" else 0


def quick_panel(table: Table) -> Panel | None:
    """The panel that the settings of [display] name; None if it takes more than this file.

    Args:
        table: the settings as TOML or environment have them, checked by nobody yet.
    """
    known = {
        "kind": ("auto", "oled"),
        "driver": ("auto", "ssd1306", "ssd1309", "sh1106"),
        "interface": ("i2c",),
        "rotate": (0, 2),
        "width_px": (0, 128),
        "height_px": (0, 32, 64),
    }
    if any(name in table and table[name] not in values for name, values in known.items()):
        return None
    panel = Panel(
        table.get("i2c_port", "auto"),
        table.get("i2c_address", "auto"),
        table.get("driver", "auto"),
        128,
        table.get("height_px", 0) or 64,
        table.get("rotate", 0) == 2,
        table.get("contrast", 200),
        table.get("column_offset", "auto"),
        table.get("row_offset", "auto"),
    )
    may_be_auto = (
        (panel.port, 0, 255),
        (panel.address, 0x08, 0x77),
        (panel.column_offset, 0, 0 if panel.driver in ("ssd1306", "ssd1309") else 4),
        (panel.row_offset, 0, 63),
    )
    numbers = [each for each in may_be_auto if each[0] != "auto"] + [(panel.contrast, 0, 255)]
    for number, low, high in numbers:
        if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
            return None
    return None if panel.driver == "sh1106" and panel.height != 64 else panel


def setup(panel: Panel) -> bytes:
    """The commands that set the chip up, by its data sheet; it stays dark until `lit`."""
    tall = panel.height == 64
    common = [
        0xAE,  # off
        0xD5, 0x80,  # clock
        0xA8, panel.height - 1,  # rows
        0xD3, panel.row_offset if isinstance(panel.row_offset, int) else 0, 0x40,  # first row
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
            write(_COMMAND + bytes([0xB0 + row, panel.first_column, 0x10]))
            write(_DATA + pages[row * panel.width : (row + 1) * panel.width])
        return
    first = panel.first_column
    window = [0x21, first, first + panel.width - 1, 0x22, 0, panel.height // 8 - 1]
    write(_COMMAND + bytes(window))
    write(_DATA + pages)


def pictures(panel: Panel) -> tuple[bytes, bytes]:
    """The pages of the face with its eyes open and closed."""
    import zlib
    from binascii import a2b_base64

    from edge.splash.pictures import PICTURES

    opened, closed = PICTURES[panel.width, panel.height]
    return zlib.decompress(a2b_base64(opened)), zlib.decompress(a2b_base64(closed))


def open_panel(panel: Panel) -> tuple[Panel, Write]:
    """The panel with what was left to "auto" filled in, and a function that sends bytes to it.

    Raises:
        OSError: there is no such bus, it may not be used, or nobody answers.
    """
    if isinstance(panel.port, int):
        ports = [panel.port]
    else:
        ports = [port for port in bus_numbers() if not whose(port)]
    addresses = [panel.address] if isinstance(panel.address, int) else list(ADDRESSES)
    problem: OSError = FileNotFoundError("no I2C bus")
    for port in ports:
        for address in addresses:
            try:
                asked = "auto" in (panel.port, panel.address)
                return _open_at(panel._replace(port=port, address=address), address, asked)
            except OSError as error:
                problem = error
    raise problem


def _open_at(panel: Panel, address: int, asked: bool) -> tuple[Panel, Write]:
    """Open the panel at *address* of the bus that it names; it has to answer if it is *asked*."""
    import fcntl

    number = os.open(f"/dev/i2c-{panel.port}", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(number, _I2C_SLAVE, address)
        if asked or panel.driver == "auto":
            panel = panel._replace(driver=_driver(panel, os.read(number, 1)[0]))
    except OSError:
        if asked:
            os.close(number)
            raise
        panel = panel._replace(driver=_driver(panel, 0))
    return panel, lambda data: os.write(number, data)


def _driver(panel: Panel, status: int) -> str:
    if panel.driver != "auto":
        return panel.driver
    # One of 32 rows is known of the SSD1306 alone.
    return "sh1106" if status & 0x0F == SH1106_STATUS and panel.height == 64 else "ssd1306"


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
    there = _wait_for_panel(panel)
    if there is None:
        return
    panel, write = there
    opened, closed = pictures(panel)
    _repeat(lambda: write(_COMMAND + setup(panel)), write)
    _repeat(lambda: show(panel, opened, write), write)
    _repeat(lambda: write(_COMMAND + b"\xaf"), write)  # on
    while not _asked_to_end(BLINK_EVERY_S):
        _repeat(lambda: show(panel, closed, write), write)
        ending = _asked_to_end(BLINK_S)
        _repeat(lambda: show(panel, opened, write), write)
        if ending:
            return


def _repeat(send: Callable[[], object], write: Write) -> None:
    """Send, and again from its beginning when a transfer of it was refused.

    Raises:
        OSError: the last refusal.
    """
    for _ in range(REPETITIONS):
        try:
            send()
            return
        except OSError:
            with suppress(OSError):
                write(_COMMAND + _NOP * 2)  # the rest of a command that was broken off
    send()


def _wait_for_panel(panel: Panel) -> tuple[Panel, Write] | None:
    """As `open_panel`, for a bus that is only just coming up; None if asked to end meanwhile."""
    for _ in range(round(BUS_WAIT_S / BUS_LOOK_S)):
        try:
            return open_panel(panel)
        except OSError:  # no bus yet, not opened to its group yet, not the display's own
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
        bus = "no I2C bus" if panel.port == "auto" else f"no I2C bus {panel.port}"
        return f"there is {bus}; the settings of the system switch it on."
    if isinstance(error, OSError) and panel is not None:
        chip = "display" if panel.driver == "auto" else panel.driver
        addresses = [panel.address] if isinstance(panel.address, int) else list(ADDRESSES)
        where = " or ".join(f"{address:#04x}" for address in addresses)
        bus = "any I2C bus" if panel.port == "auto" else f"I2C bus {panel.port}"
        return (
            f"no {chip} can be used at address {where} of {bus} ({error.strerror or error}); check "
            "its wiring, and see `mien doctor`."
        )
    return str(error) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
