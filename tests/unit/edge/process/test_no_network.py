import errno
import socket
import subprocess
import sys
import threading

import pytest

from edge.errors import ModelError
from edge.process.no_network import offline


def attempt(family: int) -> int:
    """0 if a socket of that family can be made, else the error's number."""
    try:
        socket.socket(family, socket.SOCK_DGRAM).close()
    except OSError as error:
        return error.errno or -1
    return 0


@pytest.mark.parametrize("name", ["AF_INET", "AF_INET6", "AF_PACKET", "AF_NETLINK", "AF_UNIX"])
def test_no_socket_can_be_opened(name: str) -> None:
    assert offline(lambda: attempt(getattr(socket, name))) == errno.EAFNOSUPPORT


def test_two_ends_within_the_process_can() -> None:
    for end in offline(socket.socketpair):
        end.close()


def test_threads_and_programs_that_are_started_are_held_to_it_too() -> None:
    script = "import socket; socket.socket(socket.AF_INET)"

    def make() -> tuple[int, str]:
        seen: list[int] = []
        thread = threading.Thread(target=lambda: seen.append(attempt(socket.AF_INET)))
        thread.start()
        thread.join()
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
        )
        return seen[0], done.stderr

    thread_saw, program_said = offline(make)
    assert thread_saw == errno.EAFNOSUPPORT
    assert f"[Errno {errno.EAFNOSUPPORT}]" in program_said


def test_whoever_asks_for_it_is_not_restricted() -> None:
    before = attempt(socket.AF_INET)
    offline(lambda: None)
    assert attempt(socket.AF_INET) == before == 0


def test_what_is_made_or_raised_comes_out() -> None:
    assert offline(lambda: "made") == "made"
    with pytest.raises(ZeroDivisionError):
        offline(lambda: 1 // 0)


def test_nothing_is_made_where_it_cannot_be_kept_from_the_network() -> None:
    made: list[str] = []
    with pytest.raises(ModelError, match="--no-face"):
        offline(lambda: made.append("made"), "mips")
    assert made == []
