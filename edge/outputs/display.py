"""Which display shows the face of Mien: an OLED, the terminal, a window or a picture file."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from edge.config.fields import Pin, PinClaim, Section, refuse, setting
from edge.errors import MienError, OutputError
from edge.hardware.host import Host
from edge.outputs import Maker, Output, OutputAdapter
from edge.outputs.panel_sizes import LEAST, SPI_ONLY, size_problem


class DisplaySettings(Section):
    """The display that shows the face of Mien."""

    kind: Literal["auto", "none", "terminal", "oled", "window", "png", "gif"] = setting(
        "auto",
        '"auto" takes an OLED that answers, else the terminal; "oled" insists on the OLED; '
        '"terminal" and "window" show the same pixels on a desktop; "png" and "gif" write them to '
        "a file.",
    )
    driver: Literal[
        "ssd1306", "ssd1309", "ssd1322", "ssd1325", "ssd1327", "ssd1331", "ssd1351", "ssd1362",
        "sh1106", "sh1107",
    ] = setting("ssd1306", "The chip of the OLED, as its seller names it.")  # fmt: skip
    interface: Literal["i2c", "spi"] = setting("i2c", "How the OLED is connected.")
    i2c_port: int = setting(1, "Number of the I2C bus: 1 is /dev/i2c-1.", ge=0, le=255)
    i2c_address: int = setting(
        0x3C,
        "Address of the OLED on the I2C bus, mostly 0x3C or 0x3D: see `mien devices`.",
        allowed="a whole number from 0x08 to 0x77",
        ge=0x08,
        le=0x77,
    )
    spi_port: int = setting(0, "Number of the SPI bus: 0 is /dev/spidev0.*.", ge=0, le=9)
    spi_device: int = setting(0, "Chip select on the SPI bus: 0 is CE0.", ge=0, le=3)
    gpio_dc: Pin = setting(24, "GPIO (BCM number) wired to DC of an SPI display.")
    gpio_rst: Pin = setting(25, "GPIO (BCM number) wired to RES of an SPI display.")
    width_px: int = setting(
        0, "Width of the display in pixels; 0 is the usual one of its chip.", ge=0, le=480
    )
    height_px: int = setting(
        0, "Height of the display in pixels; 0 is the usual one of its chip.", ge=0, le=320
    )
    rotate: Literal[0, 1, 2, 3] = setting(0, "Quarter turns clockwise: 2 is upside down.")
    rate_hz: float = setting(20.0, "Pictures a second at most.", ge=1, le=60)
    contrast: int = setting(200, "Brightness of the OLED.", ge=0, le=255)
    file: str = setting("", 'Where "png" and "gif" write to.', allowed="a path, or empty")

    @model_validator(mode="after")
    def _picture_has_a_file(self) -> "DisplaySettings":
        if self.kind in ("png", "gif") and not self.file:
            raise refuse(
                "kind", f'[display] kind "{self.kind}" needs [display] file to say where to'
            )
        if self.kind in ("png", "gif") and Path(self.file).suffix.lower() != f".{self.kind}":
            raise refuse(
                "file kind",
                f'[display] file does not end in .{self.kind}, as [display] kind "{self.kind}" asks '
                "for; give it that ending",
            )
        return self

    @model_validator(mode="after")
    def _is_a_display_that_there_is(self) -> "DisplaySettings":
        drawn = self.kind in ("window", "png", "gif")
        least_width, least_height = LEAST
        given = (self.width_px or least_width, self.height_px or least_height)
        if drawn and (given[0] < least_width or given[1] < least_height):
            raise refuse(
                "width_px" if given[0] < least_width else "height_px",
                f"a face of {self.panel_px[0]}x{self.panel_px[1]} pixels cannot be told from "
                f"another; set [display] width_px and height_px to {least_width}x{least_height} or "
                "more",
            )
        problem = "" if drawn else size_problem(self.driver, self.width_px, self.height_px)
        if problem:
            raise refuse(
                "width_px height_px driver",
                f"{problem}; set [display] width_px and height_px to one of these, or to 0",
            )
        if self.kind in ("auto", "oled") and self.interface == "i2c" and self.driver in SPI_ONLY:
            raise refuse(
                "driver interface",
                f'the {self.driver} has no I2C; wire it to SPI and set [display] interface to "spi"',
            )
        return self

    @property
    def panel_px(self) -> tuple[int, int]:
        """Width and height of a drawn face: 128x64 where the settings leave it to the chip."""
        return self.width_px or 128, self.height_px or 64

    def pin_claims(self) -> list[PinClaim]:
        """The bus that the OLED is on, an SPI display's two further wires, or the picture file."""
        if self.kind in ("png", "gif"):
            return [("file", "[display] file", os.path.abspath(self.file))]
        if self.kind not in ("auto", "oled"):
            return []
        claims: list[PinClaim] = []
        bus: tuple[int | str, ...] = ()
        if self.interface == "spi":
            claims.append(("gpio_dc", "[display] gpio_dc", self.gpio_dc))
            claims.append(("gpio_rst", "[display] gpio_rst", self.gpio_rst))
            if self.spi_port == 0:
                # MISO, MOSI, SCLK and the chip select of the header's first SPI bus.
                bus = (9, 10, 11, *((8 - self.spi_device,) if self.spi_device < 2 else ()))
            bus = (*bus, f"SPI bus {self.spi_port}")
        elif self.i2c_port == 1:
            bus = (2, 3)  # SDA and SCL of the header's I2C bus
        name = f"the {self.interface.upper()} bus of the display"
        return claims + [("interface", name, claimed) for claimed in bus]


def make(display: DisplaySettings, host: Host) -> list[Maker]:
    """The display that is asked for, unless it is a preview with nowhere to go."""
    return [lambda: open_display(display, host)] if _wanted(display, host) else []


def _wanted(display: DisplaySettings, host: Host) -> bool:
    kind = display.kind
    if kind == "none" or host.has_terminal:
        return kind != "none"
    return kind != "terminal" and (kind != "auto" or _oled_possible(display))


def _oled_possible(display: DisplaySettings) -> bool:
    return display.interface == "spi" or Path(f"/dev/i2c-{display.i2c_port}").exists()


def open_display(display: DisplaySettings, host: Host) -> Output:
    """Open the display that the settings name; "auto" takes an OLED that answers, else the terminal.

    A service has no terminal: there "auto" waits for the OLED.

    Raises:
        OutputError: it cannot be opened; says what to do.
    """
    if display.kind == "oled" or (display.kind == "auto" and host.is_service):
        return open_oled(display, host)
    if display.kind == "auto":
        with suppress(MienError):
            if _oled_possible(display):
                return open_oled(display, host)
    if display.kind in ("auto", "terminal"):
        return _open_preview(host)
    if display.kind == "window":
        return _open_window(display)
    from edge.outputs.image_file import Picture

    return Picture(display.file, size=display.panel_px)


def open_oled(display: DisplaySettings, host: Host) -> Output:
    """Open the OLED that the settings describe, whatever kind of display they ask for.

    Raises:
        OutputError: it cannot be opened; says what to do.
    """
    from edge.outputs.oled import Oled

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
        gpio=host.pins.gpio() if spi else None,
    )


def _open_preview(host: Host) -> Output:
    from edge.outputs.terminal import Preview

    if not host.has_terminal:
        raise OutputError(
            "No display answers, and the preview has no standard error to draw on: "
            "leave the standard error open, or choose --display none."
        )
    return Preview(sys.stderr)


def _open_window(display: DisplaySettings) -> Output:
    """Open a window, but not where SDL would open one that nobody can see."""
    from edge.outputs.oled import Oled

    names = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in names):
        raise OutputError(
            "There is no desktop to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set): "
            "start Mien from a desktop session, or choose --display terminal."
        )
    return Oled(
        device="window",
        width_px=display.width_px or None,
        height_px=display.height_px or None,
        rotate=display.rotate,
        fps=display.rate_hz,
    )


ADAPTER = OutputAdapter(DisplaySettings, make)
