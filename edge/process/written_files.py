"""Opens files for writing in folders that others may write to as well, and writes them whole.

In such a folder, a name may lead elsewhere: whoever put a link there would choose what Mien writes
over. Here every file is opened without following the links of others, and files that appear when they
are complete are begun under a name that nobody has put there before, readable by their owner alone.
"""

import contextlib
import errno
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

_MOST_LINKS: Final = 8
_PRIVATE: Final = 0o600


def owner_of(path: Path) -> str:
    """Who owns what is at *path*, which is not followed: a name, or a number without one."""
    try:
        return _name(path.lstat().st_uid)
    except OSError:
        return "somebody else"


def open_for_writing(path: Path, flags: int, mode: int = 0o644) -> tuple[int, Path]:
    """Open *path*, following only links of one's own and of root.

    Args:
        path: what to open; it may be a link.
        flags: as for `os.open`; without O_TRUNC, so that nothing is lost if it is refused.
        mode: of a file that is made, less the umask.

    Returns:
        The file descriptor, and where the file really lies.

    Raises:
        OSError: it cannot be opened. PermissionError if it is the link of another user, or lies in a
            folder that everybody may write to and belongs to another user.
    """
    for _ in range(_MOST_LINKS):
        if by_kernel(path):
            return os.open(path, flags | os.O_CLOEXEC, mode), path
        try:
            number = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            path = path.parent / _own_link(path)
            continue
        try:
            _refuse_planted(number, path)
        except BaseException:
            os.close(number)
            raise
        return number, path
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def nearest_there(path: Path) -> Path:
    """*path*, or the nearest of its parents that exists.

    Raises:
        OSError: it cannot be looked at.
    """
    path = path.absolute()
    return next(each for each in (path, *path.parents) if each.exists())


def by_kernel(path: Path) -> bool:
    """Whether *path* lies in /proc, whose links lead to open files and are nobody's."""
    return os.path.realpath(path.parent).startswith("/proc/")


def create_part(path: Path) -> int:
    """Make *path* anew for writing and reading, for its owner alone; what was there is removed first.

    Raises:
        OSError: it cannot be made, or what is there cannot be removed.
    """
    path.unlink(missing_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, _PRIVATE)


def publish(number: int, part: Path, path: Path) -> None:
    """Let the complete file *part*, open as *number*, become *path*, with the usual permissions.

    Raises:
        OSError: it cannot, or another file has taken the place of *part*, which stays.
    """
    mine, there = os.fstat(number), part.lstat()
    if (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino):
        raise FileExistsError(errno.EEXIST, "another program writes it as well", str(path))
    os.fchmod(number, 0o666 & ~_umask())
    os.replace(part, path)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which becomes *path* when all went well and else leaves nothing.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(create_part(part), "w+b") as stream:
        try:
            yield stream
            stream.flush()
            publish(stream.fileno(), part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise


def _own_link(path: Path) -> str:
    """Where the link *path* leads, if it is one's own or root's."""
    # Looked at and read by one descriptor: it cannot be exchanged in between.
    number = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(number)
        if status.st_uid not in (0, os.geteuid()):
            raise PermissionError(
                errno.EPERM, f"it is a link that belongs to {_name(status.st_uid)}", str(path)
            )
        return os.readlink("", dir_fd=number)
    finally:
        os.close(number)


def _refuse_planted(number: int, path: Path) -> None:
    """Raise PermissionError if another user has put the file into a folder such as /tmp."""
    status, folder = os.fstat(number), path.parent.stat()
    shared = folder.st_mode & stat.S_ISVTX and folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    ordinary = stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)
    if shared and ordinary and status.st_uid not in (0, os.geteuid(), folder.st_uid):
        raise PermissionError(
            errno.EPERM, f"it belongs to {_name(status.st_uid)}, in a folder of all", str(path)
        )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _umask() -> int:
    """Of this process; asking the kernel by umask(2) would change it for other threads."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
        return int(status.partition("\nUmask:")[2].split("\n")[0], 8)
    except (OSError, ValueError):
        return 0o022
