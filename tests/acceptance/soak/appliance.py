"""`mien run` as its service runs it, on a clip, with what its output draws on."""

import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge.config.paths import REPO_ROOT
from tests.acceptance.common.programs import RigError, end_group, tail
from tests.acceptance.soak.outputs import Soaked
from tests.acceptance.soak.readers import FileReader, PipeReader, Reader, SocketReader

WATCHDOG_S: Final = 20.0
"""As the unit has it."""
READY_S: Final = 120.0
STOP_S: Final = 10.0
ROWS, COLUMNS = 40, 100
"""Of the terminal."""


class Appliance:
    """One run. To be used in a `with`, which ends it."""

    def __init__(self, soaked: Soaked, folder: Path, speed: float) -> None:
        """Plan it.

        Args:
            soaked: what it shows itself on.
            folder: its own; what is in there already is written over.
            speed: of the clip.
        """
        self._soaked, self._folder, self._speed = soaked, folder, speed
        self._log = folder / "stderr.txt"
        self._drains: list[int] = []
        """What somebody has to read, lest it waits: the terminal."""
        self._stdout = -1
        self._rest = contextlib.ExitStack()

    def __enter__(self) -> "Appliance":
        """Start it.

        Raises:
            RigError: what it draws on does not start.
        """
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._rest = stack.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        """End it, however that goes."""
        self._rest.close()

    def _start(self, stack: contextlib.ExitStack) -> None:
        folder = self._folder
        for name in ("home", "run"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for file in (folder / "run").glob("*"):
            file.unlink()
        settings = folder / "config.toml"
        settings.write_text(self._soaked.toml(folder / "run"), encoding="utf-8")
        environment = {
            **os.environ,
            "PYTHONPATH": str(REPO_ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "HOME": str(folder / "home"),
            "NOTIFY_SOCKET": str(folder / "run/notify"),
            "WATCHDOG_USEC": f"{WATCHDOG_S * 1e6:.0f}",
        }
        self.systemd = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.systemd.bind(environment["NOTIFY_SOCKET"])
        said = stack.enter_context(self._log.open("wb"))
        stdout = stderr = said.fileno()
        if self._soaked.on == "X server":
            environment["DISPLAY"] = stack.enter_context(_x_server())
        elif self._soaked.on == "terminal":
            here, stderr = os.openpty()
            stack.callback(os.close, here)
            fcntl.ioctl(stderr, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            environment |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
            self._drains.append(here)
        if self._soaked.events == "stdout":
            self._stdout, stdout = os.pipe()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.acceptance.soak.accelerated_mien"),
                *(f"{self._speed:g}", "run", "--demo", "--config", str(settings), "--keep-trying"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=folder / "run",
            env=environment,
            start_new_session=True,
        )
        stack.callback(end_group, self.process)
        for number in {stdout, stderr} - {said.fileno()}:
            os.close(number)

    def reader(self, t_s: float) -> Reader:
        """Whoever reads its events from *t_s* on.

        Raises:
            RigError: they cannot be read.
        """
        if self._soaked.events == "file":
            return FileReader(self._folder / "run/events.jsonl")
        if self._soaked.events == "stdout":
            return PipeReader(self._stdout)
        return SocketReader(self._folder / "run/events", t_s)

    def wait(self, numbers: list[int], timeout_s: float) -> None:
        """Wait until one of *numbers* or systemd's socket can be read; read the terminal meanwhile."""
        until_s = time.monotonic() + timeout_s
        while (left_s := until_s - time.monotonic()) > 0:
            wanted = [*numbers, self.systemd.fileno()]
            ready, _, _ = select.select([*wanted, *self._drains], [], [], left_s)
            for number in set(ready) & set(self._drains):
                self._drain(number)
            if set(ready) & set(wanted):
                return

    def _drain(self, number: int) -> None:
        try:
            drawn = os.read(number, 65536)
        except OSError:  # it has ended
            self._drains.remove(number)
            return
        # Pictures begin with an escape sequence; the last words do not.
        self._log.write_bytes((self._log.read_bytes() + drawn)[-16384:])

    def told(self) -> str:
        """The next message to systemd; "" if there is none."""
        if not select.select([self.systemd], [], [], 0)[0]:
            return ""
        return self.systemd.recv(4096).decode("utf-8", "replace")

    def wait_until_ready(self) -> float:
        """How many seconds it took to be ready.

        Raises:
            RigError: it never was.
        """
        began_s = time.monotonic()
        while self.told() != "READY=1":
            took_s = time.monotonic() - began_s
            if self.process.poll() is not None:
                raise RigError(f"it ended with {self.process.returncode} before it was ready")
            if took_s > READY_S:
                raise RigError(f"it was not ready within {READY_S:.0f} s")
            self.wait([], 0.5)
        return time.monotonic() - began_s

    def stop(self) -> float:
        """Ask it to end; how many seconds that took.

        Raises:
            RigError: it did not, or ended badly.
        """
        asked_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None:
            if time.monotonic() - asked_s > STOP_S:
                raise RigError(f"it did not end within {STOP_S:.0f} s of SIGTERM")
            if self.told() == "":
                self.wait([], 0.05)
        while self._drains and select.select(self._drains, [], [], 0)[0]:
            self._drain(self._drains[0])
        if self.process.returncode != 0 or "Traceback" in self.said():
            raise RigError(f"it ended with {self.process.returncode}")
        return time.monotonic() - asked_s

    def said(self) -> str:
        """What it wrote to the standard error; of a terminal's the last of it."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        """What it says of its run at the end, less the long list of what it showed."""
        told = [line for line in self.said().splitlines() if " frames read, " in line]
        return told[-1] if told else "none"

    def complaint(self) -> str:
        """The end of what it said."""
        return tail(self.said())


@contextlib.contextmanager
def _x_server() -> Iterator[str]:
    """An X server without a screen; its display's name."""
    here, there = os.pipe()
    with contextlib.closing(os.fdopen(here, "rb")) as told:
        command = ["Xvfb", "-displayfd", str(there), "-screen", "0", "640x480x24"]
        server = subprocess.Popen(
            command, pass_fds=[there], stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            os.close(there)
            number = told.readline().decode().strip()
            if not number:
                raise RigError("Xvfb does not start")
            yield f":{number}"
        finally:
            end_group(server)
