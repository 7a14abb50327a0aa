"""Places that lines of text go to: stdout, a file, or everybody connected to a UNIX socket."""

import contextlib
import errno
import os
import select
import socket
import stat
import sys
from pathlib import Path
from typing import Final, Protocol, TextIO

from edge.errors import OutputError

_PATIENCE_S: Final = 0.2
"""How long a reader of stdout may hold Mien up before a line is left out."""
_LAG_BYTES: Final = 64 * 1024
"""How far a client of the socket may fall behind before it is disconnected: about 30 s."""
_CLIENTS: Final = 32
_SOCKET_PATH_BYTES: Final = 107
"""Longest path of a UNIX socket on Linux."""
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
"""Troubles that end once somebody has made room on the disk."""


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
            OutputError: the disk behind a redirected stream is full (a later call tries again),
                or the like.
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
            if error.errno in _NO_ROOM:
                self._cut = True
            else:
                self._give_up()
            raise OutputError(
                f"Events cannot be written to stdout ({_reason(error)}): "
                "make room where it is redirected to."
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


class _Client:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.waiting = bytearray()

    def send(self) -> bool:
        """Send what the kernel takes without waiting; False when the client is gone or lags."""
        try:
            while self.waiting:
                del self.waiting[: self.connection.send(self.waiting)]
        except BlockingIOError:
            return len(self.waiting) <= _LAG_BYTES
        except OSError:
            return False
        return True


class SocketLines:
    """Serves lines to up to 32 clients of a UNIX stream socket.

    It has no thread: newcomers are let in at every line. Each gets the greeting and the newest
    line at once. One that reads too slowly is disconnected; nobody is ever waited for.
    """

    def __init__(self, path: Path, greeting: str) -> None:
        """Listen at *path*.

        Raises:
            OutputError: something else is there, or the folder cannot be written to.
        """
        self._path = path
        self._greeting = greeting
        self._newest = ""
        self._clients: list[_Client] = []
        self._server: socket.socket | None = None
        if len(os.fsencode(path)) > _SOCKET_PATH_BYTES:
            raise OutputError(
                f"The events socket {path} has a path of more than {_SOCKET_PATH_BYTES} bytes: "
                "name a shorter one, such as unix:/run/mien.sock."
            )
        _make_way(path)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            server.bind(str(path))
            server.listen(_CLIENTS)
            server.setblocking(False)
            self._inode = path.stat().st_ino
        except OSError as error:
            server.close()
            raise OutputError(
                f"The events socket {path} cannot be opened ({_reason(error)}): "
                "name a path in a folder that exists and may be written to."
            ) from error
        self._server = server

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def write(self, line: str) -> None:
        """Send *line* to everybody connected."""
        self._newest = line
        for client in self._clients:
            client.waiting += (line + "\n").encode()
        self._welcome()
        gone = [client for client in self._clients if not client.send()]
        for client in gone:
            client.connection.close()
            self._clients.remove(client)

    def poll(self) -> None:
        """Let newcomers in between two lines."""
        if self._server is not None:
            self._welcome()
            for client in self._clients:
                client.send()

    def _welcome(self) -> None:
        while self._server is not None and len(self._clients) < _CLIENTS:
            try:
                connection, _ = self._server.accept()
            except OSError:  # nobody waits, or the newcomer has gone again
                return
            connection.setblocking(False)
            client = _Client(connection)
            lines = [self._greeting, self._newest] if self._newest else [self._greeting]
            client.waiting += "".join(line + "\n" for line in lines).encode()
            self._clients.append(client)

    def close(self) -> None:
        """Disconnect everybody and remove the socket."""
        server, self._server = self._server, None
        for client in self._clients:
            client.connection.close()
        self._clients.clear()
        if server is None:
            return
        server.close()
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()


def _make_way(path: Path) -> None:
    """Remove the socket of a Mien that ended without doing so.

    Raises:
        OutputError: something else is at *path*.
    """
    try:
        kind = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(kind):
        raise OutputError(
            f"The events socket {path} cannot be opened: a file of that name is there, "
            "remove it or choose another path."
        )
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(_PATIENCE_S)
    try:
        probe.connect(str(path))
    except ConnectionRefusedError:
        with contextlib.suppress(OSError):
            path.unlink()
    except OSError:
        return  # bind will say what is wrong
    else:
        raise OutputError(
            f"The events socket {path} is in use: another Mien is running, "
            "end it or choose another path."
        )
    finally:
        probe.close()
