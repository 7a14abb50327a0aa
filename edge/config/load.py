"""Reads the settings from the places that a person may set them in.

Each place overrides the ones before it: built in, `/etc/mien/config.toml`, the file given with
`--config`, the environment (`MIEN_CAMERA__SOURCE=1` sets `[camera] source`), the flags of the
command line. A name that does not exist is refused with the nearest one that does.
"""

import difflib
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import ValidationError

from edge.config import paths as own_paths
from edge.config.adapters import registry
from edge.config.names import PREFIX, find_field, misnamed, setting_paths, variable_name
from edge.config.render import allowed, keys_of, toml_value
from edge.config.schema import Settings
from edge.errors import SettingsError
from edge.process.regular_files import read_regular

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OTHER_VARIABLES: Final = frozenset({"MIEN_DEBUG"})
"""Variables of ours that are not settings."""

LARGEST_BYTES: Final = 1_000_000
"""Of a settings file. One with every setting explained has 15 kB."""

_LONGEST_SHOWN: Final = 200
"""Signs of a wrong value that a message repeats."""

Table = dict[str, Any]


@dataclass(frozen=True)
class Loaded:
    """The effective settings and where each of them came from."""

    settings: Settings
    origins: Mapping[str, str] = field(default_factory=dict)
    """Dotted path -> file, environment variable or flag; a built-in value has no entry."""


@dataclass(frozen=True)
class Layer:
    """What one place sets."""

    values: Mapping[tuple[str, ...], Any]
    """By path: ("camera", "rate_hz")."""
    origins: Mapping[tuple[str, ...], str]
    """For a person who wants to change it: a file and line, a variable, a flag."""


def load_settings(
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, tuple[str, Any]] | None = None,
    system: Path | None = None,
) -> Loaded:
    """The settings that hold.

    Args:
        config: a file that has to exist, given with `--config`.
        environment: `os.environ` when None.
        flags: dotted path -> (flag as typed, value), such as {"camera.source": ("--camera", 1)}.
        system: a file that may exist; `/etc/mien/config.toml` when None.

    Raises:
        SettingsError: something is wrong; the sentence names the place, the setting and what it
            may be.
    """
    loaded, problems = try_settings(config, environment, flags, system)
    if loaded is None or problems:
        more = len(problems) - 1
        hint = f" ({more} more: see mien config check)" if more else ""
        raise SettingsError(problems[0] + hint)
    return loaded


def try_settings(
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, tuple[str, Any]] | None = None,
    system: Path | None = None,
) -> tuple[Loaded | None, list[str]]:
    """As `load_settings`, but gives every problem as a sentence instead of raising the first."""
    problems: list[str] = []
    layers = []
    system = system or own_paths.SYSTEM_CONFIG
    try:
        if system.exists():
            layers.append(read_file(system, problems))
        if config is not None:
            layers.append(read_file(config, problems))
    except SettingsError as error:
        return None, [str(error)]
    layers.append(read_environment(os.environ if environment is None else environment, problems))
    layers.append(_read_flags(flags or {}))
    values: Table = {}
    origins: dict[tuple[str, ...], str] = {}
    for layer in layers:
        for path, value in layer.values.items():
            _put(values, path, value)
            origins[path] = layer.origins[path]
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        return None, problems + _explain(error, origins)
    named = {".".join(path): origin for path, origin in origins.items()}
    return (None if problems else Loaded(settings, named)), problems


def read_file(path: Path, problems: list[str]) -> Layer:
    """What the TOML file at *path* sets; names that do not exist are added to *problems*.

    Raises:
        SettingsError: it cannot be read or is no TOML.
    """
    try:
        text = read_regular(path, LARGEST_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(
            f"There is no settings file {path}; write one with: mien config default > "
            + shlex.quote(str(path))
        ) from None
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read ({error.strerror}); "
            "name a file that you may read."
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"The settings file {path} is not UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from error
    try:
        table = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one, and so is a number of 5,000 digits
        raise SettingsError(f"{path} is not valid TOML: {_gentle(str(error))}") from error
    except RecursionError:
        raise SettingsError(
            f"{path} nests too deeply for settings: write [section] and name = value."
        ) from None
    lines = _lines(text)
    values: dict[tuple[str, ...], Any] = {}
    origins = {}
    for key_path, value in _leaves(table):
        if key_path[0] in registry().broken:
            continue  # what a broken package had to be told is no mistake of this file
        line = lines.get(key_path)
        origin = f"{path}, line {line}" if line else str(path)
        problem = misnamed(key_path, value)
        if problem:
            problems.append(f"{origin}: {problem}")
        else:
            values[key_path], origins[key_path] = value, origin
    return Layer(values, origins)


def read_environment(environment: Mapping[str, str], problems: list[str]) -> Layer:
    """What variables such as MIEN_CAMERA__SOURCE set; unknown ones are added to *problems*."""
    values: dict[tuple[str, ...], Any] = {}
    origins = {}
    known = {variable_name(path): path for path in setting_paths()}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in OTHER_VARIABLES:
            continue
        if name.removeprefix(PREFIX).partition("__")[0].lower() in registry().broken:
            continue
        if name not in known:
            near = difflib.get_close_matches(name, [*known, *OTHER_VARIABLES], 1, 0.75)
            hint = f"; did you mean {near[0]}?" if near else "; docs/settings.md has the names."
            problems.append(f"The environment sets {name}, which is no setting of Mien{hint}")
            continue
        path = known[name]
        values[path], origins[path] = _parse(path, environment[name]), name
    return Layer(values, origins)


def _read_flags(flags: Mapping[str, tuple[str, Any]]) -> Layer:
    paths = {tuple(name.split(".")): entry for name, entry in flags.items()}
    return Layer(
        {
            path: _parse(path, value) if isinstance(value, str) else value
            for path, (_, value) in paths.items()
        },
        {path: flag for path, (flag, _) in paths.items()},
    )


def _parse(path: tuple[str, ...], text: str) -> Any:
    """What a person meant by *text* without TOML's quotes: a number, true, or a text."""
    info = find_field(path)
    if info is None or not _takes_more_than_text(info.annotation):
        return text
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, (bool, int, float, list)) else text


def _takes_more_than_text(annotation: Any) -> bool:
    if get_args(annotation) and all(isinstance(choice, str) for choice in get_args(annotation)):
        return False  # a Literal of texts: "70-30" stays one
    return annotation is not str and getattr(annotation, "__origin__", None) is not str


def _leaves(table: Table, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values of nested tables by path; a table where a value belongs is a value."""
    for key, value in table.items():
        here = (*path, key)
        info = find_field(here)
        is_table = not path or (info is not None and keys_of(info) and len(here) == 2)
        known = bool(path) or key in Settings.model_fields
        if isinstance(value, dict) and is_table and (value or known):
            yield from _leaves(value, here)
        else:
            yield here, value


def _explain(error: ValidationError, origins: Mapping[tuple[str, ...], str]) -> list[str]:
    """One sentence for each setting that pydantic refused."""
    sentences: dict[tuple[str, ...], str] = {}
    for detail in error.errors(include_url=False):
        location = tuple(str(part) for part in detail["loc"])
        if detail["type"] == "mien":
            context = detail["ctx"]
            paths = [(*location, *path.split(".")) for path in str(context["paths"]).split()]
            places = [place for place in (_place(path, origins) for path in paths) if place]
            flags = {path: flag for path in paths if (flag := _flag(path, origins))}
            sentence = str(context["sentence"])
            for path, flag in flags.items():
                sentence = sentence.replace(_name(path), flag)
            if any(flag in sentence for flag in flags.values()):
                places = []  # the sentence says where
            sentences[paths[0]] = f"{''.join(places[:1])}{sentence}."
            continue
        info = find_field(location)
        path = location[: 3 if info is not None and keys_of(info) else 2]
        found = detail["input"]
        if info is None:
            sentences[path] = f"{_place(path, origins)}[{'.'.join(path)}] has to be a section."
            continue
        flag = _flag(path, origins)
        sentences[path] = (
            f"{flag or _place(path, origins) + _name(path)} is {_shortened(found)}, "
            f"but has to be {allowed(info, whole=len(path) < 3)}."
        )
    return list(sentences.values())


def _shortened(value: Any) -> str:
    """*value* as TOML has it, but no page of it."""
    if isinstance(value, int) and abs(value) >= 10**_LONGEST_SHOWN:
        return "a number with too many digits"
    text = toml_value(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _place(path: tuple[str, ...], origins: Mapping[tuple[str, ...], str]) -> str:
    """Where the setting at *path*, or something below it, was set, as the start of a sentence."""
    for candidate, origin in reversed(list(origins.items())):
        if candidate[: len(path)] == path or path[: len(candidate)] == candidate:
            return f"{origin}: "
    return ""


def _flag(path: tuple[str, ...], origins: Mapping[tuple[str, ...], str]) -> str:
    """The flag that has set *path*, which is what the person knows it by; "" if none has."""
    origin = origins.get(path, "")
    return origin if origin.startswith("--") else ""


def _name(path: tuple[str, ...]) -> str:
    """How a file of settings names the setting at *path*."""
    return f"[{'.'.join(path[:-1])}] {path[-1]}"


def _put(values: Table, path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        below = values.get(key)
        if not isinstance(below, dict):
            below = values[key] = {}
        values = below
    values[path[-1]] = value


def _gentle(message: str) -> str:
    """Turn `Invalid value (at line 3, column 5)` into `line 3, column 5: invalid value.`."""
    match = re.fullmatch(r"(.*) \(at (.*)\)", message, re.DOTALL)
    if not match:
        return f"{message}."
    where = match[2].replace("end of document", "at the end of the file")
    return f"{where}: {match[1][0].lower()}{match[1][1:]}."


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Line numbers of plain `key = value` lines by path, good enough to point a person at them."""
    found: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([\w.\- ]+?)\s*\]", line)
        key = re.match(r"\s*([\w.\-]+)\s*=", line)
        if header:
            section = tuple(part.strip() for part in header[1].split("."))
        elif key:
            found.setdefault((*section, *key[1].split(".")), number)
    return found
