import ctypes
import errno
import platform
import socket
import subprocess
import sys
import threading

import pytest

from edge.errors import ModelError
from edge.process.no_network import MACHINES, network_filter, offline


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


def no_library(*given: object, **named: object) -> object:
    raise OSError("no libc")


@pytest.mark.parametrize(
    ("what", "instead", "said"),
    [
        ("CDLL", no_library, platform.machine()),
        ("CDLL", lambda *given, **named: object(), platform.machine()),
        ("sizeof", lambda kind: 4, f"32-bit {platform.machine()}"),
        ("", None, "mips"),
    ],
)
def test_nothing_is_made_where_it_cannot_be_kept_from_the_network(
    what: str, instead: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if what:
        monkeypatch.setattr(ctypes, what, instead)
    made: list[str] = []
    with pytest.raises(ModelError, match=rf"on {said}\).*--no-face"):
        offline(lambda: made.append("made"), "" if what else said)
    assert made == []


def set_up_ring() -> int:
    """The error number of io_uring_setup(2), 425 on every machine, without memory for its answer."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    return ctypes.get_errno() if call(425, 0, None) else 0


def test_no_ring_can_be_set_up_which_would_open_sockets_past_the_filter() -> None:
    before = set_up_ring()
    assert offline(set_up_ring) == errno.EPERM
    assert set_up_ring() == before


ALLOW, REFUSE = 0x7FFF0000, 0x00050000
X86_64, AARCH64, ARM_32 = 0xC000003E, 0xC00000B7, 0x40000028


def kernel_says(machine: str, architecture: int, number: int) -> int:
    """Run the filter as linux/bpf_common.h says that the kernel does."""
    steps, at, word = network_filter(MACHINES[machine]), 0, 0
    while True:
        step = steps[at]
        at += 1
        if step.code == 0x20:  # load a word of struct seccomp_data: the number, the architecture
            word = {0: number, 4: architecture}[step.value]
        elif step.code in (0x15, 0x35):  # jump if equal, jump if at least
            met = word == step.value if step.code == 0x15 else word >= step.value
            at += step.if_true if met else step.if_false
        else:
            assert step.code == 0x06
            return int(step.value)


@pytest.mark.parametrize(
    ("machine", "own", "number", "said"),
    [
        ("x86_64", X86_64, 41, REFUSE | 97),  # socket(2): EAFNOSUPPORT
        ("aarch64", AARCH64, 198, REFUSE | 97),
        ("x86_64", X86_64, 425, REFUSE | 1),  # io_uring_setup(2): EPERM
        ("aarch64", AARCH64, 425, REFUSE | 1),
        ("x86_64", X86_64, 0x40000000, REFUSE | 1),  # x32 has the same calls once more
        ("x86_64", X86_64, 0x40000029, REFUSE | 1),
        ("x86_64", ARM_32, 0, REFUSE | 1),  # and so has any other architecture
        ("aarch64", X86_64, 0, REFUSE | 1),
        *[("x86_64", X86_64, other, ALLOW) for other in (0, 40, 42, 53, 198, 424, 426, 0x3FFFFFFF)],
        *[("aarch64", AARCH64, other, ALLOW) for other in (0, 41, 197, 199, 424, 426)],
    ],
)
def test_filter_refuses_sockets_rings_and_foreign_calls_and_nothing_else(
    machine: str, own: int, number: int, said: int
) -> None:
    assert kernel_says(machine, own, number) == said
