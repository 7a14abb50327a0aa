"""What the settings are made of: sections, fields and the types of their values."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

Emotion = Literal["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
"""As `edge.emotions.EMOTIONS`, which is not imported here to keep numpy out of `mien --help`."""

Pin = Annotated[int, Field(ge=0, le=27)]
"""A GPIO by its BCM number, as printed on every pin-out of the 40-pin header."""
Weight = Annotated[float, Field(gt=0, le=1)]
Number = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]

UNCLAIMED: Final = "none"
"""What a pin is set to when nothing is wired to it."""


PinClaim = tuple[str, str, int | str]
"""Who needs what for itself: the setting within its section, a name for a person, and the BCM number of
a GPIO, or what else it is, such as "SPI bus 1" or the path of a file that is written."""


class Section(BaseModel):
    """One table of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def pin_claims(self) -> list[PinClaim]:
        """The GPIOs and files that are used with these settings: nothing may be claimed twice."""
        return []


def setting(
    default: Any,
    description: str,
    *,
    allowed: str = "",
    example: dict[str, Any] | None = None,
    **bounds: Any,
) -> Any:
    """A field with its one-paragraph *description*.

    Args:
        default: the built-in value.
        description: what it does, with units, in words for the person who sets it.
        allowed: what it may be, where type and bounds do not say it well enough.
        example: entries to show for a table that is empty by default.
        **bounds: further arguments of `pydantic.Field`, such as ge and le.
    """
    extra: dict[str, Any] = {"allowed": allowed} if allowed else {}
    if example:
        extra["example"] = example
    return Field(default, description=description, json_schema_extra=extra or None, **bounds)


def refuse(paths: str, sentence: str) -> PydanticCustomError:
    """An error about settings that do not go together.

    Args:
        paths: of the settings to blame, parted by spaces; where the first of them that a person
            has set is written is where the loader points.
        sentence: what is wrong and what to do, without the full stop.
    """
    return PydanticCustomError("mien", "{sentence}", {"sentence": sentence, "paths": paths})


_ADDRESS: Final = re.compile(r"([a-z][a-z0-9+.\-]*)://", re.IGNORECASE)


def address_kind(text: object) -> str:
    """The kind of an address in a network, such as "rtsp" of rtsp://camera; "" if it is none."""
    found = _ADDRESS.match(text) if isinstance(text, str) else None
    return found[1] if found else ""
