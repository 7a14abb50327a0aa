"""Command line of the guard, for `setup.sh` and for systemd: `python -m edge.upgrade ...`."""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final

from edge.process.printable import printable
from edge.upgrade.guard import Guard
from edge.upgrade.record import load, outcome
from edge.upgrade.releases import Releases
from edge.upgrade.system import System

POLL_S: Final = 0.5
PATIENCE: Final = 20
"""So many looks in a row without a guard at work, and it is given up."""


def main(words: list[str] | None = None) -> int:
    """Do what is asked; the exit code: 0 well, 1 not, 3 nobody knows."""
    parser = argparse.ArgumentParser(prog="python -m edge.upgrade", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("switch", help="put a release in force").add_argument("name")
    begin = commands.add_parser("begin", help="put a release on probation")
    begin.add_argument("name")
    begin.add_argument("seconds", type=float)
    commands.add_parser("watch", help="bring an upgrade to its end; run by systemd")
    commands.add_parser("await", help="wait for that end and say it")
    commands.add_parser("rollback", help="put the previous release in force")
    chosen = parser.parse_args(words)
    root = Path(os.environ.get("MIEN_ROOT") or "/")
    opt, system = root / "opt/mien", System(root)
    guard = Guard(Releases(opt, root), system, _say)
    try:
        if chosen.command == "switch":
            return 0 if guard.switch(chosen.name) else 1
        if chosen.command == "begin":
            return 0 if guard.begin(chosen.name, chosen.seconds) else 3
        if chosen.command == "await":
            return _await(opt, system)
        if chosen.command == "rollback":
            print(guard.rollback())
            return 0
        signal.signal(signal.SIGTERM, lambda number, frame: _pause(guard, number, frame))
        guard.run()
    except LookupError as error:
        _say(str(error.args[0]))
        return 1
    except OSError as error:
        _say(f"{error.filename or 'A file'} cannot be written or read ({error.strerror}).")
        return 1
    return 0


def _pause(guard: Guard, number: int, frame: FrameType | None) -> None:
    guard.pause()
    raise SystemExit(0)


def _await(opt: Path, system: System) -> int:
    idle = 0
    while load(opt) is not None:
        idle = 0 if system.guard_runs() else idle + 1
        if idle > PATIENCE:
            _say("Nobody watches the upgrade; look at journalctl -u mien-probation.")
            return 3
        system.wait(POLL_S)
    ended = outcome(opt)
    if ended is None:
        return 3
    _say(ended.sentence)
    return 0 if ended.passed else 1


def _say(sentence: str) -> None:
    print(f"mien: {printable(sentence)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
