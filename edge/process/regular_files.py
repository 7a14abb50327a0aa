"""Opens the files that a person names: regular ones alone, and none larger than it may be.

A pipe is waited for and /dev/zero is read for ever, and opening a device may set it off. So what is
no regular file is not even opened. What is read is read whole: a file that is cut short while it
is mapped into memory ends the process (SIGBUS), as a card with errors does.
"""

import errno
import os
import stat
from collections.abc import Iterable
from typing import BinaryIO, Final

StrPath = str | os.PathLike[str]

_OTHER_KINDS: Final = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(file: StrPath, most_bytes: int) -> BinaryIO:
    """Open *file* to read it as bytes.

    Raises:
        OSError: it cannot be opened, is no regular file, or is larger than *most_bytes*;
            `strerror` says which, to be put in brackets.
    """
    try:
        # Looked at before it is opened, and once more afterwards: it may be another by then.
        _check(os.stat(file), file, most_bytes)
        number = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except ValueError as error:  # a name with a null character
        raise OSError(errno.EINVAL, "there is no such name", os.fspath(file)) from error
    try:
        _check(os.fstat(number), file, most_bytes)
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_regular(file: StrPath, most_bytes: int) -> bytes:
    """All of *file*, which is at most *most_bytes* long.

    Raises:
        OSError: as `open_regular`, or it cannot be read.
    """
    with open_regular(file, most_bytes) as stream:
        content = stream.read(most_bytes + 1)
    if len(content) > most_bytes:  # it grows, or a file system tells no sizes, as /proc
        raise _too_large(file, most_bytes)
    return content


def is_one_of(target: StrPath, others: Iterable[StrPath | None]) -> bool:
    """Whether writing to *target* would write to one of *others*, by whatever name or link."""
    for other in others:
        try:
            if other is not None and os.path.samefile(target, other):
                return True
        except (OSError, ValueError):  # one of them does not exist, so they are two
            continue
    return False


def _check(found: os.stat_result, file: StrPath, most_bytes: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _OTHER_KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a file", os.fspath(file))
    if found.st_size > most_bytes:
        raise _too_large(file, most_bytes)


def _too_large(file: StrPath, most_bytes: int) -> OSError:
    size = (
        f"{most_bytes / 1e6:,.0f} MB" if most_bytes >= 1_000_000 else f"{most_bytes / 1e3:.0f} kB"
    )
    return OSError(errno.EFBIG, f"it is larger than {size}", os.fspath(file))
