"""Runs in the booted container: upgrades to each broken release, and looks at what is in force then.

Python's own library alone. The last upgrade is cut off by the host, which ends the whole container;
after the next boot this looks at what came of it.
"""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from tests.acceptance.common.service import READY_S, need, show, wait_for
from tests.acceptance.container.proofs_in_container import main
from tests.acceptance.upgrades.broken_bundles import BREAKS, MARK, Break

BROKEN: Final = Path("/broken")
OPT: Final = Path("/opt/mien")
SAID: Final = Path("/rig/said")
CUT: Final = Path("/rig/cut")
"""Written when the host may cut the power; it is there in the next boot."""
PROBATION_S: Final = 45
SELF_TEST_S: Final = 180
INSTALL_S: Final = 1500.0
BACK_S: Final = 120.0
WHOLE_STORY: Final = " The whole story is in /opt/mien/var/setup.log."


def begin(number: int) -> "subprocess.Popen[bytes]":
    """Install the broken bundle of that number."""
    SAID.mkdir(exist_ok=True)
    limits = {"MIEN_PROBATION_S": str(PROBATION_S), "MIEN_SELF_TEST_S": str(SELF_TEST_S)}
    with (SAID / f"{number}.txt").open("wb") as file:
        return subprocess.Popen(
            [f"/broken/{number}/setup.sh", "install", "--yes", "--unsigned"],
            env={**os.environ, **limits},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )


def in_force() -> str:
    """The release that is."""
    return os.path.basename(os.readlink(OPT / "current"))


def is_back(old: str, broken: str) -> None:
    """Raise unless all of the old release is in force and nothing of the broken one is left.

    Raises:
        NotSoError: names what is not.
    """
    need(in_force() == old, f"{in_force()} is in force")
    for file in (OPT / "releases" / old / "system").rglob("*"):
        place = Path("/") / file.relative_to(OPT / "releases" / old / "system")
        if file.is_file() and place != Path("/etc/mien/config.toml"):
            need(place.read_bytes() == file.read_bytes(), f"{place} is of another release")
            need(MARK.format(broken) not in place.read_text(), f"{place} is the broken one's")
    kept = {old, os.path.basename(os.path.realpath(OPT / "previous"))}
    left = [each.name for each in (OPT / "releases").iterdir() if each.name not in kept]
    need(not left, f"{left} is left on the disk")
    wait_for("the old release", lambda: show("ActiveState") == "active", READY_S)
    program = Path(f"/proc/{show('MainPID')}/cmdline").read_bytes()
    need(b"mien" in program, f"the service runs {program!r}")
    need(show("NeedDaemonReload") == "no", "systemd has not read the old unit again")


def upgrade(number: int, broken: Break) -> str:
    """Install it, and see that the old one is in force; how long it took and what was said."""
    old, began_s = in_force(), time.monotonic()
    with small_disk(broken.room_mb) if broken.room_mb else contextlib.nullcontext():
        process = begin(number)
        if broken.room_mb:
            wait_for("the middle", lambda: "Python packages" in said_by(number), INSTALL_S)
            fill(OPT / "somebody-elses")
        code = process.wait(INSTALL_S)
        took_s = time.monotonic() - began_s
        lines = said_by(number).splitlines()
        said = next((line for line in reversed(lines) if line.startswith("setup: ")), "nothing")
        need(code == 1, f"install ended with {code}: {said}")
        is_back(old, broken.name)
    return f"{said.removeprefix('setup: ').replace(WHOLE_STORY, '')} ({took_s:.0f} s)"


def said_by(number: int) -> str:
    """What the installation of that bundle has said."""
    return (SAID / f"{number}.txt").read_text(errors="replace")


@contextlib.contextmanager
def small_disk(room_mb: int) -> Iterator[None]:
    """The installation on a disk of its own, which somebody else can fill."""
    disk = Path("/run/rig-disk")
    disk.mkdir()
    for command in (
        ("mount", "-t", "tmpfs", "-o", f"mode=755,size={room_mb}m", "rig", str(disk)),
        ("cp", "-a", f"{OPT}/.", str(disk)),
        ("mount", "--bind", str(disk), str(OPT)),
    ):
        subprocess.run(command, check=True)
    try:
        yield
    finally:
        for place in (OPT, disk):
            subprocess.run(["umount", "--lazy", str(place)], check=False)


def fill(file: Path) -> None:
    """Write until there is no room."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(1_000_000))


def cut_off(number: int) -> str:
    """Install it; the host cuts the power in the middle of its probation. Never comes back."""
    CUT.write_text(in_force())
    os.sync()
    begin(number)
    wait_for("the power cut", lambda: False, INSTALL_S)
    return ""


def after_the_cut(broken: Break) -> str:
    """See that the old one is in force again."""
    old, outcome = CUT.read_text(), OPT / "last-upgrade.json"
    took_s = wait_for("the old release", outcome.exists, BACK_S)
    is_back(old, broken.name)
    sentence = json.loads(outcome.read_text())["sentence"]
    return f"{sentence} ({took_s:.0f} s after the next boot)"


def checks() -> "list[tuple[str, Callable[[], str]]]":
    """What is to be done in this boot."""
    numbered = list(enumerate(BREAKS, 1))
    last, power_cut = numbered[-1]
    if CUT.exists():
        return [(power_cut.name, partial(after_the_cut, power_cut))]
    wait_for("READY", lambda: show("ActiveState") == "active", READY_S)
    before = [(each.name, partial(upgrade, number, each)) for number, each in numbered[:-1]]
    return [*before, (power_cut.name, partial(cut_off, last))]


if __name__ == "__main__":
    main(checks())
