"""How long the appliance takes to be ready, and the splash to show its face, from the fork on.

A benchmark: on this machine, its files in the page cache but for the first time. Beside the time on
the wall stands the processor time, which other programs on the machine change less.
"""

import os
import re
import select
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from edge.config.paths import REPO_ROOT
from edge.splash.boot import Panel, pictures
from tests.acceptance.common.programs import RigError, end_group, tail
from tests.acceptance.common.table import Outcome, Proof
from tests.acceptance.soak.slope import read_cpu_ticks

TITLE: Final = "start: from the fork to READY, and to the first picture"
RUNS: Final = 7
READY_BAR_S: Final = 4.0
SPLASH_BAR_S: Final = 0.5
LIMIT_S: Final = 120.0
SILENCE_S: Final = 1.5
"""After a picture the splash says nothing for 4 s: then it blinks."""
READY: Final = "The appliance: fork to READY"
SPLASH: Final = "The splash: fork to first picture"
BY_LUMA: Final = "The splash by luma (ssd1327)"
HERE: Final = Path(__file__).parent
SETTINGS: Final = '[display]\nkind = "oled"\n'
"""As the service has them."""
LUMA_SETTINGS: Final = f'{SETTINGS}driver = "ssd1327"\n'
WIRE_BITS: Final = 9
"""A byte on I2C, with the chip's answer."""
WIRE_HZ: Final = 400_000

_IMPORT: Final = re.compile(r"import time: +(\d+) \| +\d+ \| +([\w.]+)")


class Run(NamedTuple):
    """One start."""

    wall_s: float
    cpu_s: float
    sent: bytes = b""
    """To the display."""


class Start:
    """The measurements."""

    def __init__(self, rig: Path, runs: int = RUNS) -> None:
        self.folder = rig / "start"
        self.title = TITLE
        self._runs = runs

    def prove(self) -> Iterator[Proof]:
        """All proofs, one by one as they are made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("service", SETTINGS), ("luma", LUMA_SETTINGS)):
            (self.folder / f"{name}.toml").write_text(text, encoding="utf-8")
        ready_s = yield from self._measure(READY, self._appliance, READY_BAR_S)
        yield from self._measure(SPLASH, self._splash, SPLASH_BAR_S)
        if ready_s is None:
            yield Proof(BY_LUMA, "not run", "it has to come before READY, which never came")
        else:
            # Rarer displays are driven by what draws Mien's own face; it has to come before that.
            yield from self._measure(BY_LUMA, self._splash_by_luma, ready_s)

    def more(self) -> str:
        """What stands below the table: nothing."""
        return ""

    def _measure(
        self, what: str, once: Callable[[], Run], bar_s: float
    ) -> Generator[Proof, None, float | None]:
        """Do it several times; the median, or None if it did not work."""
        began_s = time.monotonic()
        try:
            runs = [once() for _ in range(self._runs)]
        except RigError as error:
            yield Proof(what, "FAILED", str(error), time.monotonic() - began_s)
            return None
        took_s = time.monotonic() - began_s
        outcome = verdict(runs, bar_s, os.getloadavg()[0] / (os.cpu_count() or 1))
        seen = describe(runs, bar_s)
        if outcome != "passed" and what == READY:
            seen += f"; imports: {self._imports()}"
        yield Proof(what, outcome, seen, took_s)
        return statistics.median(run.wall_s for run in runs)

    def _appliance(self) -> Run:
        """The demo clip in place of camera and microphone, and a display that is not there."""
        notify, log = self.folder / "notify", self.folder / "ready.txt"
        notify.unlink(missing_ok=True)
        flags = ("run", "--demo", "--config", str(self.folder / "service.toml"), "--keep-trying")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, log.open("wb") as said:
            systemd.bind(str(notify))
            began_s = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-m", "edge", *flags],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self.folder,
                env=self._environment(NOTIFY_SOCKET=str(notify), WATCHDOG_USEC="20000000"),
                start_new_session=True,
            )
            try:
                while True:
                    left_s = began_s + LIMIT_S - time.monotonic()
                    if left_s <= 0 or process.poll() is not None:
                        raise RigError(f"it was never ready: {tail(log.read_text())}")
                    heard = select.select([systemd], [], [], min(left_s, 0.5))[0]
                    if heard and systemd.recv(4096) == b"READY=1":
                        return Run(time.monotonic() - began_s, cpu_s(process.pid))
            finally:
                end_group(process)

    def _splash(self) -> Run:
        run = self._first_picture("service")
        opened, _ = pictures(Panel())
        if opened not in run.sent or not run.sent.endswith(b"\x00\xaf"):
            raise RigError(f"what it sent is not the picture: {len(run.sent)} bytes")
        return run

    def _splash_by_luma(self) -> Run:
        run = self._first_picture("luma")
        if len(run.sent) - run.sent.count(0) < 1000:
            raise RigError(f"what it sent is no picture: {len(run.sent)} bytes")
        return run

    def _first_picture(self, name: str) -> Run:
        """Start the splash on a pipe; the last it sends before a silence ends the picture."""
        reading, writing = os.pipe()
        log = self.folder / f"splash-{name}.txt"
        with log.open("wb") as said, os.fdopen(reading, "rb", 0) as bus:
            began_s = time.monotonic()
            with os.fdopen(writing, "wb", 0):
                process = subprocess.Popen(
                    [
                        *(sys.executable, str(HERE / "splash_on_pipe.py"), str(writing)),
                        str(self.folder / f"{name}.toml"),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    env=self._environment(),
                    pass_fds=[writing],
                    start_new_session=True,
                )
            try:
                sent, last_s, used_s = b"", began_s, 0.0
                while select.select([bus], [], [], SILENCE_S if sent else LIMIT_S)[0]:
                    part = os.read(bus.fileno(), 65536)
                    if not part:
                        break
                    last_s, used_s = time.monotonic(), cpu_s(process.pid)
                    sent += part
            finally:
                end_group(process)
        if not sent:
            raise RigError(f"it sent nothing: {tail(log.read_text())}")
        return Run(last_s - began_s, used_s, sent)

    def _environment(self, **more: str) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("MIEN_")}
        return {
            **kept,
            "PYTHONPATH": str(REPO_ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self.folder),
            **more,
        }

    def _imports(self) -> str:
        """The packages whose own modules take longest to import."""
        done = subprocess.run(
            [
                *(sys.executable, "-X", "importtime", "-m", "edge", "run", "--demo"),
                *("--seconds", "0.1", "--display", "none"),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            env=self._environment(MIEN_DEBUG="1"),  # which leaves the standard error alone
            timeout=LIMIT_S,
            check=False,
        )
        return ", ".join(
            f"{package} {seconds * 1000:.0f} ms" for package, seconds in costliest(done.stderr, 5)
        )


def cpu_s(pid: int) -> float:
    """Processor time that *pid* has used, user and system; 0 if it is gone."""
    try:
        ticks = read_cpu_ticks(Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return 0.0
    return ticks / os.sysconf("SC_CLK_TCK")


def costliest(said: str, count: int) -> list[tuple[str, float]]:
    """The *count* packages that took longest, and their seconds, in what -X importtime *said*."""
    costs: Counter[str] = Counter()
    for own_us, name in _IMPORT.findall(said):
        costs[name.partition(".")[0]] += int(own_us)
    return [(name, us / 1e6) for name, us in costs.most_common(count)]


def verdict(runs: Sequence[Run], bar_s: float, load: float) -> Outcome:
    """Proven or failed by the median; no verdict where the machine had no time to give.

    Args:
        runs: what was measured.
        bar_s: how long it may take.
        load: programs that wanted to run, for each processor; above 1 some had to wait.
    """
    if statistics.median(run.wall_s for run in runs) <= bar_s:
        return "passed"
    spare = statistics.median(run.cpu_s for run in runs) <= bar_s / 2
    return "not run" if spare and load > 1 else "FAILED"


def describe(runs: Sequence[Run], bar_s: float) -> str:
    """Median, worst and processor time of *runs*."""
    walls = [run.wall_s for run in runs]
    said = (
        f"median {statistics.median(walls):.2f} s, worst {max(walls):.2f} s of {len(runs)} "
        f"(at most {bar_s:.1f} s); processor time {statistics.median(run.cpu_s for run in runs):.2f} s"
    )
    if runs[0].sent:
        wire_s = len(runs[0].sent) * WIRE_BITS / WIRE_HZ
        said += f"; its {len(runs[0].sent)} bytes take another {wire_s:.2f} s on I2C at 400 kHz"
    return f"{said}; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
