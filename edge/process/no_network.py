"""Keeps libraries from the network: MediaPipe reports its use to its maker and cannot be told not to.

Its packages have done so since some version between 0.10.21 and 0.10.35 (issue 6291 of
google-ai-edge/mediapipe). Seen with 1.2.2, at the latest when a detector is closed: a thread looks up
play.googleapis.com, to which that issue saw connections. No option stops it. Under systemd the unit
forbids networks; everywhere else, what is made by `offline` is held to that by the kernel, with
seccomp(2).
"""

import ctypes
import errno
import os
import platform
import threading
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from edge.errors import ModelError

Made = TypeVar("Made")

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000
"""With the error number in its lower half."""
LOAD, IF_EQUAL, IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of linux/bpf_common.h: load a word, two jumps, and the end."""
_NUMBER, _ARCHITECTURE = 0, 4
"""Where the kernel puts them (struct seccomp_data)."""
_OTHER_ABI: Final = 0x40000000
"""From here on the numbers are those of x32, a second way to make the same calls."""
_IO_URING_SETUP: Final = 425
"""A ring opens sockets past the call that is watched here."""


class Machine(NamedTuple):
    """What the kernel calls a processor, and the number of socket(2) on it."""

    architecture: int
    socket: int


MACHINES: Final = {
    "x86_64": Machine(0xC000003E, 41),
    "aarch64": Machine(0xC00000B7, 198),
}


class Instruction(ctypes.Structure):
    """`struct sock_filter`."""

    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("value", ctypes.c_uint),
    )


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(Instruction)))


def offline(make: Callable[[], Made], machine: str = "") -> Made:
    """Call *make* where no network can be reached; what it returns.

    It runs on a thread of its own. That, and all threads and programs that it starts, can open no
    socket of any kind (EAFNOSUPPORT): by one to systemd-resolved, names could still be looked up.
    This thread is not restricted.

    Args:
        make: what to call; what it raises comes out here.
        machine: as `platform.machine` says; this one when empty.

    Raises:
        ModelError: this system cannot do that; then *make* is not called.
    """
    made: list[Made] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            _forbid_network(machine or platform.machine())
            made.append(make())
        except BaseException as error:
            failures.append(error)

    # Not one of concurrent.futures: those are waited for at exit, and loading a library may hang.
    thread = threading.Thread(target=work, name="offline", daemon=True)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return made[0]


def _forbid_network(machine: str) -> None:
    """Restrict this thread, for good."""
    if ctypes.sizeof(ctypes.c_void_p) != 8:  # a 32-bit program makes its calls by other numbers
        machine = f"32-bit {machine}"
    try:
        known = MACHINES[machine]
        call = ctypes.CDLL(None, use_errno=True).prctl
    except (KeyError, OSError, AttributeError) as error:
        raise _cannot(f"{platform.system()} on {machine}") from error
    call.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    steps = network_filter(known)
    program = _Program(len(steps), (Instruction * len(steps))(*steps))
    if call(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or call(
        _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0
    ):
        raise _cannot(os.strerror(ctypes.get_errno()))


def _cannot(why: str) -> ModelError:
    return ModelError(
        f"MediaPipe would report its use over the network, and this system cannot keep it from that "
        f"({why}): run Mien on a Linux with seccomp filters, or with --no-face."
    )


def network_filter(machine: Machine) -> list[Instruction]:
    """The program that the kernel asks before every call; jumps count from the next instruction."""
    return [
        Instruction(LOAD, value=_ARCHITECTURE),
        Instruction(IF_EQUAL, 0, 5, machine.architecture),
        Instruction(LOAD, value=_NUMBER),
        Instruction(IF_AT_LEAST, 3, 0, _OTHER_ABI),
        Instruction(IF_EQUAL, 2, 0, _IO_URING_SETUP),
        Instruction(IF_EQUAL, 0, 2, machine.socket),
        Instruction(RETURN, value=_REFUSE | errno.EAFNOSUPPORT),
        Instruction(RETURN, value=_REFUSE | errno.EPERM),
        Instruction(RETURN, value=_ALLOW),
    ]
