"""Places that lines of text go to: stdout, a file, or everybody connected to a UNIX socket."""

import contextlib
import errno
import os
import select
import sys
from pathlib import Path
from typing import Final, Protocol, TextIO

from edge.errors import OutputError
from edge.outputs.event_socket import SocketLines

_PATIENCE_S: Final = 0.2
"""How long a reader of stdout may hold Mien up before a line is left out."""
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
"""Troubles that end once somebody has made room on the disk."""
_DISK: Final = (*_NO_ROOM, errno.EROFS, errno.EIO)
"""Troubles of a disk that may end: one with errors is mounted read-only until it is mended."""


class Lines(Protocol):
    """Takes lines."""

    def write(self, line: str) -> None:
        """Write *line*, which has no line end yet."""

    def close(self) -> None:
        """Let go. May be called twice."""


def open_lines(target: str, greeting: str) -> Lines:
    """Open "-" (stdout), "unix:PATH" or a file's path; *greeting* is the first line for a reader.

    Raises:
        OutputError: it cannot be opened.
    """
    if target == "-":
        return StreamLines(sys.stdout, greeting)
    if target.startswith("unix:"):
        return SocketLines(Path(target.removeprefix("unix:")), greeting)
    return FileLines(Path(target), greeting)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


class StreamLines:
    """Writes to an open stream; when its reader has gone, quietly to nobody."""

    def __init__(self, stream: TextIO, greeting: str) -> None:
        """Write to *stream*, which stays open."""
        self._stream: TextIO | None = stream
        self._cut = False
        """The last line may lack its end: the next one begins on a line of its own."""
        self.skipped = 0
        """Lines left out because the reader did not keep up."""
        self.write(greeting)

    def write(self, line: str) -> None:
        """Write *line*; wait at most 0.2 s for a slow reader.

        Raises:
            OutputError: the disk behind a redirected stream is full or read-only (a later call tries
                again), or the like.
        """
        stream = self._stream
        if stream is None:
            return
        try:
            if not _ready(stream):
                self.skipped += 1
                return
            self._put(stream, line)
        except BlockingIOError:
            self.skipped += 1
        except (BrokenPipeError, ValueError):  # ValueError: closed by somebody else
            self._give_up()
        except OSError as error:
            if error.errno in _DISK:
                self._cut = True
            else:
                self._give_up()
            remedy = "make room" if error.errno in _NO_ROOM else "check the disk"
            raise OutputError(
                f"Events cannot be written to stdout ({_reason(error)}): "
                f"{remedy} where it is redirected to."
            ) from error

    def _put(self, stream: TextIO, line: str) -> None:
        text = "\n" * self._cut + line + "\n"
        stream.flush()
        try:
            number = stream.fileno()
        except (OSError, ValueError, AttributeError):  # a stream in memory
            stream.write(text)
            self._cut = False
            return
        # Past Python's buffer, which would keep what a full disk refused and complain at the end.
        data = text.encode()
        self._cut = os.write(number, data) < len(data)

    def _give_up(self) -> None:
        """Stop writing, also what Python would flush at its end and complain about."""
        stream, self._stream = self._stream, None
        with contextlib.suppress(OSError, ValueError, AttributeError):
            assert stream is not None
            nowhere = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(nowhere, stream.fileno())
            finally:
                os.close(nowhere)

    def close(self) -> None:
        """Leave the stream to its owner."""
        self._stream = None


def _ready(stream: TextIO) -> bool:
    """Whether a line can be written without waiting; lines are shorter than a pipe's 4 KiB."""
    try:
        number = stream.fileno()
    except (OSError, ValueError, AttributeError):
        return True  # a stream in memory
    return bool(select.select([], [number], [], _PATIENCE_S)[1])


class FileLines:
    """Appends to a file or a named pipe, whole lines at a time; goes on after a full disk."""

    def __init__(self, path: Path, greeting: str) -> None:
        """Open *path*, which may exist already.

        Raises:
            OutputError: it cannot be opened.
        """
        self._path = path
        self._number: int | None = None
        self._cut = False
        """The last line may lack its end: the next one begins on a line of its own."""
        self._closed = False
        self.skipped = 0
        """Lines that a pipe had no room for."""
        self._open()
        self.write(greeting)

    def _open(self) -> None:
        # Without O_NONBLOCK a pipe that nobody reads would be waited for, for ever.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
        try:
            self._number = os.open(self._path, flags, 0o644)
        except OSError as error:
            if error.errno == errno.ENXIO:
                raise OutputError(
                    f"Nobody reads the pipe {self._path} that the events go to: start its reader "
                    "first."
                ) from error
            raise OutputError(
                f"The events file {self._path} cannot be opened ({_reason(error)}): "
                "name a file in a folder that exists and may be written to."
            ) from error

    def write(self, line: str) -> None:
        """Append *line*; a pipe whose reader lags misses it.

        Raises:
            OutputError: the disk is full, or the file has gone; a later call tries again.
        """
        if self._closed:
            return
        if self._number is None:
            self._open()
        assert self._number is not None
        data = ("\n" * self._cut + line + "\n").encode()
        try:
            self._cut = os.write(self._number, data) < len(data)
        except BlockingIOError:
            self.skipped += 1
        except OSError as error:
            self._let_go()
            self._cut = True
            remedy = "check the disk"
            if error.errno in _NO_ROOM:
                remedy = "make room on the disk"
            elif error.errno == errno.EPIPE:
                remedy = "start the reader of the pipe again"
            raise OutputError(
                f"The events file {self._path} cannot be written ({_reason(error)}): {remedy}."
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        number, self._number = self._number, None
        if number is not None:
            with contextlib.suppress(OSError):
                os.close(number)
