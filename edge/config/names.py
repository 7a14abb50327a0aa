"""The names of the settings: which there are, how the environment spells them, and near misses."""

import difflib
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edge.config.render import keys_of
from edge.config.schema import Settings

PREFIX: Final = "MIEN_"


def setting_paths() -> Iterator[tuple[str, ...]]:
    """Every path that a single value can be put at: ("leds", "emotion_pins", "happy") as well."""
    for section, info in Settings.model_fields.items():
        model = info.annotation
        assert isinstance(model, type) and issubclass(model, BaseModel)
        for name, setting in model.model_fields.items():
            keys = keys_of(setting)
            if keys:
                yield from ((section, name, key) for key in keys)
            else:
                yield (section, name)


def variable_name(path: tuple[str, ...]) -> str:
    """("camera", "rate_hz") -> MIEN_CAMERA__RATE_HZ."""
    return PREFIX + "__".join(path).upper()


def find_field(path: tuple[str, ...]) -> FieldInfo | None:
    """The field at *path* ("camera", "rate_hz", and anything below it); None if there is none."""
    section = Settings.model_fields.get(path[0]) if path else None
    model = section.annotation if section else None
    if len(path) < 2 or not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    return model.model_fields.get(path[1])


def misnamed(path: tuple[str, ...], value: Any) -> str:
    """A sentence on the name at *path*; empty when there is such a setting."""
    sections = list(Settings.model_fields)
    if path[0] not in sections:
        if len(path) > 1 or isinstance(value, dict):
            near = nearest(path[0], sections, "[{}]")
            return f"there is no section [{path[0]}]{near or '; there are ' + ', '.join(sections)}"
        homes = [section for section in sections if find_field((section, path[0]))]
        hint = f"; it belongs under [{homes[0]}]." if homes else nearest(path[0], sections, "[{}]")
        return f'"{path[0]}" stands outside any section{hint or "."}'
    if len(path) == 1:
        return f"{path[0]} has to be a section: [{path[0]}] on a line of its own."
    info = find_field(path)
    if info is None:
        names = [names[1] for names in setting_paths() if names[0] == path[0]]
        homes = [section for section in sections if find_field((section, path[1]))]
        hint = f"; it belongs under [{homes[0]}]." if homes else nearest(path[1], names)
        hint = hint or f"; it has {', '.join(dict.fromkeys(names))}."
        return f'there is no setting "{path[1]}" in [{path[0]}]{hint}'
    keys = keys_of(info)
    if keys and len(path) > 2 and path[2] not in keys:
        hint = nearest(path[2], keys) or f"; it has {', '.join(keys)}."
        return f'there is no "{path[2]}" in [{path[0]}.{path[1]}]{hint}'
    return ""


def nearest(name: str, names: list[str], shape: str = '"{}"') -> str:
    """The end of a sentence about a wrong *name*: the closest of *names*, or nothing."""
    near = difflib.get_close_matches(name.lower(), names, 1, 0.5)
    return f"; did you mean {shape.format(near[0])}?" if near else ""
