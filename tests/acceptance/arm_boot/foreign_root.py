"""Runs the programs of an aarch64 system on this machine, by qemu-user.

`python -m tests.acceptance.arm_boot.foreign_root QEMU ROOT FOLDER:PLACE... -- COMMAND...` runs one in a
user namespace of its own. There, since Linux 6.7, the kernel can be told of another machine's programs
without the rest of this machine noticing; and there is no network.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.acceptance.common.programs import run

REPO_ROOT: Final = Path(__file__).resolve().parents[3]
_IDS: Final = 65536
_DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty")
_PROGRAMS: Final = "/proc/sys/fs/binfmt_misc"
_UTF8: Final = {"LANG": "C.UTF-8"}
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
# From linux/sched.h: mounts, names of the host, users, processes, network.
_NEW_MOUNTS, _NEW_NAMES, _NEW_USERS = 0x00020000, 0x04000000, 0x10000000
_NEW_PROCESSES, _NEW_NETWORK = 0x20000000, 0x40000000


class ForeignRoot:
    """A system for aarch64 in a folder."""

    def __init__(self, qemu: Path, root: Path, shown: Mapping[Path, str] | None = None) -> None:
        """Plan it.

        Args:
            qemu: a qemu-user that is linked statically.
            root: where the system lies.
            shown: further folders, and where they can be read in it.
        """
        self._command = [
            sys.executable,
            "-m",
            "tests.acceptance.arm_boot.foreign_root",
            str(qemu),
            str(root),
        ]
        self._command += [f"{folder}:{place}" for folder, place in (shown or {}).items()]

    def call(self, command: Sequence[str], log: Path, limit_s: float) -> str:
        """Run one command in it, as root; what it said.

        Raises:
            RigError: it failed or took too long.
        """
        return run([*self._command, "--", *command], log, limit_s, {"PYTHONPATH": str(REPO_ROOT)})


def registration(qemu: str) -> str:
    """What the kernel is told to run 64-bit little-endian ARM programs with *qemu*.

    By linux/Documentation/admin-guide/binfmt-misc.rst: name, kind, offset, the first bytes of an
    ELF file for machine 183, which of their bits count, program. F: open it now, as it is not to be
    seen from within the other system.

    Raises:
        ValueError: the path has a colon, which parts the fields.
    """
    if ":" in qemu:
        raise ValueError(f"{qemu} has a colon in it; have the checkout where there is none")
    head = [*b"\x7fELF", 2, 1, 1, *[0] * 9, 2, 0, 183, 0]
    mask = [*[255] * 7, 0, *[255] * 8, 254, 255, 255, 255]
    magic, bits = ("".join(f"\\x{byte:02x}" for byte in part) for part in (head, mask))
    return f":mien-aarch64:M::{magic}:{bits}:{qemu}:F"


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no namespaces can be made here: {os.strerror(number)}")


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(done.stderr.strip())


def _enter(qemu: str, root: Path, shown: Sequence[str], command: Sequence[str]) -> None:
    """Become *command* in *root*; the namespaces are there, this is the first process in them."""
    _mount("--make-rprivate", "/")
    _mount("-t", "proc", "proc", str(root / "proc"))
    programs = root / _PROGRAMS.lstrip("/")
    # Before Linux 6.7 there is one list for the whole machine. It is not added to; perhaps aarch64
    # is on it already.
    with contextlib.suppress(OSError):
        _mount("-t", "binfmt_misc", "none", str(programs))
        (programs / "register").write_text(registration(qemu))
    # The number of processors is read from there.
    _mount("-t", "sysfs", "-o", "ro", "sys", str(root / "sys"))
    _mount("-t", "tmpfs", "-o", "mode=755", "devices", str(root / "dev"))
    for name in _DEVICES:
        (root / "dev" / name).touch()
        _mount("--bind", f"/dev/{name}", str(root / "dev" / name))
    for name, file in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (root / "dev" / name).symlink_to(f"/proc/self/{file}")
    (root / "dev/shm").mkdir(mode=0o1777)
    for pair in shown:
        folder, _, place = pair.rpartition(":")
        target = root / place.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        _mount("--bind", "-o", "ro", folder, str(target))
    os.chroot(root)
    os.chdir("/")
    os.execve(command[0], list(command), {**_UTF8, "PATH": _PATH, "HOME": "/root"})


def _as_child(command: Sequence[str], qemu: str, root: Path, shown: Sequence[str]) -> int:
    child = os.fork()
    if child == 0:
        try:
            _enter(qemu, root, shown, command)
        except (OSError, ValueError) as error:
            print(f"foreign: {error}", file=sys.stderr)
        os._exit(125)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> int:
    """Run it; the exit code is that of the command, or 125 if it could not be started."""
    cut = sys.argv.index("--")
    (qemu, root, *shown), command = sys.argv[1:cut], sys.argv[cut + 1 :]
    if not Path(_PROGRAMS).is_dir():
        # A module on Debian, which the namespace may not load. If there is none, running tells.
        subprocess.run(["modprobe", "-q", "binfmt_misc"], check=False)
    ready, allowed = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready[0])
        os.close(allowed[1])
        try:
            flags = _NEW_USERS | _NEW_MOUNTS | _NEW_NAMES | _NEW_PROCESSES | _NEW_NETWORK
            _unshare(flags)
            os.write(ready[1], b"x")
            # Who is who is for a process outside to say.
            os.read(allowed[0], 1)
            code = _as_child(command, qemu, Path(root), shown)
        except OSError as error:
            print(f"foreign: {error}", file=sys.stderr)
            code = 125
        os._exit(code if 0 <= code < 256 else 128 - code)
    os.close(ready[1])
    if os.read(ready[0], 1):
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{child}/{name}").write_text(f"0 0 {_IDS}\n")
    os.write(allowed[1], b"x")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
