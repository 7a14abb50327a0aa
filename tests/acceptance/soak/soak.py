"""The soak: the appliance on a clip that runs faster than life, and what it holds on to meanwhile.

Run as its service runs it (Type=notify, watched): camera and microphone from the demo clip, an OLED by
luma on a bus without an end, LEDs of the mock, and readers of its events. Or each output by itself.
Every few seconds /proc is asked what the process holds.
"""

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import astuple, fields, replace
from pathlib import Path
from typing import Final, Protocol

from edge.demo.script import DURATION_S
from tests.acceptance.common.programs import RigError
from tests.acceptance.common.table import Proof
from tests.acceptance.soak.appliance import WATCHDOG_S, Appliance
from tests.acceptance.soak.flags import MINUTES, SPEED, soak_flags
from tests.acceptance.soak.judge import (
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
from tests.acceptance.soak.outputs import APPLIANCE, OUTPUTS, SERVICE, Soaked
from tests.acceptance.soak.readers import Reader
from tests.acceptance.soak.slope import Sample, read_cpu_ticks, read_status, sample

EVERY_S: Final = 5.0
LOOK_S: Final = 1.0
"""Longest wait before it looks around: whether it is given up, or at a file."""


class Measured(Protocol):
    """What can be proven."""

    title: str

    def prove(self) -> Iterator[Proof]:
        """All proofs, one by one as they are made."""

    def more(self) -> str:
        """What stands below the table."""


class Soak:
    """One run and its judgement."""

    def __init__(
        self,
        rig: Path,
        minutes: float = MINUTES,
        speed: float = SPEED,
        name: str = SERVICE,
        given_up: threading.Event | None = None,
    ) -> None:
        """Plan it.

        Args:
            rig: its folder `soak` gets a folder for each output.
            minutes: how long.
            speed: of the clip.
            name: of an output, or `SERVICE`.
            given_up: once this is set, the run is ended.
        """
        self.folder = rig / "soak" / name
        self.minutes, self.speed, self.name = minutes, speed, name
        self.title = f"soak: {name} for {minutes:g} minutes, the clip at {speed:g}x"
        self._soaked: Soaked = OUTPUTS.get(name, APPLIANCE)
        self._given_up = given_up or threading.Event()
        self._seen = Seen()

    def prove(self) -> Iterator[Proof]:
        """Run it, write the samples into the folder, and judge."""
        began_s = time.monotonic()
        if why := self._soaked.lacks():
            yield Proof(RIG, "not run", why)
            return
        try:
            ended = self._run()
        except RigError as error:
            yield Proof(RIG, "FAILED", str(error), time.monotonic() - began_s)
            for what in (MEMORY, FILES, THREADS, WORK):
                yield Proof(what, "not run", "the appliance did not run to the end")
            return
        finally:
            self._write()
        yield Proof(RIG, "passed", ended, time.monotonic() - began_s)
        yield from judge(self._seen, self.minutes * 60, DURATION_S / self.speed)

    def prove_all(self) -> list[Proof]:
        """All proofs, once it has ended."""
        return list(self.prove())

    def more(self) -> str:
        """What stands below the table: how memory, threads and descriptors went on."""
        return f"\n{self.name}\n{picture(self._seen.samples)}" if self._seen.samples else ""

    def _run(self) -> str:
        with Appliance(self._soaked, self.folder, self.speed) as appliance:
            try:
                self._seen.ready_s = appliance.wait_until_ready()
                with contextlib.closing(appliance.reader(time.monotonic())) as reader:
                    self._watch(appliance, reader)
                    self._seen.visits = reader.visits
                    stop_s = appliance.stop()
            except RigError as error:
                raise RigError(f"{error}; it said: {appliance.complaint()}") from None
            self._seen.summary = appliance.last_words()
        gaps = [late - early for early, late in itertools.pairwise(self._seen.pings)]
        return (
            f"READY after {self._seen.ready_s:.1f} s, then {self.minutes:g} minutes; longest time "
            f"without a sign of life {max(gaps, default=0):.1f} s of the {WATCHDOG_S:.0f} s "
            f"allowed; ended {stop_s:.1f} s after SIGTERM, exit code 0"
        )

    def _watch(self, appliance: Appliance, reader: Reader) -> None:
        began_s = due_s = time.monotonic()
        self._seen.pings.append(began_s)
        while (now_s := time.monotonic()) - began_s < self.minutes * 60:
            if appliance.process.poll() is not None:
                raise RigError(f"it ended by itself with {appliance.process.returncode}")
            if self._given_up.is_set():
                raise RigError("it was given up")
            if now_s - self._seen.pings[-1] > WATCHDOG_S:
                raise RigError(f"it gave no sign of life for {WATCHDOG_S:.0f} s")
            if now_s >= due_s:
                self._seen.samples.append(take(appliance.process.pid, now_s - began_s))
                due_s += EVERY_S
            appliance.wait(reader.numbers(), min(LOOK_S, max(0.0, due_s - now_s)))
            while (message := appliance.told()) != "":
                if message == "WATCHDOG=1":
                    self._seen.pings.append(time.monotonic())
            for line in reader.lines(time.monotonic()):
                note(self._seen, line, time.monotonic() - began_s)

    def _write(self) -> None:
        names = [one.name for one in fields(Sample)]
        rows = [",".join(f"{number:g}" for number in astuple(one)) for one in self._seen.samples]
        table = "\n".join([",".join(names), *rows])
        (self.folder / "samples.csv").write_text(f"{table}\n", encoding="utf-8")


class EachOutput:
    """Several soaks, some at a time."""

    def __init__(
        self, rig: Path, names: Sequence[str], minutes: float, speed: float, at_once: int
    ) -> None:
        """Plan the soaks of *names*, *at_once* at a time."""
        self.title = f"soak: each output for {minutes:g} minutes, the clip at {speed:g}x"
        self._given_up, self._at_once = threading.Event(), at_once
        self._soaks = [Soak(rig, minutes, speed, name, self._given_up) for name in names]

    def prove(self) -> Iterator[Proof]:
        """The proofs of each as soon as it has ended."""
        with ThreadPoolExecutor(self._at_once) as pool:
            running = {pool.submit(soak.prove_all): soak for soak in self._soaks}
            try:
                for done in as_completed(running):
                    for proof in done.result():
                        yield replace(proof, what=f"{running[done].name}: {proof.what}")
            finally:
                self._given_up.set()
                pool.shutdown(cancel_futures=True)

    def more(self) -> str:
        """How memory, threads and descriptors of each went on."""
        return "".join(soak.more() for soak in self._soaks)


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


def soak_of(rig: Path, arguments: Sequence[str]) -> Measured:
    """The soak that *arguments* of the command line ask for."""
    options = soak_flags(arguments)
    names = list(OUTPUTS) if options.each_output else options.output
    if not names:
        return Soak(rig, options.minutes, options.speed or SPEED)
    return EachOutput(rig, names, options.minutes, options.speed or 1.0, options.at_once)
