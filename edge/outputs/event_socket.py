"""Lines of text for everybody connected to a UNIX socket."""

import array
import contextlib
import fcntl
import os
import socket
import stat
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge.errors import OutputError
from edge.process.written_files import owner_of

_PATIENCE_S: Final = 0.2
"""How long another Mien at the same place has to answer."""
_LAG_BYTES: Final = 64 * 1024
"""How far a client of the socket may fall behind, beyond what the kernel keeps for it."""
_CLIENTS: Final = 32
_SLOW_S: Final = 0.75
"""A client that has left something unread for so long may have to make room for a newcomer."""
_QUEUE: Final = 1024
"""How many may knock at once; one more would wait in connect(2), or be turned away by the kernel."""
_AT_ONCE: Final = 256
"""How many are let in or sent away at a time, so that whoever only knocks holds up no line."""
_LOOK_S: Final = 1.0
"""How often it looks whether the socket is still at its path."""
_SOCKET_PATH_BYTES: Final = 107
"""Longest path of a UNIX socket on Linux."""
_REFUSED: Final = (
    '{"event":"refused","text":"All '
    + str(_CLIENTS)
    + ' places are taken by programs that keep up: try again later."}'
)


class _Client:
    def __init__(self, connection: socket.socket, t_s: float) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.waiting = bytearray()
        self.kept_up_s = t_s
        """When it had last read everything."""

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

    def look(self, t_s: float) -> None:
        """See whether it has read everything by *t_s*."""
        if not self.waiting and not _unread(self.connection):
            self.kept_up_s = t_s

    def refuse(self) -> None:
        """Tell it in one line that there is no place, and let it go."""
        with contextlib.suppress(OSError):
            self.connection.send((_REFUSED + "\n").encode())
        self.connection.close()


def _unread(connection: socket.socket) -> int:
    """What the other end has not read yet, by the kernel's own count; 0 for nothing."""
    count = array.array("i", [0])
    try:
        fcntl.ioctl(connection, termios.TIOCOUTQ, count)
    except OSError:
        return 0
    return count[0]


class SocketLines:
    """Serves lines to up to 32 clients of a UNIX stream socket.

    It has no thread: newcomers are let in at every line and every `poll`. Each gets the greeting and
    the newest line at once. When all places are taken, the client that has kept up least makes room;
    where all of them keep up, the newcomer is sent away with one line. Nobody is ever waited for.
    """

    def __init__(
        self, path: Path, greeting: str, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Listen at *path*.

        Args:
            path: of the socket; one that was left behind there is replaced.
            greeting: the first line for each client.
            now_s: the monotonic time.

        Raises:
            OutputError: something else is there, or the folder cannot be written to.
        """
        self._path, self._greeting, self._now_s = path, greeting, now_s
        self._newest = ""
        self._clients: list[_Client] = []
        self._server: socket.socket | None = None
        self._closed = False
        check_path(path)
        self._listen()

    def _listen(self) -> None:
        path = self._path
        self._looked_s = self._now_s()
        _make_way(path)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            server.bind(str(path))
            server.listen(_QUEUE)
            server.setblocking(False)
            self._inode = path.lstat().st_ino
        except OSError as error:
            server.close()
            raise OutputError(
                f"The events socket {path} cannot be opened ({(error.strerror or str(error)).lower()}): "
                "name a path in a folder that exists and may be written to."
            ) from error
        self._server = server

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def write(self, line: str) -> None:
        """Send *line* to everybody connected.

        Raises:
            OutputError: the socket was taken away and cannot be made again; a later call tries to.
        """
        self._newest = line
        for client in self._clients:
            client.waiting += (line + "\n").encode()
        self.poll()

    def poll(self) -> None:
        """Send what waits, and let newcomers in.

        Raises:
            OutputError: see `write`.
        """
        if self._closed:
            return
        for client in [client for client in self._clients if not client.send()]:
            self._drop(client)
        self._welcome()
        if self._now_s() - self._looked_s >= _LOOK_S:
            self.reopen()

    def reopen(self) -> None:
        """Make the socket again if somebody has taken it away; whoever is connected stays.

        Raises:
            OutputError: see `write`.
        """
        self._looked_s = self._now_s()
        if self._closed or self._ours():
            return
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self._listen()

    def _ours(self) -> bool:
        """Whether the socket at the path is the one that is listened at."""
        try:
            return self._server is not None and self._path.lstat().st_ino == self._inode
        except OSError:
            return False

    def _welcome(self) -> None:
        t_s = self._now_s()
        for client in self._clients:
            client.look(t_s)
        for _ in range(_AT_ONCE):
            try:
                connection, _ = self._server.accept() if self._server else (None, "")
            except OSError:  # nobody waits, or the newcomer has gone again
                return
            if connection is None:
                return
            newcomer = _Client(connection, t_s)
            if len(self._clients) >= _CLIENTS and not self._make_room(t_s):
                newcomer.refuse()
                continue
            lines = [self._greeting, self._newest] if self._newest else [self._greeting]
            newcomer.waiting += "".join(line + "\n" for line in lines).encode()
            newcomer.send()
            self._clients.append(newcomer)

    def _make_room(self, t_s: float) -> bool:
        """Drop whoever has kept up least; False if nobody is slow."""
        slowest = min(self._clients, key=lambda client: client.kept_up_s)
        if t_s - slowest.kept_up_s < _SLOW_S:
            return False
        self._drop(slowest)
        return True

    def _drop(self, client: _Client) -> None:
        client.connection.close()
        self._clients.remove(client)

    def close(self) -> None:
        """Disconnect everybody and remove the socket."""
        self._closed = True
        for client in self._clients:
            client.connection.close()
        self._clients.clear()
        server = self._server
        if server is None:
            return
        with contextlib.suppress(OSError):
            if self._ours():
                self._path.unlink()
        self._server = None
        server.close()


def check_path(path: Path) -> bool:
    """Whether there is a socket at *path*.

    Raises:
        OutputError: there can be none.
    """
    if len(os.fsencode(path)) > _SOCKET_PATH_BYTES:
        raise OutputError(
            f"The events socket {path} has a path of more than {_SOCKET_PATH_BYTES} bytes: "
            "name a shorter one, such as unix:/run/mien.sock."
        )
    try:
        kind = path.lstat().st_mode
    except OSError:
        return False
    if not stat.S_ISSOCK(kind):
        raise OutputError(
            f"The events socket {path} cannot be opened: a file of that name is there, "
            "remove it or choose another path."
        )
    return True


def _make_way(path: Path) -> None:
    """Remove the socket of a Mien that ended without doing so.

    Raises:
        OutputError: something else is at *path*.
    """
    if not check_path(path):
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(_PATIENCE_S)
    try:
        probe.connect(str(path))
    except FileNotFoundError:
        return
    except ConnectionRefusedError as error:
        try:
            path.unlink()
        except OSError:
            raise OutputError(
                f"The events socket {path} was left behind by {owner_of(path)} and cannot be replaced: "
                "remove it or choose another path."
            ) from error
    except PermissionError as error:
        raise OutputError(
            f"The events socket {path} belongs to {owner_of(path)}, whose Mien may be running: "
            "end that one or choose another path."
        ) from error
    except OSError as error:  # it is busy, or speaks otherwise
        raise OutputError(
            f"The events socket {path} is in use by another program ({error.strerror or error}): "
            "end it or choose another path."
        ) from error
    else:
        raise OutputError(
            f"The events socket {path} is in use: another Mien is running, "
            "end it or choose another path."
        )
    finally:
        probe.close()
