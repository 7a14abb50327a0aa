"""Every setting of Mien: its name, its default, what it may be and what it does.

The settings are read by `edge.config.load`; `docs/settings.md` and `mien config default` are
written from the fields below, so what is said here is what a person reads.
"""

from typing import Final, Literal, get_args

from pydantic import model_validator

from edge.config.fields import (
    UNCLAIMED,
    Emotion,
    Number,
    Pin,
    Section,
    Text,
    Weight,
    refuse,
    setting,
)

PRIOR: Final = {
    "angry": 0.13,
    "disgust": 0.09,
    "fear": 0.09,
    "happy": 0.2,
    "sad": 0.14,
    "surprise": 0.13,
    "neutral": 0.22,
}
"""As `edge.fusion.DEFAULT_PRIOR`, which is not imported here to keep numpy out."""


class CameraSettings(Section):
    """The camera that watches the face."""

    enabled: bool = setting(True, "Whether a camera is used at all.")
    source: Number | Text = setting(
        "auto",
        'Which camera: "auto" takes the first that delivers, 0 is /dev/video0, a path such as '
        '"/dev/v4l/by-id/..." is that device, "picamera" is the ribbon-cable camera of a Raspberry '
        'Pi and "csi" that of a Jetson.',
        allowed='"auto", a number from 0, a path, "picamera" or "csi"',
    )
    width_px: int = setting(640, "Width of the picture asked for.", ge=160, le=1920)
    height_px: int = setting(480, "Height of the picture asked for.", ge=120, le=1080)
    rate_hz: float = setting(30.0, "Pictures a second asked for.", ge=1, le=120)


class MicrophoneSettings(Section):
    """The microphone that listens to the voice."""

    enabled: bool = setting(True, "Whether a microphone is used at all.")
    device: Number | Text = setting(
        "auto",
        'Which microphone: "auto" takes the system\'s own choice, a number or a part of a name is '
        "that of `mien devices`.",
        allowed='"auto", a number from 0, or a part of a name',
    )


class FaceSettings(Section):
    """How faces are found."""

    range: Literal["short", "full"] = setting(
        "full",
        'How small faces may be: "full" finds them from 40 px in a 640 px picture (about 2 m with '
        'a usual webcam), "short" only from 80 px (about 1 m) at less than half the cost.',
    )
    min_score: float = setting(
        0.5, "Faces that the detector is less sure of are not looked at.", ge=0.1, le=0.95
    )
    search_width_px: int = setting(
        320,
        "The picture is scaled down to this width to look for faces; the detectors scale it down "
        "further themselves, so more than the default gains little.",
        ge=96,
        le=1280,
    )


class VoiceSettings(Section):
    """How the voice is read."""

    gate: Literal["silero"] = setting("silero", "Which detector says whether somebody speaks.")
    gate_threshold: float = setting(
        0.5, "How sure that detector has to be, 0 to 1.", ge=0.05, le=0.95
    )
    interval_s: float = setting(
        0.5, "How often the last seconds of sound are read, in seconds.", ge=0.1, le=5
    )


class FusionSettings(Section):
    """How face and voice become one mood."""

    weights: Literal["bayes", "70-30"] = setting(
        "bayes",
        '"bayes" weighs each sense by how well it sees or hears just now; "70-30" is the classic '
        "fixed sum of 70 % face and 30 % voice.",
    )
    confidence_floor: float = setting(
        0.35, 'Below this probability the mood is shown as "unsure".', ge=0.15, le=0.95
    )
    face_weight: float = setting(
        1.3, 'How much the face counts under "bayes": 0 is not at all, 1 as calibrated.', ge=0, le=4
    )
    voice_weight: float = setting(
        1.3,
        'How much the voice counts under "bayes": 0 is not at all, 1 as calibrated.',
        ge=0,
        le=4,
    )
    nobody_after_s: float = setting(
        1.5,
        "Seconds without a face or a voice after which the display falls asleep.",
        ge=0.5,
        le=60,
    )
    prior: dict[Emotion, Weight] = setting(
        {},
        "How likely each emotion is before anything is seen: all seven of them, in any proportion. "
        "Left out, neutral and happy are likelier than the rest, as the example shows.",
        allowed="all seven emotions, each above 0 and up to 1",
        example=PRIOR,
    )

    @model_validator(mode="after")
    def _prior_is_whole(self) -> "FusionSettings":
        missing = [name for name in get_args(Emotion) if name not in self.prior]
        if self.prior and missing:
            raise refuse(
                "prior", f"[fusion.prior] has to name all seven emotions: {missing[0]} is missing"
            )
        return self


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
        return self


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
    def _three_colours_or_none(self) -> "LedSettings":
        colours = {name: getattr(self, name) for name in ("red", "green", "blue")}
        unwired = [name for name, pin in colours.items() if pin == UNCLAIMED]
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


class EventSettings(Section):
    """The stream of JSON lines for other programs."""

    to: str = setting(
        "",
        'Where the events go: nowhere when empty, "-" is the standard output, a path is a file '
        'that is added to, "unix:/path" a UNIX socket.',
        allowed='empty, "-", a path, or "unix:" and a path',
    )
    interval_s: float = setting(
        0.25, "Seconds between mood events while nothing changes.", ge=0.02, le=60
    )

    @model_validator(mode="after")
    def _socket_has_a_path(self) -> "EventSettings":
        if self.to == "unix:":
            raise refuse("to", '[events] to is "unix:" without the path of a socket')
        return self


class IdleSettings(Section):
    """What rests while nobody is in view; somebody coming into view ends all of it at once."""

    enabled: bool = setting(True, "Whether anything rests at all.")
    slow_after_s: float = setting(
        10.0,
        "Seconds without anybody after which faces are looked for only twice a second.",
        ge=1,
        le=86400,
    )
    gate_after_s: float = setting(
        60.0,
        "Seconds without anybody after which faces are looked for only every two seconds, and at "
        "once when something moves.",
        ge=1,
        le=86400,
    )
    dim_after_s: float = setting(
        60.0, "Seconds without anybody after which the OLED is dimmed.", ge=1, le=86400
    )
    sleep_after_s: float = setting(
        300.0,
        "Seconds without anybody after which the OLED is switched off, so that its picture does "
        "not burn in; 0 is never.",
        ge=0,
        le=86400,
    )


class LoadSettings(Section):
    """Reading faces less often on a board that is hot or does not keep up."""

    enabled: bool = setting(True, "Whether the rate is lowered under heat and load.")
    hot_c: float = setting(
        80.0,
        "Temperature of the board from which the rate is lowered, in degrees Celsius. A Raspberry "
        "Pi slows itself down at 80 to 85.",
        ge=50,
        le=100,
    )


class ModelSettings(Section):
    """The neural networks."""

    folder: Text = setting(
        "auto",
        'Folder with the models and their manifest: "auto" is the one that came with Mien.',
        allowed='"auto" or the path of a folder',
    )


class CalibrationSettings(Section):
    """What one person looks and sounds like at rest, as `mien calibrate` found it."""

    file: Text = setting(
        "auto",
        'Where it is kept: "auto" is calibration.json in $STATE_DIRECTORY, else in /var/lib/mien '
        'where that may be written, else in ~/.local/state/mien; "none" does without. It shifts '
        'what counts as evidence under "bayes" and does nothing under "70-30".',
        allowed='"auto", "none" or a path',
    )


class Settings(Section):
    """All of Mien's settings; `Settings()` are the built-in ones."""

    camera: CameraSettings = CameraSettings()
    microphone: MicrophoneSettings = MicrophoneSettings()
    face: FaceSettings = FaceSettings()
    voice: VoiceSettings = VoiceSettings()
    fusion: FusionSettings = FusionSettings()
    display: DisplaySettings = DisplaySettings()
    leds: LedSettings = LedSettings()
    events: EventSettings = EventSettings()
    idle: IdleSettings = IdleSettings()
    load: LoadSettings = LoadSettings()
    models: ModelSettings = ModelSettings()
    calibration: CalibrationSettings = CalibrationSettings()

    @model_validator(mode="after")
    def _no_pin_twice(self) -> "Settings":
        claims: dict[int, tuple[str, str]] = {}
        for path, who, pin in self.pin_claims():
            if pin in claims:
                other_path, other = claims[pin]
                raise refuse(
                    f"{path} {other_path}",
                    f"{other} and {who} both claim GPIO {pin}; wire one of them to another pin",
                )
            claims[pin] = (path, who)
        return self

    def pin_claims(self) -> list[tuple[str, str, int]]:
        """Who uses which GPIO, as (dotted path of the setting, name for a person, BCM number)."""
        claims: list[tuple[str, str, int]] = []
        if self.display.kind in ("auto", "oled"):
            claims += self._display_claims()
        if self.leds.backend != "none":
            wired = {name: getattr(self.leds, name) for name in ("red", "green", "blue")}
            wired["recording_pin"] = self.leds.recording_pin
            wired |= {f"emotion_pins.{name}": pin for name, pin in self.leds.emotion_pins.items()}
            claims += [
                (f"leds.{name}", f"[leds] {name}", pin)
                for name, pin in wired.items()
                if pin != UNCLAIMED
            ]
        return claims

    def _display_claims(self) -> list[tuple[str, str, int]]:
        display = self.display
        claims: list[tuple[str, str, int]] = []
        bus: tuple[int, ...] = ()
        if display.interface == "spi":
            claims.append(("display.gpio_dc", "[display] gpio_dc", display.gpio_dc))
            claims.append(("display.gpio_rst", "[display] gpio_rst", display.gpio_rst))
            if display.spi_port == 0:
                # MISO, MOSI, SCLK and the chip select of the header's first SPI bus.
                bus = (9, 10, 11, 8 - display.spi_device)
        elif display.i2c_port == 1:
            bus = (2, 3)  # SDA and SCL of the header's I2C bus
        name = f"the {display.interface.upper()} bus of the display"
        return claims + [("display.interface", name, pin) for pin in bus]
