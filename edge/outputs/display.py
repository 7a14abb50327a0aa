"""Which display shows the face of Mien: an OLED, the terminal, a window or a picture file."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, model_validator

from edge.config.fields import Pin, PinClaim, Section, refuse, setting
from edge.errors import MienError, OutputError
from edge.hardware.bus_purpose import bus_numbers, whose
from edge.hardware.host import Host
from edge.outputs import Maker, Output, OutputAdapter
from edge.outputs.display_chips import CHIPS, USUAL, Chip
from edge.outputs.panel_sizes import LEAST, SIZES, SPI_ONLY, size_problem

if TYPE_CHECKING:
    from edge.outputs.oled import Oled
    from edge.outputs.oled_search import Place

Auto = Literal["auto"]

LOOK_EVERY_S: Final = 3.0
"""Asking two addresses of a bus takes under 1 ms."""


class DisplaySettings(Section):
    """The display that shows the face of Mien."""

    kind: Literal["auto", "none", "terminal", "oled", "window", "png", "gif"] = setting(
        "auto",
        '"auto" takes an OLED that answers and keeps to it; as long as none does, the terminal; '
        '"oled" insists on the OLED; "terminal" draws as large as the terminal has room; '
        '"window", "png" and "gif" show what the panel of these settings would, turned and in its '
        "colours.",
    )
    driver: Literal[
        "auto", "ssd1306", "ssd1309", "ssd1322", "ssd1325", "ssd1327", "ssd1331", "ssd1351", "ssd1362",
        "sh1106", "sh1107",
    ] = setting(
        "auto",
        'The chip of the OLED, as its seller names it; "auto" tells an SSD1306 from an SH1106 by '
        "what it answers on I2C, and takes it for an SSD1306 where that does not tell.",
    )  # fmt: skip
    interface: Literal["i2c", "spi"] = setting("i2c", "How the OLED is connected.")
    i2c_port: Annotated[int, Field(ge=0, le=255)] | Auto = setting(
        "auto",
        'Number of the I2C bus: 1 is /dev/i2c-1; "auto" looks on every bus, but for those of '
        "monitors and the like.",
        allowed='"auto" or a number from 0 to 255',
    )
    i2c_address: Annotated[int, Field(ge=0x08, le=0x77)] | Auto = setting(
        "auto",
        'Address of the OLED on the I2C bus: "auto" looks at 0x3C and at 0x3D.',
        allowed='"auto" or a number from 0x08 to 0x77',
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
    column_offset: Annotated[int, Field(ge=0, le=127)] | Auto = setting(
        "auto",
        "The column of the chip's memory that the left edge of the panel shows: mostly 2 on an "
        'SH1106, whose memory is 132 columns wide, else 0; "auto" is the usual one. `mien try '
        "display` shows whether it is right.",
        allowed='"auto" or a number from 0 to 127',
    )
    row_offset: Annotated[int, Field(ge=0, le=127)] | Auto = setting(
        "auto",
        'By how many rows the panel is shifted in the chip\'s memory; "auto" is the usual number.',
        allowed='"auto" or a number from 0 to 127',
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
        problems = [size_problem(name, self.width_px, self.height_px) for name in self._may_be]
        problem = "" if drawn or "" in problems else problems[0]
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

    @model_validator(mode="after")
    def _panel_lies_in_the_memory(self) -> "DisplaySettings":
        """Refuse offsets with which a part of the panel would show nothing that is ever written."""
        chips = [CHIPS[name] for name in self._may_be]
        for name, place, size in (
            ("column_offset", self.column_offset, self.panel_px[0]),
            ("row_offset", self.row_offset, 1),
        ):
            if place == "auto":
                continue
            memories = [chip.memory_px for chip in chips if chip.memory_px is not None]
            if not memories:
                raise refuse(
                    f"{name} driver",
                    f"[display] {name} is {place}, but the picture cannot be shifted in the memory of "
                    f'an {self.driver}: leave it "auto"',
                )
            most = max(memory[name == "row_offset"] for memory in memories) - size
            if place > most:
                chip = "the display" if self.driver == "auto" else f"an {self.driver}"
                raise refuse(
                    f"{name} driver",
                    f"[display] {name} is {place}, but on {chip} of this size it is {max(most, 0)} at "
                    "most: that is how much more memory its chip has than the panel shows",
                )
        return self

    @property
    def _may_be(self) -> tuple[str, ...]:
        """The chips that it may turn out to be."""
        return (USUAL, "sh1106") if self.driver == "auto" else (self.driver,)

    @property
    def chip(self) -> Chip:
        """The chip that the settings name, or the usual one."""
        return CHIPS[self._may_be[0]]

    @property
    def panel_px(self) -> tuple[int, int]:
        """Width and height of the panel as it is built: the chip's usual ones where nothing is set."""
        width, height = SIZES[self._may_be[0]][0]
        return self.width_px or width, self.height_px or height

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
        elif self.i2c_port in (1, "auto"):
            bus = (2, 3)  # SDA and SCL of the header's I2C bus
        name = f"the {self.interface.upper()} bus of the display"
        return claims + [("interface", name, claimed) for claimed in bus]


def make(display: DisplaySettings, host: Host) -> list[Maker]:
    """The display that is asked for, unless it is a preview with nowhere to go."""
    return [DisplayMaker(display, host)] if _wanted(display, host) else []


def _wanted(display: DisplaySettings, host: Host) -> bool:
    kind = display.kind
    if kind == "none" or host.has_terminal:
        return kind != "none"
    return kind != "terminal" and (kind != "auto" or oled_possible(display))


def oled_possible(display: DisplaySettings) -> bool:
    """Whether there is a bus that an OLED may be on."""
    if display.interface == "spi":
        return True
    if display.i2c_port == "auto":
        return any(not whose(port) for port in bus_numbers())
    return Path(f"/dev/i2c-{display.i2c_port}").exists()


class DisplayMaker:
    """Opens the display that the settings name, again and again.

    "auto" takes an OLED that answers. Once it has taken one it keeps to that: a display that is lost is
    waited for. Until then it shows a preview, and goes on looking. A service has no terminal: there it
    waits from the start.
    """

    def __init__(
        self, display: DisplaySettings, host: Host, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        """Open nothing yet.

        Args:
            display: the settings.
            host: the machine.
            look_every_s: how often a preview that stands in looks for an OLED.
        """
        self._display, self._host, self._look_every_s = display, host, look_every_s
        self._taken = False
        self._place: Place | None = None

    def __call__(self) -> Output:
        """Open it.

        Raises:
            OutputError: it cannot be opened; says what to do.
        """
        display, host = self._display, self._host
        if display.kind == "oled" or (display.kind == "auto" and (self._taken or host.is_service)):
            return self._open_oled()
        if display.kind == "auto":
            if display.interface == "spi" or host.board or oled_possible(display):
                try:
                    return self._open_oled()
                except MienError as error:
                    return self._open_preview(str(error))
            return self._open_preview("")
        if display.kind == "terminal":
            return self._open_preview(None)
        if display.kind == "window":
            return _open_window(display)
        from edge.outputs.image_file import Picture

        return Picture(
            display.file,
            size=display.panel_px,
            mode=display.chip.mode,
            rotate=display.rotate,
            fps=min(display.rate_hz, 12.0),  # each one is a whole file
        )

    def _open_oled(self) -> Output:
        oled = open_oled(self._display, self._host, self._place)
        self._taken, self._place = True, oled.place
        return oled

    def _open_preview(self, why: str | None) -> Output:
        """Open the preview; one that only stands in says *why*."""
        from edge.outputs.stand_in import StandIn
        from edge.outputs.terminal import Preview

        if not self._host.has_terminal:
            raise OutputError(
                "No display answers, and the preview has no standard error to draw on: "
                "leave the standard error open, or choose --display none."
            )
        shared = self._host.events_share_terminal
        if why is None:
            return Preview(sys.stderr, beside_events=shared)
        return StandIn(
            sys.stderr, self._open_oled, why, every_s=self._look_every_s, beside_events=shared
        )


def open_display(display: DisplaySettings, host: Host) -> Output:
    """Open the display that the settings name; see `DisplayMaker`.

    Raises:
        OutputError: it cannot be opened; says what to do.
    """
    return DisplayMaker(display, host)()


def open_oled(display: DisplaySettings, host: Host, before: "Place | None" = None) -> "Oled":
    """Open the OLED that the settings describe, whatever kind of display they ask for.

    Args:
        display: the settings.
        host: lends the pins of an SPI display.
        before: where it was, as long as it was there.

    Raises:
        OutputError: it cannot be opened; says what to do.
    """
    from edge.outputs.oled import Oled
    from edge.outputs.oled_search import candidates

    spi = display.interface == "spi"

    def opened(driver: str, place: "Place | None", taken: str) -> Oled:
        return Oled(
            device=driver,
            interface=display.interface,
            port=display.spi_port if place is None else place.port,
            address=0x3C if place is None else place.address,
            spi_device=display.spi_device,
            gpio_dc=display.gpio_dc,
            gpio_rst=display.gpio_rst,
            width_px=display.width_px or None,
            height_px=display.height_px or None,
            column_offset=None if display.column_offset == "auto" else display.column_offset,
            row_offset=None if display.row_offset == "auto" else display.row_offset,
            rotate=display.rotate,
            contrast=display.contrast,
            fps=display.rate_hz,
            gpio=host.pins.gpio() if spi else None,
            place=place,
            taken=taken,
        )

    if spi:
        asked = "An SPI display cannot say which chip it has: it is taken for an {}."
        taken = asked.format(USUAL.upper()) if display.driver == "auto" else ""
        return opened(USUAL if display.driver == "auto" else display.driver, None, taken)
    port = None if display.i2c_port == "auto" else display.i2c_port
    address = None if display.i2c_address == "auto" else display.i2c_address
    problem: MienError | None = None
    for driver, place, taken in candidates(display.driver, port, address, before):
        try:
            return opened(driver, place, taken)
        except OutputError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def _open_window(display: DisplaySettings) -> Output:
    """Open a window, but not where SDL would open one that nobody can see."""
    from edge.outputs.oled import Oled

    names = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in names):
        raise OutputError(
            "There is no desktop to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set): "
            "start Mien from a desktop session, or choose --display terminal."
        )
    width, height = display.panel_px
    return Oled(
        device="window",
        width_px=width,
        height_px=height,
        rotate=display.rotate,
        fps=display.rate_hz,
        options={"mode": "1" if display.chip.mode == "1" else "RGB"},
        drawn_as=display.chip.mode,
    )


ADAPTER = OutputAdapter(DisplaySettings, make)
