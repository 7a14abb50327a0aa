"""What the system lets this process have: address space and open files, as `ulimit` sets them.

Under a low limit libraries fail in ways of their own: as missing packages, by SIGSEGV, or with a
hundred lines of a debugger. So the limits are looked at before any is loaded, and errors that come
from them all the same are told from others.
"""

import errno
import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edge.errors import LimitError

FILES: Final = 96
"""Devices, libraries, 32 programs at the events socket, and as many again to be sent away."""
CORE_MB: Final = 100
"""Libraries reserve stacks and arenas for a thread on each core."""
_WORDS: Final = (
    "cannot allocate memory",
    "failed to map segment",
    "can't start new thread",
    "too many open files",
    "not enough memory",
    "bad_alloc",
)
_NUMBERS: Final = (errno.ENOMEM, errno.EMFILE, errno.ENFILE)


@dataclass(frozen=True)
class Limit:
    """One of the limits."""

    number: int
    """As getrlimit(2) calls it."""
    what: str
    flag: str
    """Of the shell's ulimit."""
    key: str
    """As systemd calls it."""
    least: int
    """What Mien needs of it."""
    unit: int = 1
    """What people count in."""


def limits(cores: int | None = None) -> tuple[Limit, ...]:
    """What Mien needs on a processor with so many *cores*; None for this one.

    On two cores a run with 1,700 MB of address space or 800 MB of data works, one with 1,600 or 400
    does not.
    """
    extra = (cores or os.cpu_count() or 4) * CORE_MB
    mega = 1_000_000
    return (
        Limit(resource.RLIMIT_AS, "MB of address space", "-v", "AS", (1_800 + extra) * mega, mega),
        Limit(resource.RLIMIT_DATA, "MB of data", "-d", "DATA", (600 + extra) * mega, mega),
        Limit(resource.RLIMIT_NOFILE, "open files", "-n", "NOFILE", FILES),
    )


def check_limits() -> None:
    """Raise each limit that is too low as far as the system allows.

    Raises:
        LimitError: that does not suffice; says which and what to do.
    """
    for sentence in too_low():
        raise LimitError(f"{sentence}.")


def too_low() -> Iterator[str]:
    """What is wrong with each limit that is too low and cannot be raised: "what; the fix"."""
    for limit in limits():
        soft, hard = resource.getrlimit(limit.number)
        if not _below(soft, limit.least):
            continue
        if not _below(hard, limit.least):
            resource.setrlimit(limit.number, (limit.least, hard))
            continue
        yield (
            f"This process may have {hard // limit.unit:,} {limit.what} and Mien needs "
            f"{limit.least // limit.unit:,}; raise that limit (ulimit {limit.flag}, or "
            f"Limit{limit.key}= of a service)"
        )


def _below(limit: int, least: int) -> bool:
    return limit != resource.RLIM_INFINITY and limit < least


def scarcity(error: BaseException) -> str:
    """One sentence if *error* comes of too little memory or too few files or threads, else "".

    What it was raised from counts as well: libraries that cannot be loaded for that look like missing
    ones.
    """
    cause: BaseException | None = error
    while cause is not None:
        short = isinstance(cause, MemoryError)
        if isinstance(cause, OSError):
            short = short or cause.errno in _NUMBERS
        if short or scarce(str(cause)):
            reason = str(cause) or "out of memory"
            return (
                f"There is too little memory, or too few files or threads may be open ({reason}): "
                "close other programs, or raise the limits that ulimit -a shows."
            )
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return ""


def scarce(text: str) -> bool:
    """Whether *text*, of a library or a program, complains of too little memory or too few files."""
    return any(words in text.lower() for words in _WORDS)
