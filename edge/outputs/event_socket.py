"""Lines of text for everybody connected to a UNIX socket."""

import contextlib
import os
import socket
import stat
from pathlib import Path
from typing import Final

from edge.errors import OutputError

_PATIENCE_S: Final = 0.2
"""How long another Mien at the same place has to answer."""
_LAG_BYTES: Final = 64 * 1024
"""How far a client of the socket may fall behind before it is disconnected: about 30 s."""
_CLIENTS: Final = 32
_SOCKET_PATH_BYTES: Final = 107
"""Longest path of a UNIX socket on Linux."""


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
                f"The events socket {path} cannot be opened ({(error.strerror or str(error)).lower()}): "
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
