"""Whether this user may open the devices that are there."""

import grp
import os
import pwd
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from edge.diagnostics.checks import Check

DEVICES: Final = (
    ("video*", "cameras"),
    ("i2c-*", "I2C"),
    ("spidev*", "SPI"),
    ("gpiochip*", "GPIO"),
    ("snd/pcm*c", "microphones"),
)
"""Patterns under /dev, and what lies behind them."""


def check_access(
    dev: Path = Path("/dev"),
    may_use: Callable[[Path], bool] | None = None,
    group_of: Callable[[Path], str] | None = None,
    own_groups: Sequence[str] | None = None,
) -> Iterator[Check]:
    """One check for all groups that this user would have to be in."""
    closed: dict[str, str] = {}
    seen = []
    for pattern, name in DEVICES:
        node = next(iter(sorted(dev.glob(pattern))), None)
        if node is None:
            continue
        if (may_use or _may_use)(node):
            seen.append(name)
        else:
            closed.setdefault((group_of or _group_of)(node), name)
    if not closed:
        yield Check("permissions", "ok", ", ".join(seen) or "no devices to open")
        return
    says = f"{', '.join(closed.values())}: not yours to open"
    listed = _listed_groups() if own_groups is None else own_groups
    groups = [name for name in closed if name not in listed]
    if "root" in closed:
        fix = f"let a group open {closed['root']}: see docs for the udev rules"
    elif groups:
        fix = f"sudo usermod -aG {','.join(groups)} {_user()}, then log in again"
    else:
        fix = "log out and in again: the groups are granted, but not in this session"
    yield Check("permissions", "warning", says, fix)


def _may_use(node: Path) -> bool:
    return os.access(node, os.R_OK | os.W_OK)


def _group_of(node: Path) -> str:
    number = node.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _listed_groups() -> list[str]:
    """The groups of this user by /etc/group, which a session takes on when it begins."""
    user = _user()
    return [group.gr_name for group in grp.getgrall() if user in group.gr_mem]


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
