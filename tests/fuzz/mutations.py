"""Damage: of bytes, of values in JSON and TOML, and of what kind of file it is."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

LARGE_BYTES: Final = 10**11
NUMBERS: Final[tuple[float, ...]] = (
    *(0, -1, 1, 2, 255, 256, 65_536, 10**9, -(10**9), 2**31, 2**63, 10**30, 10**400),
    *(0.0, -0.0, 1e-320, 1e-9, 0.5, 1.5, 1e9, 1e308, float("inf"), float("-inf"), float("nan")),
)
NASTY: Final[tuple[Any, ...]] = (
    *NUMBERS,
    *(
        True,
        False,
        None,
        "",
        " ",
        "0",
        "1e999",
        "nan",
        "auto",
        "none",
        ".",
        "..",
        "-",
        "x" * 10_000,
    ),
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "/dev/zero",
        "/dev/stdin",
        "a\0b",
        "a\nb",
        "\x1b[2J\x9b31m",
    ),
    *("[/x] [bold]", "\u202eevil", "{}", "%s%n", "mien", "7" * 5_000),
    *([], [[]], [0], {}, {"": 0}, [float("nan")] * 7, [0.0] * 7, [1e308] * 7),
)
"""Values that are refused, or do no harm."""


def bytes_of(random: Random, whole: bytes) -> bytes:
    """*whole* with some damage that a card, a cable or a person does."""
    data = bytearray(whole)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        random.choice(_BYTE_DAMAGES)(random, data)
    return bytes(data)


def _flip(random: Random, data: bytearray) -> None:
    for _ in range(random.choice((1, 1, 4, 32))):
        if data:
            data[_place(random, data)] ^= 1 << random.randrange(8)


def _overwrite(random: Random, data: bytearray) -> None:
    at, length = _place(random, data), random.choice((1, 2, 4, 8, 64, 4096))
    fill = random.choice((b"\0", b"\xff", random.randbytes(1), b"\x7f\xff\xff\xff"))
    data[at : at + length] = (fill * length)[: len(data[at : at + length])]


def _cut(random: Random, data: bytearray) -> None:
    del data[_place(random, data) :]


def _drop(random: Random, data: bytearray) -> None:
    at = _place(random, data)
    del data[at : at + random.choice((1, 3, 512, 100_000))]


def _insert(random: Random, data: bytearray) -> None:
    at = _place(random, data)
    data[at:at] = random.choice((random.randbytes(16), b"\0" * 512, bytes(data[:64]), b"\xff"))


def _double(random: Random, data: bytearray) -> None:
    data.extend(bytes(data))


_BYTE_DAMAGES: Final[tuple[Callable[[Random, bytearray], None], ...]] = (
    *(_flip, _flip, _flip, _overwrite, _overwrite, _cut, _drop, _insert, _double),
)


def _place(random: Random, data: bytearray) -> int:
    """Often near the start or the end, where headers and tables are."""
    if not data:
        return 0
    if random.random() < 0.4:
        near = random.randrange(min(len(data), 256))
        return near if random.random() < 0.7 else len(data) - 1 - near
    return random.randrange(len(data))


def json_of(random: Random, text: str, often: Sequence[str] = ()) -> str:
    """JSON *text* with wrong, missing or further values; sometimes damaged as text.

    Args:
        random: decides.
        text: an object or a list.
        often: dotted paths of tables in it that most of the damages are in.
    """
    content = json.loads(text)
    for _ in range(random.choice((1, 1, 1, 1, 1, 3))):
        start = content
        if often and random.random() < 0.7:
            for name in random.choice(often).split("."):
                start = start.get(name) if isinstance(start, dict) else None
        holder, key = _somewhere(random, start if isinstance(start, (dict, list)) else content)
        what = random.random()
        if key is None or what < 0.1:
            _add(random, holder)
        elif what < 0.2:
            del holder[key]
        else:
            holder[key] = _near(random, holder[key])
    damaged = json.dumps(content, ensure_ascii=False)
    if random.random() < 0.1:
        damaged = random.choice(("[" * 10_000, "\ufeff", "")) + damaged
    return damaged


def _near(random: Random, value: Any) -> Any:
    """Another value: as often a plausible one as a nasty one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and random.random() < 0.85:
        near = (value * 2, value / 2, -value, value + 1, value - 1, value * 1000)
        return random.choice((*near, *NUMBERS))
    return random.choice(NASTY)


def _add(random: Random, holder: Any) -> None:
    if isinstance(holder, dict):
        holder[random.choice(("extra", "", "a\nb"))] = random.choice(NASTY)
    else:
        holder.append(random.choice(NASTY))


def _somewhere(random: Random, content: Any) -> tuple[Any, Any]:
    """A table or list in *content* and a key of it, found by walking down: what is rare is likely."""
    while True:
        keys = list(content) if isinstance(content, dict) else list(range(len(content)))
        if not keys:
            return content, None
        key = random.choice(keys)
        below = content[key]
        if not isinstance(below, (dict, list)) or random.random() < 0.15:
            return content, key
        content = below


def toml_of(random: Random, text: str) -> str:
    """TOML *text* with other values, names and lines; sometimes damaged as text."""
    lines = text.splitlines()
    for _ in range(random.choice((1, 1, 2, 4))):
        places = [number for number, line in enumerate(lines) if " = " in line]
        at = random.choice(places) if places else 0
        name, _, value = lines[at].partition(" = ")
        what = random.random()
        if what < 0.6:
            lines[at] = f"{name} = {_toml(random, value)}"
        elif what < 0.7:
            lines[at] = f"{name[:-1]} = {value}"
        elif what < 0.8:
            lines.insert(at, lines[at])
        elif what < 0.9:
            lines.insert(
                at, random.choice(("[[camera]]", "[x.y]", "= 1", "a.b.c = 1", "[" * 5_000))
            )
        else:
            del lines[at]
    return "\n".join(lines)


def _toml(random: Random, value: str) -> str:
    if random.random() < 0.3:
        return random.choice(
            ("nan", "inf", "-inf", "1979-05-27", "'''a\nb'''", "0x" + "f" * 5_000, "")
        )
    chosen = random.choice(NASTY)
    if isinstance(chosen, float):
        return repr(chosen)
    return json.dumps(chosen) if chosen is not None else value.upper()


def another_kind(random: Random, file: Path) -> None:
    """Put something else in the place of *file*."""
    file.unlink()
    kind = random.randrange(6)
    if kind == 0:
        os.mkfifo(file)
    elif kind == 1:
        file.symlink_to(random.choice(("/dev/zero", "/dev/full", "/dev/tty", "/dev/stdin")))
    elif kind == 2:
        file.mkdir()
    elif kind == 3:
        file.symlink_to(file.name)
    elif kind == 4:
        file.touch()
        os.truncate(file, LARGE_BYTES)
    # else it is missing
