"""Writes settings down: as TOML, as comments, as the table in docs/settings.md."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edge.config.schema import Settings

HEADER = """\
# Settings of Mien. Every value below is the built-in one: change what you like, delete the rest.
# Mien reads this file from /etc/mien/config.toml, or from anywhere with --config FILE.
# `mien config check` says whether it is right.
"""


def keys_of(info: FieldInfo) -> list[str]:
    """The names that a table setting such as `emotion_pins` may hold; empty for a plain one."""
    if get_origin(info.annotation) is not dict:
        return []
    return list(get_args(get_args(info.annotation)[0]))


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """Name and model of every section, in the order of the file."""
    for name, info in Settings.model_fields.items():
        assert isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
        yield name, info.annotation


def toml_value(value: Any, *, hexadecimal: bool = False) -> str:
    """*value* as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and hexadecimal:
        return f"0x{value:02X}"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        escaped = "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)
        return f'"{escaped}"'
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    return str(value)


def allowed(info: FieldInfo, *, whole: bool = True) -> str:
    """What a setting may be, to end the sentence "it has to be ...".

    Args:
        info: the field of the setting.
        whole: False for one entry of a table setting.
    """
    extra = info.json_schema_extra
    if whole and isinstance(extra, dict) and "allowed" in extra:
        return str(extra["allowed"])
    if keys_of(info):
        return _allowed_type(get_args(info.annotation)[1], [])
    return _allowed_type(info.annotation, info.metadata)


def _allowed_type(annotation: Any, metadata: list[Any]) -> str:
    if hasattr(annotation, "__metadata__"):
        for item in annotation.__metadata__:
            metadata = metadata + list(getattr(item, "metadata", [item]))
        annotation = annotation.__origin__
    if get_origin(annotation) is Literal:
        choices = [toml_value(choice) for choice in get_args(annotation)]
        return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"
    if get_args(annotation):
        return " or ".join(_allowed_type(part, []) for part in get_args(annotation))
    if annotation is bool:
        return "true or false"
    if annotation is str:
        return "a text in quotes"
    noun = "a whole number" if annotation is int else "a number"
    return noun + _bounds(metadata)


def _bounds(metadata: list[Any]) -> str:
    low = next((item.ge for item in metadata if hasattr(item, "ge")), None)
    above = next((item.gt for item in metadata if hasattr(item, "gt")), None)
    high = next((item.le for item in metadata if hasattr(item, "le")), None)
    if above is not None:
        return f" above {above}" + (f" and up to {high}" if high is not None else "")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f" from {low}" if low is not None else ""


def default_toml() -> str:
    """A settings file with every setting explained, which loads to the built-in ones."""
    parts = [HEADER]
    settings = Settings()
    for section, model in sections():
        parts.append(f"\n# {model.__doc__}\n[{section}]\n")
        values = getattr(settings, section)
        tables = []
        for name, info in model.model_fields.items():
            comment = _wrapped(f"{info.description} Allowed: {allowed(info)}.", "# ")
            if keys_of(info):
                example = "\n".join(f"# {key} = {item}" for key, item in _example(info).items())
                tables.append(f"\n{comment}\n# [{section}.{name}]\n{example}\n")
                continue
            value = toml_value(getattr(values, name), hexadecimal=name == "i2c_address")
            parts.append(f"\n{comment}\n{name} = {value}\n")
        parts += tables
    return "".join(parts)


def effective_toml(settings: Settings, origins: Mapping[str, str]) -> str:
    """The settings that hold as a TOML file, each with a comment that says where it came from."""
    rows: list[tuple[str, str]] = []
    for section, model in sections():
        rows.append((f"[{section}]", ""))
        values = getattr(settings, section)
        tables: list[tuple[str, str]] = []
        for name, info in model.model_fields.items():
            value = getattr(values, name)
            path = f"{section}.{name}"
            if keys_of(info):
                if value:
                    tables.append((f"[{path}]", ""))
                    tables += [
                        (f"{key} = {toml_value(item)}", origins.get(f"{path}.{key}", "built in"))
                        for key, item in value.items()
                    ]
                continue
            text = toml_value(value, hexadecimal=name == "i2c_address")
            rows.append((f"{name} = {text}", origins.get(path, "built in")))
        rows += [*tables, ("", "")]
    width = min(40, max(len(text) for text, origin in rows if origin))
    lines = [f"{text:<{width}}  # {origin}" if origin else text for text, origin in rows]
    return "\n".join(lines).rstrip() + "\n"


def settings_page() -> str:
    """The text of docs/settings.md."""
    parts = [PAGE_HEADER]
    settings = Settings()
    for section, model in sections():
        parts.append(f"\n## [{section}]\n\n{model.__doc__}\n\n")
        parts.append("| setting | built in | may be | what it does |\n|---|---|---|---|\n")
        for name, info in model.model_fields.items():
            value = getattr(getattr(settings, section), name)
            text = toml_value(value, hexadecimal=name == "i2c_address")
            shown = "none" if keys_of(info) else f"`{text}`"
            parts.append(f"| `{name}` | {shown} | {allowed(info)} | {info.description} |\n")
    return "".join(parts)


PAGE_HEADER = """\
# Settings

*This page is written by `python -m edge.config.render > docs/settings.md`; change
`edge/config/schema.py` or the adapter's own file instead.*

Mien runs without any settings. To change some, write them into `/etc/mien/config.toml`:

```toml
[camera]
source = "/dev/video2"

[leds.emotion_pins]
happy = 5
sad = 6
```

Each place overrides the ones before it:

1. what is built in,
2. `/etc/mien/config.toml`,
3. the file given with `--config FILE`,
4. the environment: `MIEN_` and the names of section and setting in capitals, joined by two
   underscores: `MIEN_CAMERA__SOURCE=1`, `MIEN_LEDS__EMOTION_PINS__HAPPY=5`,
5. the flags of the command line, such as `--camera 1`.

`mien config show` prints what holds and where each value came from, `mien config check` finds
mistakes, and `mien config default` prints a file with everything in it, explained. A name that
does not exist is refused, so that a slip of the pen cannot pass for a setting.

GPIOs are given by their BCM number.
"""


def _example(info: FieldInfo) -> dict[str, Any]:
    extra = info.json_schema_extra
    example = extra.get("example") if isinstance(extra, dict) else None
    return dict(example) if isinstance(example, dict) else {}


def _wrapped(text: str, indent: str) -> str:
    return "\n".join(
        textwrap.wrap(
            text,
            96,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


if __name__ == "__main__":
    print(settings_page(), end="")
