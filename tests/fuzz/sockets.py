"""What behaves ill at the other end of a socket: readers of the events, and servers that Mien calls."""

import array
import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

Play = Callable[[], None]
PATIENCE_S: Final = 60.0
"""How long a reader waits for the socket to be there."""
LONG_S: Final = 60.0
"""Longest that anybody stays; whoever is left when the command has ended is ended as well."""
TRASH: Final = (
    *(b"\0" * 70_000, b'{"event":"mood"', b'{"event":"bye","t":0}\n' * 500, b"\xff\xfe\r\n\r\n"),
    *(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x1b[2J", b"x" * 7, b"\n" * 4096),
)
WATCHDOGS: Final = (
    *(
        "20000000",
        "0",
        "1",
        "-5",
        "1e6",
        "nan",
        "",
        " 7",
        "\u0663",
        "9" * 30,
        "9" * 5_000,
        "a\u202eb",
    ),
)


def _connect(path: Path) -> socket.socket | None:
    """A connection to *path*, as soon as there is somebody; None if nobody comes."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(1.0)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            time.sleep(0.02)
            continue
        return connection
    return None


def honest_reader(path: Path, heard: Path) -> Play:
    """Reads all that it gets, and writes whole lines to *heard*; comes again when it is sent away."""

    def play() -> None:
        end_s = time.monotonic() + LONG_S
        with heard.open("ab", buffering=0) as file:
            while time.monotonic() < end_s and (connection := _connect(path)) is not None:
                rest = b""
                with connection:
                    connection.settimeout(LONG_S)
                    while piece := _received(connection):
                        *lines, rest = (rest + piece).split(b"\n")
                        file.write(b"".join(line + b"\n" for line in lines))
                if rest:
                    file.write(rest + b" CUT\n")
                if b'"bye"' in heard.read_bytes():
                    return

    return play


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def ill_reader(random: Random, path: Path, takes_away: bool) -> Play:
    """One or many clients that send, leave, flood or fall silent as they please.

    Args:
        random: decides.
        path: of the events socket.
        takes_away: somebody removes it once.
    """
    acts = [random.choice(_ACTS) for _ in range(random.choice((1, 2, 8)))]
    crowd = random.choice((1, 1, 3, 40, 120))
    seed = random.random()

    def play() -> None:
        chance, end_s = Random(seed), time.monotonic() + LONG_S
        if (first := _connect(path)) is None:
            return
        here = [first]
        if takes_away:
            path.unlink(missing_ok=True)
        while time.monotonic() < end_s:
            while len(here) < crowd and (more := _at_once(path)) is not None:
                here.append(more)
            if not here:
                time.sleep(0.02)
                if (again := _at_once(path)) is None and not path.exists():
                    time.sleep(0.1)
                here += [again] if again is not None else []
                continue
            one = chance.choice(here)
            one.setblocking(False)
            stays = False
            with contextlib.suppress(OSError):
                stays = chance.choice(acts)(chance, one, path)
            if not stays:
                one.close()
                here.remove(one)
            time.sleep(chance.choice((0, 0.001, 0.01)))

    return play


def _at_once(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def _send(chance: Random, one: socket.socket, path: Path) -> bool:
    one.send(chance.choice(TRASH))
    return True


def _send_half(chance: Random, one: socket.socket, path: Path) -> bool:
    one.send(chance.choice(TRASH)[:5])
    return False


def _flood(chance: Random, one: socket.socket, path: Path) -> bool:
    with contextlib.suppress(BlockingIOError):
        for _ in range(200):
            one.send(b"x" * 65536)
    return True


def _leave(chance: Random, one: socket.socket, path: Path) -> bool:
    return False


def _read_little(chance: Random, one: socket.socket, path: Path) -> bool:
    return one.recv(chance.choice((1, 3, 100))) != b""


def _read_all(chance: Random, one: socket.socket, path: Path) -> bool:
    return select.select([one], [], [], 0)[0] == [] or one.recv(65536) != b""


def _read_nothing(chance: Random, one: socket.socket, path: Path) -> bool:
    return True


def _half_close(chance: Random, one: socket.socket, path: Path) -> bool:
    one.shutdown(chance.choice((socket.SHUT_RD, socket.SHUT_WR)))
    return True


def _small_buffer(chance: Random, one: socket.socket, path: Path) -> bool:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    return True


def _pass_files(chance: Random, one: socket.socket, path: Path) -> bool:
    files = array.array("i", [one.fileno()] * 200)
    one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    return True


_ACTS: Final[tuple[Callable[[Random, socket.socket, Path], bool], ...]] = (
    *(_send, _send_half, _flood, _leave, _read_little, _read_all, _read_nothing),
    *(_half_close, _small_buffer, _pass_files),
)
"""Each tells whether the client stays."""


def occupy(random: Random, path: Path) -> Play | None:
    """Put something ill where the events socket is to be; returns who goes on behaving ill there."""
    what = random.randrange(7)
    if what == 0:
        path.write_bytes(b"precious\n")
    elif what == 1:
        path.mkdir()
    elif what == 2:
        path.symlink_to(path.name)
    elif what == 3:
        _bound(socket.SOCK_DGRAM, path)
    elif what == 4:
        _bound(socket.SOCK_STREAM, path).close()  # left behind by one that was killed
    else:
        server = _bound(socket.SOCK_STREAM, path)
        server.listen(0)
        return _flooding(server) if what == 5 else _idle(server)
    return None


_KEPT: Final[list[socket.socket]] = []


def _bound(kind: int, path: Path) -> socket.socket:
    """A socket at *path*, even where that is too long for its address."""
    server = socket.socket(socket.AF_UNIX, kind)
    number = os.open(path.parent, os.O_RDONLY)
    try:
        server.bind(f"/proc/self/fd/{number}/{path.name}")
    finally:
        os.close(number)
    return server


def _idle(server: socket.socket) -> Play:
    def play() -> None:
        waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        waiting.connect(server.getsockname())
        time.sleep(LONG_S)

    return play


def _flooding(server: socket.socket) -> Play:
    def play() -> None:
        server.settimeout(LONG_S)
        while True:
            with contextlib.suppress(OSError), server.accept()[0] as client:
                client.settimeout(0.5)
                while True:
                    client.send(b"\0" * 65536)

    return play


def ill_manager(random: Random, path: Path) -> tuple[dict[str, str], Play | None]:
    """A service manager that does not do as sd_notify(3) says: what Mien is told, and its game."""
    told: dict[str, str] = {
        "NOTIFY_SOCKET": str(path),
        "WATCHDOG_USEC": random.choice(WATCHDOGS),
    }
    if random.random() < 0.4:
        told["WATCHDOG_PID"] = random.choice(WATCHDOGS)
    what = random.randrange(8)
    if what == 0:
        told["NOTIFY_SOCKET"] = random.choice(
            ("@", "@mien", "x" * 300, ".", "/", "/dev/null", "é\u202e", " ")
        )
    elif what == 1:
        path.write_bytes(b"")
    elif what == 2:
        _bound(socket.SOCK_STREAM, path).listen()
    elif what == 3:
        _bound(socket.SOCK_DGRAM, path).close()
    elif what > 3:
        return told, _manage(random.random(), what, _bound(socket.SOCK_DGRAM, path), path)
    return told, None


def _manage(seed: float, what: int, server: socket.socket, path: Path) -> Play:
    def play() -> None:
        chance, end_s = Random(seed), time.monotonic() + LONG_S
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        server.settimeout(0.1)
        while time.monotonic() < end_s:
            if what == 4:  # reads nothing
                time.sleep(0.1)
            elif what == 5:  # goes away in the middle
                with contextlib.suppress(OSError):
                    server.recv(3)
                    server.close()
                    path.unlink(missing_ok=True)
                return
            else:
                with contextlib.suppress(OSError):
                    server.recv(chance.choice((1, 4096)))
                time.sleep(chance.choice((0.0, 0.3)))

    return play


def heard_well(heard: Path) -> list[str]:
    """What the honest reader missed, if it was not told that there is no place for it."""
    said = heard.read_bytes() if heard.exists() else b""
    if b'"event":"refused"' in said:
        return []
    wanted: dict[str, Any] = {"hello": b'{"event":"hello"', "a mood": b'{"event":"mood"'}
    return [
        f"an honest reader never got {what}" for what, mark in wanted.items() if mark not in said
    ]
