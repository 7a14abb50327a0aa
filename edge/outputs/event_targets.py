"""Places that lines of text go to: stdout, a file, or everybody connected to a UNIX socket."""

import contextlib
import errno
import os
import select
import stat
import sys
from pathlib import Path
from typing import Final, Protocol, TextIO

from edge.errors import OutputError
from edge.outputs.event_file import NO_ROOM, FileLines, WholeLines, reason
from edge.outputs.event_socket import SocketLines, check_path

_PATIENCE_S: Final = 0.2
"""How long a reader of stdout may hold Mien up before a line is left out."""
_DISK: Final = (*NO_ROOM, errno.EROFS, errno.EIO, errno.EFBIG)
"""Troubles of a disk that may end: one with errors is mounted read-only until it is mended."""


class Lines(Protocol):
    """Takes lines."""

    def write(self, line: str) -> None:
        """Write *line*, which has no line end yet."""

    def close(self) -> None:
        """Let go. May be called twice."""


def open_lines(target: str, greeting: str, most_bytes: int = 0, old_files: int = 3) -> Lines:
    """Open where the lines go to.

    Args:
        target: "-" (stdout), "unix:PATH" or a file's path.
        greeting: the first line for a reader.
        most_bytes: size at which a file is put aside; 0 for none.
        old_files: how many of those are kept.

    Raises:
        OutputError: it cannot be opened.
    """
    if target == "-":
        if sys.stdout is None or sys.stdout.closed:
            raise OutputError(
                "Events cannot be written to the standard output, which is closed: leave it open, or "
                "name a file or a socket."
            )
        return StreamLines(sys.stdout, greeting)
    if target.startswith("unix:"):
        return SocketLines(Path(target.removeprefix("unix:")), greeting)
    return FileLines(Path(target), greeting, most_bytes, old_files)


def check_place(target: str) -> None:
    """See that lines can go to *target* as things are now; opens nothing, and leaves nothing there.

    Raises:
        OutputError: they cannot, and no waiting will help.
    """
    if target == "-":
        return
    place = target.removeprefix("unix:")
    path = Path(place)
    if target.startswith("unix:"):
        check_path(path)
    try:
        above, there = _mode(path.parent), _mode(path)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"The events cannot go to {place} ({reason(error)}): name another place."
        ) from error
    if not above:
        raise OutputError(
            f"There is no folder {path.parent} for the events: make it, or name another place."
        )
    if not stat.S_ISDIR(above):
        raise OutputError(
            f"The events cannot go to {path}: {path.parent} is no folder, name another place."
        )
    if place.endswith("/") or stat.S_ISDIR(there):
        raise OutputError(f"The events cannot go to {place}, which is a folder: name a file in it.")


def _mode(path: Path) -> int:
    """What is at *path*, as stat says it; 0 for nothing."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0


class StreamLines:
    """Writes to an open stream; when its reader has gone, quietly to nobody."""

    def __init__(self, stream: TextIO, greeting: str) -> None:
        """Write to *stream*, which stays open."""
        self._stream: TextIO | None = stream
        self._lines = WholeLines()
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
            if error.errno not in _DISK:
                self._give_up()
            remedy = "make room" if error.errno in NO_ROOM else "check the disk"
            raise OutputError(
                f"Events cannot be written to stdout ({reason(error)}): "
                f"{remedy} where it is redirected to."
            ) from error

    def _put(self, stream: TextIO, line: str) -> None:
        stream.flush()
        try:
            number = stream.fileno()
        except (OSError, ValueError, AttributeError):  # a stream in memory
            stream.write(line + "\n")
            return
        # Past Python's buffer, which would keep what a full disk refused and complain at the end.
        data = (line + "\n").encode()
        if stat.S_ISREG(os.fstat(number).st_mode):
            self._lines.append(number, data)
        else:
            data = b"\n" * self._lines.cut + data
            self._lines.cut = os.write(number, data) < len(data)

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
