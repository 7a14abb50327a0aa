"""The soak: the appliance on a clip that runs faster than life, and what it holds on to meanwhile.

Run as its service runs it (Type=notify, watched), with every stage at work: camera and microphone
from the demo clip, an OLED by luma on a bus without an end, LEDs of the mock, and a reader of its
events who comes and goes. Every few seconds /proc is asked what the process holds.
"""

import argparse
import itertools
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Final

from edge.config.paths import REPO_ROOT
from edge.demo.script import DURATION_S
from tests.acceptance.common.programs import RigError, end_group, tail
from tests.acceptance.common.table import Proof
from tests.acceptance.soak.judge import (
    ANONYMOUS,
    FILES,
    MEMORY,
    RIG,
    THREADS,
    WORK,
    Seen,
    judge,
    note,
    picture,
)
from tests.acceptance.soak.slope import Sample, read_cpu_ticks, read_status, sample

TITLE: Final = "soak: the appliance for {minutes:g} minutes, the clip at {speed:g}x"
MINUTES: Final = 60.0
SPEED: Final = 4.0
EVERY_S: Final = 5.0
READY_S: Final = 120.0
WATCHDOG_S: Final = 20.0
"""As the unit has it."""
STOP_S: Final = 10.0
VISIT_S: Final = 30.0
"""How long one reader of the events stays."""
SETTINGS: Final = """\
[display]
kind = "oled"

[leds]
backend = "mock"

[events]
to = "unix:{socket}"
"""


class Soak:
    """One run and its judgement."""

    def __init__(self, rig: Path, minutes: float = MINUTES, speed: float = SPEED) -> None:
        self.folder = rig / "soak"
        self.minutes, self.speed = minutes, speed
        self.title = TITLE.format(minutes=minutes, speed=speed)
        self._seen = Seen()
        self._rest = b""

    def prove(self) -> Iterator[Proof]:
        """Run it, write the samples into the folder, and judge."""
        self.folder.mkdir(parents=True, exist_ok=True)
        began_s = time.monotonic()
        try:
            ended = self._run()
        except RigError as error:
            yield Proof(RIG, "FAILED", str(error), time.monotonic() - began_s)
            for what in (MEMORY, ANONYMOUS, FILES, THREADS, WORK):
                yield Proof(what, "not run", "the appliance did not run to the end")
            return
        self._write()
        yield Proof(RIG, "passed", ended, time.monotonic() - began_s)
        yield from judge(self._seen, self.minutes * 60, DURATION_S / self.speed)

    def more(self) -> str:
        """What stands below the table: how memory, threads and descriptors went on."""
        return f"\n{picture(self._seen.samples)}" if self._seen.samples else ""

    def _run(self) -> str:
        for name in ("home", "run"):
            (self.folder / name).mkdir(exist_ok=True)
        events, notify = self.folder / "run/events", self.folder / "run/notify"
        notify.unlink(missing_ok=True)
        settings = self.folder / "config.toml"
        settings.write_text(SETTINGS.format(socket=events), encoding="utf-8")
        log = self.folder / "stderr.txt"
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
            log.open("wb") as said,
        ):
            systemd.bind(str(notify))
            process = subprocess.Popen(
                [
                    *(
                        sys.executable,
                        "-m",
                        "tests.acceptance.soak.accelerated_mien",
                        f"{self.speed:g}",
                    ),
                    *("run", "--demo", "--config", str(settings), "--keep-trying"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self.folder / "run",
                env={
                    **os.environ,
                    "PYTHONPATH": str(REPO_ROOT),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "PYTHONUNBUFFERED": "1",
                    "HOME": str(self.folder / "home"),
                    "NOTIFY_SOCKET": str(notify),
                    "WATCHDOG_USEC": f"{WATCHDOG_S * 1e6:.0f}",
                },
                start_new_session=True,
            )
            try:
                self._wait_until_ready(process, systemd)
                self._watch(process, systemd, events)
                code, stop_s = self._stop(process)
            except RigError as error:
                raise RigError(
                    f"{error}; it said: {tail(log.read_text(errors='replace'))}"
                ) from None
            finally:
                end_group(process)
                systemd.close()
        if code != 0 or "Traceback" in log.read_text(errors="replace"):
            raise RigError(f"it ended with {code}: {tail(log.read_text(errors='replace'))}")
        self._seen.summary = last_words(log.read_text(errors="replace"))
        gaps = [late - early for early, late in itertools.pairwise(self._seen.pings)]
        return (
            f"READY after {self._seen.ready_s:.1f} s, then {self.minutes:g} minutes; longest time "
            f"without a sign of life {max(gaps, default=0):.1f} s of the {WATCHDOG_S:.0f} s "
            f"allowed; ended {stop_s:.1f} s after SIGTERM, exit code 0"
        )

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]", systemd: socket.socket) -> None:
        began_s = time.monotonic()
        while not self._seen.ready_s:
            if process.poll() is not None:
                raise RigError(f"it ended with {process.returncode} before it was ready")
            if time.monotonic() - began_s > READY_S:
                raise RigError(f"it was not ready within {READY_S:.0f} s")
            if select.select([systemd], [], [], 0.5)[0] and self._told(systemd) == "READY=1":
                self._seen.ready_s = time.monotonic() - began_s

    def _watch(
        self, process: "subprocess.Popen[bytes]", systemd: socket.socket, events: Path
    ) -> None:
        began_s = due_s = time.monotonic()
        self._seen.pings.append(began_s)
        reader, since_s = self._visit(events), began_s
        try:
            while (now_s := time.monotonic()) - began_s < self.minutes * 60:
                if process.poll() is not None:
                    raise RigError(f"it ended by itself with {process.returncode}")
                if now_s - self._seen.pings[-1] > WATCHDOG_S:
                    raise RigError(f"it gave no sign of life for {WATCHDOG_S:.0f} s")
                if now_s >= due_s:
                    self._seen.samples.append(take(process.pid, now_s - began_s))
                    due_s += EVERY_S
                if now_s - since_s > VISIT_S:
                    reader.close()
                    reader, since_s = self._visit(events), now_s
                ready, _, _ = select.select([systemd, reader], [], [], max(0.0, due_s - now_s))
                if systemd in ready:
                    self._told(systemd)
                if reader in ready:
                    self._read(reader, now_s - began_s)
        finally:
            reader.close()

    def _told(self, systemd: socket.socket) -> str:
        message = systemd.recv(4096).decode("utf-8", "replace")
        if message == "WATCHDOG=1":
            self._seen.pings.append(time.monotonic())
        return message

    def _visit(self, events: Path) -> socket.socket:
        """A new reader of the events."""
        reader = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            reader.connect(str(events))
        except OSError as error:
            reader.close()
            raise RigError(f"its events cannot be read ({error})") from error
        self._rest = b""
        self._seen.visits += 1
        return reader

    def _read(self, reader: socket.socket, t_s: float) -> None:
        data = reader.recv(65536)
        if not data:
            raise RigError("it hung up on the reader of its events")
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            note(self._seen, line, t_s)

    def _stop(self, process: "subprocess.Popen[bytes]") -> tuple[int, float]:
        asked_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise RigError(f"it did not end within {STOP_S:.0f} s of SIGTERM") from None
        return code, time.monotonic() - asked_s

    def _write(self) -> None:
        names = [one.name for one in fields(Sample)]
        rows = [",".join(f"{number:g}" for number in astuple(one)) for one in self._seen.samples]
        table = "\n".join([",".join(names), *rows])
        (self.folder / "samples.csv").write_text(f"{table}\n", encoding="utf-8")


def take(pid: int, t_s: float) -> Sample:
    """What process *pid* holds now, *t_s* seconds after its start.

    Raises:
        RigError: it is gone.
    """
    process = Path(f"/proc/{pid}")
    try:
        status = read_status((process / "status").read_text())
        ticks = read_cpu_ticks((process / "stat").read_text())
        return sample(
            t_s, status, len(os.listdir(process / "fd")), ticks / os.sysconf("SC_CLK_TCK")
        )
    except (OSError, KeyError) as error:
        raise RigError(f"/proc does not tell of it any more ({error})") from error


def last_words(said: str) -> str:
    """What the appliance says of its run at the end, less the long list of what it showed."""
    told = [line for line in said.splitlines() if " frames read, " in line]
    return told[-1] if told else "none"


def soak_of(rig: Path, arguments: Sequence[str]) -> Soak:
    """The soak that *arguments* of the command line ask for."""
    parser = argparse.ArgumentParser(prog="./setup.sh rig soak", description="Soak the appliance.")
    parser.add_argument("--minutes", type=_above_zero, default=MINUTES, help="how long (60)")
    parser.add_argument("--speed", type=_above_zero, default=SPEED, help="of the clip (4)")
    options = parser.parse_args(list(arguments))
    return Soak(rig, options.minutes, options.speed)


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number
