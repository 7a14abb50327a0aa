"""Settings of what rests while nobody is there, and of slowing down under heat and load."""

from edge.settings_fields import Section, setting


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
