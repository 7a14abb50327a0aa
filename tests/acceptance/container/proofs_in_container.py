"""Runs in the booted container: does to the service what may befall it, and notes what follows.

Python's own library alone, of Debian's Python 3.13. The results go to `RESULTS`, one JSON object a
line, written at once so that nothing is lost if the container dies.
"""

import errno
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.acceptance.common.service import (
    BACK_S,
    READY_S,
    UNIT,
    CannotTryError,
    NotSoError,
    ask,
    is_back,
    journal,
    main_pid,
    need,
    show,
    wait_for,
)
from tests.acceptance.container import service_faults
from tests.acceptance.container.thread_freezer import Freezer

UNITS: Final = (UNIT, "mien-splash.service")
RESULTS: Final = Path("/rig/results.jsonl")
JOURNAL: Final = Path("/rig/journal.txt")
WATCHDOG_S: Final = 20.0
WORST_EXPOSURE: Final = 1.5
HUNG: Final = re.compile(r"The (.+?) hangs; it is started again")
NOWHERE: Final = "192.0.2.1"
"""An address of a network for documentation (RFC 5737)."""


def process_status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def ready() -> str:
    """READY came, and how long it took."""
    wait_for("READY", lambda: show("ActiveState") == "active", READY_S)
    need(show("NRestarts") == "0", f"it took {show('NRestarts')} restarts")
    began_us, ready_us = (
        int(show(name))
        for name in ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    )
    return (
        f"Type=notify, READY {(ready_us - began_us) / 1e6:.1f} s after its process began; "
        f"its status: {show('StatusText').partition('.')[0]}."
    )


def unit_files() -> str:
    done = ask("systemd-analyze", "verify", "--man=no", *UNITS)
    need(done.returncode == 0 and not done.stderr, f"systemd-analyze verify: {done.stderr.strip()}")
    rated = []
    for unit in UNITS:
        path = f"/etc/systemd/system/{unit}"
        said = ask("systemd-analyze", "--no-pager", "security", "--offline=true", path).stdout
        level = re.search(r"exposure level for \S+ ([\d.]+)", said)
        need(level is not None, f"systemd-analyze security has no level for {unit}")
        assert level is not None
        need(float(level[1]) <= WORST_EXPOSURE, f"{unit} is exposed at {level[1]}")
        rated.append(f"{unit} {level[1]}")
    version = ask("systemctl", "--version").stdout.split()[1]
    return f"systemd {version} verify has nothing to say; exposure {', '.join(rated)}"


def confined() -> str:
    pid = main_pid()
    status = process_status(pid)
    need(status["Uid"].split()[0] != "0", "it runs as root")
    need(int(status["CapBnd"], 16) == 0, f"it may have capabilities ({status['CapBnd']})")
    need(status["NoNewPrivs"] == "1", "it may gain privileges")
    need(status["Seccomp"] == "2", "its system calls are not filtered")
    for place in ("etc", "usr", "opt/mien"):
        try:
            os.close(os.open(f"/proc/{pid}/root/{place}/rig", os.O_CREAT | os.O_WRONLY))
        except OSError as error:
            need(error.errno == errno.EROFS, f"/{place}: {error}")
        else:
            raise NotSoError(f"/{place} can be written to")
    os.close(os.open(f"/proc/{pid}/root/run/mien/rig", os.O_CREAT | os.O_WRONLY))
    os.unlink(f"/proc/{pid}/root/run/mien/rig")
    return (
        "not root, no capability, filtered system calls; its /etc, /usr and /opt/mien are read-only"
    )


CONNECT: Final = """
import os, socket, sys
os.setns(os.open(f"/proc/{sys.argv[1]}/ns/net", os.O_RDONLY), os.CLONE_NEWNET)
names = ",".join(name for _, name in socket.if_nameindex())
try:
    socket.create_connection((sys.argv[2], 9), 2)
    print(names, "connected")
except OSError as error:
    print(names, os.strerror(error.errno) if error.errno else error)
"""


def no_network() -> str:
    pid = main_pid()
    need(
        os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/1/ns/net"),
        "it shares the network of the system",
    )
    said = ask(sys.executable, "-c", CONNECT, str(pid), NOWHERE)
    interfaces, _, answer = said.stdout.strip().partition(" ")
    need(interfaces == "lo", f"it has the interfaces {interfaces} {said.stderr[-200:]}")
    need(answer == "Network is unreachable", f"connecting gave: {answer}")
    families = show("RestrictAddressFamilies").split()
    need(sorted(families) == ["AF_NETLINK", "AF_UNIX"], f"it may have sockets of {families}")
    return "a network namespace of its own with lo alone; connecting there: network is unreachable"


def killed() -> str:
    pid = main_pid()
    os.kill(pid, signal.SIGKILL)
    took_s = wait_for("the service", lambda: is_back(pid), BACK_S)
    return f"READY again {took_s:.1f} s after kill -9"


def watchdog_after(
    pid: int, before: list[str], limit_s: float, meanwhile: Callable[[], None] = lambda: None
) -> float:
    def gone() -> bool:
        meanwhile()
        return int(show("MainPID") or 0) != pid

    took_s = wait_for("the watchdog", gone, limit_s)
    new = journal()[len(before) :]
    need(any("Watchdog timeout" in line for line in new), f"it was not the watchdog: {new[-3:]}")
    return took_s + wait_for("the service", lambda: is_back(pid), BACK_S)


def stopped_in_its_tracks() -> str:
    pid, before = main_pid(), journal()
    os.kill(pid, signal.SIGSTOP)
    took_s = watchdog_after(pid, before, 2 * WATCHDOG_S)
    need(took_s > WATCHDOG_S / 2, f"it was replaced after only {took_s:.1f} s")
    return f"SIGSTOP of the process: killed by the watchdog, READY again after {took_s:.1f} s"


def loop_hangs() -> str:
    pid, before = main_pid(), journal()
    freezer = Freezer(pid)
    need(freezer.freeze(pid), "the main thread has ended")
    took_s = watchdog_after(pid, before, 2 * WATCHDOG_S, freezer.reap)
    return f"main thread stopped alone: killed by the watchdog, READY again after {took_s:.1f} s"


def stages_hang() -> str:
    """Whatever runs beside the loop hangs, and so does what replaces it."""
    pid, before = main_pid(), journal()
    freezer = Freezer(pid)
    noticed_s: list[float] = []
    began_s = time.monotonic()

    def hang() -> None:
        freezer.freeze_workers(age_s=1.0)
        freezer.reap()
        if not noticed_s and any(HUNG.search(line) for line in journal()[len(before) :]):
            noticed_s.append(time.monotonic() - began_s)

    took_s = watchdog_after(pid, before, 120.0, hang)
    new = journal()[len(before) :]
    hung = [found[1] for found in map(HUNG.search, new) if found]
    need(bool(hung) and bool(noticed_s), f"nobody noticed: {new[-3:]}")
    return (
        f"stages stopped ({', '.join(sorted(set(hung)))}): noticed after {noticed_s[0]:.1f} s and "
        f"replaced {len(hung)} times; those stopped as well, the watchdog ended it: "
        f"READY after {took_s:.1f} s"
    )


def ends_well() -> str:
    before = journal()
    began_s = time.monotonic()
    ask("systemctl", "stop", UNIT)
    took_s = time.monotonic() - began_s
    ended = [show(name) for name in ("ActiveState", "Result", "ExecMainStatus", "ExecMainCode")]
    need(ended == ["inactive", "success", "0", "1"], f"it ended with {ended}")
    new = journal()[len(before) :]
    need(not any("Killing" in line or "timed out" in line for line in new), f"{new[-3:]}")
    need(not any("Traceback" in line for line in journal()), "a traceback is in the journal")
    return f"ended by itself {took_s:.1f} s after SIGTERM, exit code 0; no traceback in its journal"


def wrong_settings() -> str:
    settings = Path("/etc/mien/config.toml")
    right = settings.read_text()
    settings.write_text(right + '\n[displai]\nkind = "oled"\n')
    try:
        ask("systemctl", "start", UNIT)
        time.sleep(3)
        need(show("ActiveState") == "failed", f"it is {show('ActiveState')}")
        need(show("NRestarts") == "0", f"it was restarted {show('NRestarts')} times")
        said = next((line for line in reversed(journal()) if "displai" in line), "")
        need(bool(said), "the journal does not name the wrong line")
    finally:
        settings.write_text(right)
    ask("systemctl", "reset-failed", UNIT)
    ask("systemctl", "start", UNIT)
    wait_for("READY", lambda: show("ActiveState") == "active", READY_S)
    return "stays down, names the line in the journal; mended, it starts"


CHECKS: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("Boot under systemd, READY", ready),
    ("Unit files", unit_files),
    ("What the service may do", confined),
    ("No network in the service", no_network),
    ("kill -9", killed),
    ("Hang of the whole process", stopped_in_its_tracks),
    ("Hang of the loop", loop_hangs),
    ("Hang of stages", stages_hang),
    *service_faults.CHECKS,
    ("SIGTERM", ends_well),
    ("Wrong settings", wrong_settings),
)


def main(checks: Sequence[tuple[str, Callable[[], str]]] = CHECKS) -> None:
    with RESULTS.open("a", encoding="utf-8") as file:

        def note(what: str, outcome: str, seen: str, took_s: float) -> None:
            result = {"what": what, "outcome": outcome, "seen": seen, "took_s": round(took_s, 2)}
            file.write(json.dumps({**result, "at_s": time.time()}) + "\n")
            file.flush()
            os.fsync(file.fileno())

        for what, check in checks:
            began_s = time.monotonic()
            try:
                note(what, "passed", check(), time.monotonic() - began_s)
            except CannotTryError as error:
                note(what, "not run", str(error), time.monotonic() - began_s)
            except Exception as error:
                note(what, "FAILED", str(error) or type(error).__name__, time.monotonic() - began_s)
        JOURNAL.write_text("\n".join(journal()), encoding="utf-8")


if __name__ == "__main__":
    main()
