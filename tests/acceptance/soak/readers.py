"""Readers of a run's events: at its socket, of its file, or of its standard output."""

import contextlib
import os
import select
import socket
from pathlib import Path
from typing import Final, Protocol

from tests.acceptance.common.programs import RigError

VISIT_S: Final = 30.0
"""How long one reader at the socket stays."""
_PIECE: Final = 65536


class Reader(Protocol):
    """Takes the events of a run."""

    visits: int
    """How many readers there have been."""

    def numbers(self) -> list[int]:
        """Descriptors that can be read once there is something; none where it has to be looked."""

    def lines(self, t_s: float) -> list[bytes]:
        """The whole lines that have come by *t_s*.

        Raises:
            RigError: they come to an end.
        """

    def close(self) -> None:
        """Let go."""


class Pieces:
    """Makes lines of what comes in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def add(self, piece: bytes) -> list[bytes]:
        """The lines that *piece* completes."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return lines


class SocketReader:
    """One that comes and goes every half minute; beside it one that never reads."""

    def __init__(self, path: Path, t_s: float) -> None:
        """Connect both to the socket at *path*.

        Raises:
            RigError: it does not answer.
        """
        self._path, self._since_s, self.visits = path, t_s, 1
        self._silent, self._reader = self._connect(), self._connect()
        self._pieces = Pieces()

    def _connect(self) -> socket.socket:
        reader = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            reader.connect(str(self._path))
        except OSError as error:
            reader.close()
            raise RigError(f"its events cannot be read ({error})") from error
        return reader

    def numbers(self) -> list[int]:
        """See `Reader.numbers`."""
        return [self._reader.fileno()]

    def lines(self, t_s: float) -> list[bytes]:
        """See `Reader.lines`."""
        if _hung_up(self._silent):
            self._silent.close()
            self._silent = self._connect()
        if t_s - self._since_s > VISIT_S:
            self._reader.close()
            self._reader, self._since_s, self._pieces = self._connect(), t_s, Pieces()
            self.visits += 1
        if not select.select([self._reader], [], [], 0)[0]:
            return []
        data = self._reader.recv(_PIECE)
        if not data:
            raise RigError("it hung up on the reader of its events")
        return self._pieces.add(data)

    def close(self) -> None:
        """See `Reader.close`."""
        self._reader.close()
        self._silent.close()


def _hung_up(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return bool(poll.poll(0))


class FileReader:
    """Follows a file that is put aside when it is full."""

    def __init__(self, path: Path) -> None:
        """Begin at its start."""
        self._path, self.visits = path, 0
        self._number: int | None = None
        self._pieces = Pieces()

    def numbers(self) -> list[int]:
        """See `Reader.numbers`."""
        return []

    def lines(self, t_s: float) -> list[bytes]:
        """See `Reader.lines`."""
        found: list[bytes] = []
        # The rest of one that has just been put aside, then the new one from its start.
        for _ in range(2):
            if self._number is not None:
                while piece := os.read(self._number, _PIECE):
                    found += self._pieces.add(piece)
                if not self._moved(self._number):
                    break
                self.close()
            with contextlib.suppress(FileNotFoundError):
                self._number = os.open(self._path, os.O_RDONLY)
                self.visits += 1
        return found

    def _moved(self, number: int) -> bool:
        try:
            return self._path.stat().st_ino != os.fstat(number).st_ino
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """See `Reader.close`."""
        if self._number is not None:
            os.close(self._number)
            self._number = None


class PipeReader:
    """Reads one end of a pipe."""

    def __init__(self, number: int) -> None:
        """Take over descriptor *number*."""
        self._number, self.visits = number, 1
        self._pieces = Pieces()

    def numbers(self) -> list[int]:
        """See `Reader.numbers`."""
        return [self._number]

    def lines(self, t_s: float) -> list[bytes]:
        """See `Reader.lines`."""
        if not select.select([self._number], [], [], 0)[0]:
            return []
        piece = os.read(self._number, _PIECE)
        if not piece:
            raise RigError("it closed its standard output")
        return self._pieces.add(piece)

    def close(self) -> None:
        """See `Reader.close`."""
        os.close(self._number)
