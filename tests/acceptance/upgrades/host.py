"""Upgrades of the installed container to broken releases, and a power cut in the middle of one."""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.acceptance.common.overlay import Layers
from tests.acceptance.common.programs import RigError, end_group, end_systems, inits_below
from tests.acceptance.common.table import Proof, complete
from tests.acceptance.container.host import InstalledContainer, prepare, read_results
from tests.acceptance.container.nspawn import Container
from tests.acceptance.upgrades.broken_bundles import BREAKS, make

TITLE: Final = "upgrades: ten broken releases, and back"
INSTALLED: Final = "Installed, to be upgraded"
BOOT_S: Final = 4 * 3600.0
LOOK_S: Final = 1.0
SETTLE_S: Final = 10.0
"""Of the probation, before the power is cut."""
HERE: Final = Path(__file__).parent


class BrokenUpgrades:
    """Where the parts lie that rig/container.sh has made ready."""

    def __init__(self, rig: Path) -> None:
        self.rig = rig
        self.container = InstalledContainer(rig)

    def prove(self) -> Iterator[Proof]:
        """All proofs, one by one as they are made."""
        planned = [INSTALLED, *(each.name for each in BREAKS)]
        why = self.container.obstacle()
        yield from complete(planned, why, self._prove, INSTALLED, "container")

    def _prove(self) -> Iterator[Proof]:
        layers = Layers([self.container.root], self.container.installed)
        installed = self.container.install_once(layers)
        yield Proof(INSTALLED, installed.outcome, installed.seen, installed.took_s)
        if installed.outcome == "FAILED":
            return
        broken = self.rig / "broken"
        scratch = Layers([self.container.root, layers.upper], self.rig / "upgrades")
        scratch.discard()
        make(self.container.bundle, broken)
        try:
            with scratch.mounted() as root:
                prepare(root, HERE / "proof.service")
                yield from self._boot(root, broken)
        finally:
            scratch.discard()
            shutil.rmtree(broken, ignore_errors=True)

    def _boot(self, root: Path, broken: Path) -> Iterator[Proof]:
        """Boot, cut the power once, boot again; the proofs as they come."""
        results, cut = root / "rig/results.jsonl", root / "opt/mien/probation.json"
        told = 0
        for number in (1, 2):
            container = Container(
                self.container.nspawn, root, self.container.name, {broken: "/broken"}
            )
            log = self.container.logs / f"upgrades-{number}.txt"
            with container.booted(log) as process:
                end_s = time.monotonic() + BOOT_S
                while process.poll() is None:
                    for proof in _proofs(results)[told:]:
                        told += 1
                        yield proof
                    if time.monotonic() > end_s:
                        raise RigError(
                            f"the container did not end within {BOOT_S:.0f} s; see {log}"
                        )
                    if number == 1 and (root / "rig/cut").exists() and _watched(cut):
                        time.sleep(SETTLE_S)
                        cut_power(process)
                    time.sleep(LOOK_S)
        yield from _proofs(results)[told:]
        for name in ("said", "journal.txt"):
            with contextlib.suppress(OSError):
                subprocess.run(
                    ["cp", "-r", str(root / "rig" / name), str(self.container.logs)], check=False
                )


def cut_power(process: "subprocess.Popen[bytes]") -> None:
    """End the container at once: with its first process its whole name space dies."""
    inits = inits_below(process.pid)
    if not inits:
        raise RigError("the container's first process is not to be found")
    end_systems(inits)
    process.wait()
    end_group(process)


def _proofs(results: Path) -> list[Proof]:
    """What the container has written so far, in whole lines."""
    if not results.is_file():
        return []
    text = results.read_text(encoding="utf-8")
    return read_results(text[: text.rfind("\n") + 1].splitlines())


def _watched(record: Path) -> bool:
    """Whether the guard watches a new release."""
    try:
        return bool(json.loads(record.read_text())["phase"] == "watching")
    except (OSError, ValueError, KeyError):
        return False
