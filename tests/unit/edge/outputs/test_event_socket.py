"""More programs at the events socket than it serves, and some that never read."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from edge.errors import OutputError
from edge.outputs.event_socket import SocketLines
from tests.fakes.clock import HandClock


class Program:
    """A client of the socket; one that has not been answered yet has no line."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.connect(str(path))

    def read(self) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in self.socket.recv(1 << 20).splitlines()]
        except BlockingIOError:
            return []

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def lines(tmp_path: Path, clock: HandClock) -> SocketLines:
    return SocketLines(tmp_path / "mien.sock", '{"event":"hello"}', clock.now_s)


def served(program: Program) -> bool:
    return [line["event"] for line in program.read()][:1] == ["hello"]


def test_beside_readers_that_keep_up_a_newcomer_is_sent_away_in_one_line(
    tmp_path: Path, lines: SocketLines, clock: HandClock
) -> None:
    readers = [Program(tmp_path / "mien.sock") for _ in range(32)]
    lines.poll()
    assert all(served(reader) for reader in readers)
    for _ in range(10):
        clock.t_s += 1.0
        lines.write('{"event":"mood"}')
        assert all(reader.read() for reader in readers)
    newcomer = Program(tmp_path / "mien.sock")
    lines.poll()
    (line,) = newcomer.read()
    assert line["event"] == "refused"
    assert newcomer.socket.recv(1) == b""
    readers[0].close()
    lines.write('{"event":"mood"}')
    newcomer = Program(tmp_path / "mien.sock")
    lines.poll()
    assert served(newcomer)
    lines.close()


def test_the_client_that_has_kept_up_least_makes_room(
    tmp_path: Path, lines: SocketLines, clock: HandClock
) -> None:
    slowest, *sleepers = [Program(tmp_path / "mien.sock") for _ in range(31)]
    reader = Program(tmp_path / "mien.sock")
    lines.poll()
    for sleeper in sleepers:
        sleeper.read()
    for _ in range(3):
        assert reader.read()
        clock.t_s += 0.3
        lines.write('{"event":"mood"}')
    newcomer = Program(tmp_path / "mien.sock")
    lines.poll()
    assert served(newcomer)
    assert reader.read()
    assert b"mood" in slowest.socket.recv(1 << 20)  # what it had been sent before
    assert slowest.socket.recv(1) == b""
    lines.close()


def test_each_of_two_hundred_programs_is_answered_within_a_second_though_most_never_read(
    tmp_path: Path, lines: SocketLines, clock: HandClock
) -> None:
    silent = [Program(tmp_path / "mien.sock") for _ in range(200)]
    lines.poll()
    assert lines.clients == 32
    assert sum(bool(program.read()) for program in silent[32:]) == 168  # sent away, with a line
    clock.t_s += 0.8
    newcomers = [Program(tmp_path / "mien.sock") for _ in range(32)]
    lines.poll()
    assert all(served(newcomer) for newcomer in newcomers)
    lines.close()


def test_a_socket_that_was_taken_away_is_made_again_and_whoever_was_connected_stays(
    tmp_path: Path, lines: SocketLines, clock: HandClock
) -> None:
    before = Program(tmp_path / "mien.sock")
    lines.poll()
    (tmp_path / "mien.sock").unlink()
    clock.t_s += 1.0
    lines.write('{"event":"mood"}')
    after = Program(tmp_path / "mien.sock")
    lines.poll()
    assert served(before)
    assert served(after)
    lines.close()
    assert not (tmp_path / "mien.sock").exists()


def test_the_socket_of_another_users_mien_is_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = SocketLines(tmp_path / "mien.sock", "hello")

    def refuse(probe: socket.socket, path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("edge.outputs.event_socket.socket.socket.connect", refuse)
    with pytest.raises(OutputError, match=r"belongs to .+, whose Mien may be running: end"):
        SocketLines(tmp_path / "mien.sock", "hello")
    lines.close()
