"""Lines of text in a file that other programs follow, move away and delete as they please."""

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Final

from edge.errors import OutputError
from edge.process.written_files import by_kernel, open_for_writing

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
"""Troubles that end once somebody has made room on the disk."""
_LONGEST_BYTES: Final = 64 * 1024
"""No event is longer."""


def reason(error: OSError | ValueError) -> str:
    """What the system says about *error*, to stand in brackets."""
    return (getattr(error, "strerror", None) or str(error)).lower()


class WholeLines:
    """Appends lines to an open file, each of them whole or not at all."""

    def __init__(self) -> None:
        self.cut = False
        """A piece of a line could not be taken back: the next one begins on a line of its own."""

    def append(self, number: int, data: bytes) -> None:
        """Write *data* to the regular file *number*, or nothing of it.

        Raises:
            OSError: there is no room, or the like.
        """
        data = b"\n" * self.cut + data
        size, written = os.fstat(number).st_size, 0
        try:
            written = os.write(number, data)
            if written < len(data):  # asked once more, it says why
                written += os.write(number, data[written:])
            if written < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            self.cut = self.cut or (written > 0 and not _took_back(number, size, written))
            raise
        self.cut = False


def _took_back(number: int, size: int, written: int) -> bool:
    """Shorten the file to what it was, unless another program has written after us."""
    with contextlib.suppress(OSError):
        if os.fstat(number).st_size == size + written:
            os.ftruncate(number, size)
            os.lseek(number, size, os.SEEK_SET)  # one that does not append would leave a hole
            return True
    return False


def _of_events(file: Path) -> bool:
    """Whether *file* begins as events do; also of one that may not be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(1) in b"\n{\0"
    except OSError:
        return True


class FileLines:
    """Appends to a file or a named pipe, whole lines at a time; goes on after a full disk.

    A file that was moved away or deleted is made anew. One that reaches its limit is put aside as
    FILE.1, the one before as FILE.2 and so on; the oldest goes. Each new file begins with the greeting.
    """

    def __init__(self, path: Path, greeting: str, most_bytes: int = 0, old_files: int = 3) -> None:
        """Open *path*, which may exist already.

        Args:
            path: of the file, or of a pipe with a reader.
            greeting: the first line of every file.
            most_bytes: the limit; 0 for none.
            old_files: how many full ones are kept.

        Raises:
            OutputError: it cannot be opened.
        """
        self._path, self._greeting = path, greeting
        self._most_bytes, self._old_files = most_bytes, old_files
        self._number: int | None = None
        self._real = path
        """Where the file lies, should *path* be a link."""
        self._regular = False
        self._identity: tuple[int, int] | None = None
        self._fresh = True
        """The greeting has still to be written."""
        self._lines = WholeLines()
        self._closed = False
        self.skipped = 0
        """Lines that a pipe had no room for."""
        self._open()
        self._add("")

    def write(self, line: str) -> None:
        """Append *line*; a pipe whose reader lags misses it.

        Raises:
            OutputError: the disk is full, or the file has gone; a later call tries again.
        """
        if not self._closed:
            self._add(line + "\n")

    def reopen(self) -> None:
        """Open the file again before the next line: it was moved away, or the disk exchanged."""
        self._let_go()

    def close(self) -> None:
        """Close the file."""
        self._closed = True
        self._let_go()

    def _add(self, text: str) -> None:
        if self._number is not None and self._moved():
            self._let_go()
        number = self._open() if self._number is None else self._number
        try:
            if self._regular and self._full(number, len(text.encode())):
                number = self._rotate()
            data = ((self._greeting + "\n") * self._fresh + text).encode()
            if self._regular:
                self._lines.append(number, data)
            else:
                data = b"\n" * self._lines.cut + data
                self._lines.cut = os.write(number, data) < len(data)
        except BlockingIOError:
            self.skipped += 1
        except OSError as error:
            self._let_go()
            remedy = "check the disk"
            if error.errno in NO_ROOM:
                remedy = "make room on the disk"
            elif error.errno == errno.EFBIG:
                remedy = "let files grow (ulimit -f), or lower [events] max_mb"
            elif error.errno == errno.EPIPE:
                self._lines.cut = True
                remedy = "start the reader of the pipe again"
            raise OutputError(
                f"The events file {self._path} cannot be written ({reason(error)}): {remedy}."
            ) from error
        else:
            self._fresh = False

    def _open(self) -> int:
        # Without O_NONBLOCK a pipe that nobody reads would be waited for, for ever.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
        try:
            number, self._real = open_for_writing(self._path, flags)
        except OSError as error:
            if error.errno == errno.ENXIO:
                raise OutputError(
                    f"Nobody reads the pipe {self._path} that the events go to: start its reader "
                    "first."
                ) from error
            raise OutputError(
                f"The events file {self._path} cannot be opened ({reason(error)}): "
                "name a file in a folder that exists and may be written to."
            ) from error
        status = os.fstat(number)
        self._regular = stat.S_ISREG(status.st_mode)
        # A number of the file system may come again for the file that replaces a deleted one.
        if (status.st_dev, status.st_ino) != self._identity or not status.st_size:
            if self._regular and status.st_size and not _of_events(self._real):
                os.close(number)
                raise OutputError(
                    f"{self._path} is there and holds no events: name another file, or move it away."
                )
            self._identity = (status.st_dev, status.st_ino)
            self._fresh, self._lines = True, WholeLines()
            if self._regular:
                self._lines.cut = not _ends_whole(number, status.st_size)
        self._number = number
        return number

    def _moved(self) -> bool:
        """Whether another file, or none, is now where the open one was."""
        if not self._regular or by_kernel(self._real):
            return False
        try:
            status = self._real.lstat()
        except OSError:
            return True
        return (status.st_dev, status.st_ino) != self._identity

    def _full(self, number: int, more: int) -> bool:
        size = os.fstat(number).st_size
        return bool(self._most_bytes and size and size + more > self._most_bytes)

    def _rotate(self) -> int:
        """Put the full file aside, and open a new one."""
        names = [self._real, *(Path(f"{self._real}.{n + 1}") for n in range(self._old_files))]
        try:
            for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(newer, older)
            if not self._old_files:
                self._real.unlink()
        except OSError as error:
            raise OutputError(
                f"The events file {self._path} has reached its {self._most_bytes / 1e6:g} MB and "
                f"cannot be put aside ({reason(error)}): let Mien write to its folder, or move the "
                "file away."
            ) from error
        self._let_go()
        return self._open()

    def _let_go(self) -> None:
        number, self._number = self._number, None
        if number is not None:
            with contextlib.suppress(OSError):
                os.close(number)


def _ends_whole(number: int, size: int) -> bool:
    """Whether the file ends in a whole line; a piece of an event is cut off.

    A run that ended with the power may have left one. Nothing else is ever removed: the file may be
    another one than Mien was meant to write to.
    """
    if not size:
        return True
    with contextlib.suppress(OSError):
        reader = os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            tail = os.pread(reader, _LONGEST_BYTES, max(0, size - _LONGEST_BYTES))
        finally:
            os.close(reader)
        piece = tail.rpartition(b"\n")[2]
        if piece.startswith(b'{"event":') and len(piece) < _LONGEST_BYTES:
            os.ftruncate(number, size - len(piece))
            return True
        return not piece
    return False
