"""Mien installed from an offline bundle and run by systemd, in a container on this machine."""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.acceptance.common.overlay import Layers
from tests.acceptance.common.programs import RigError, copy_proofs
from tests.acceptance.common.table import Proof, complete
from tests.acceptance.container.nspawn import Container
from tests.acceptance.container.proofs_in_container import CHECKS

TITLE: Final = "container: installed and run by systemd"
INSTALL: Final = "Install without a network"
AGAIN: Final = "Install a second time"
INSTALL_S: Final = 900.0
BOOT_S: Final = 960.0
HERE: Final = Path(__file__).parent


class InstalledContainer:
    """Where the parts lie that rig/container.sh has made ready."""

    def __init__(self, rig: Path) -> None:
        self.rig = rig
        self.root = rig / "debian"
        self.bundle = rig / "bundle"
        self.installed = rig / "installed"
        self.nspawn = str(rig / "tools" / "systemd-nspawn")
        self.logs = rig / "logs"
        self.name = f"mien-rig-{os.getpid()}"

    def obstacle(self) -> str:
        """Why nothing of this can be tried here; "" if it can."""
        if os.geteuid() != 0:
            return "needs root: sudo ./setup.sh rig container"
        for thing, path in (
            ("systemd-nspawn", Path(self.nspawn)),
            ("Debian", self.root / "etc/os-release"),
            ("bundle", self.bundle / "SHA256SUMS"),
        ):
            if not path.exists():
                return reason(self.rig, path) or f"there is no {thing} at {path}"
        return ""

    def prove(self) -> Iterator[Proof]:
        """All proofs, one by one as they are made."""
        planned = [INSTALL, AGAIN, *(what for what, _ in CHECKS)]
        yield from complete(planned, self.obstacle(), self._prove, INSTALL, "container")

    def _prove(self) -> Iterator[Proof]:
        layers = Layers([self.root], self.installed)
        proof = self.install_once(layers)
        yield proof
        if proof.outcome == "FAILED":
            return
        scratch = Layers([self.root, layers.upper], self.rig / "run")
        try:
            yield self._install(scratch, AGAIN)
            yield from self._boot(scratch)
        finally:
            scratch.discard()

    def install_once(self, layers: Layers) -> Proof:
        """Install from the bundle, unless that was done with this very one."""
        stamp = self.installed / "made"
        wanted = (self.bundle / "SHA256SUMS").read_text() + (self.root / "made").read_text()
        if stamp.is_file() and stamp.read_text().startswith(wanted):
            took_s = float(stamp.read_text().rsplit("took ", 1)[1])
            return Proof(INSTALL, "passed", "in an earlier run, from this same bundle", took_s)
        layers.discard()
        proof = self._install(layers, INSTALL)
        if proof.outcome == "passed":
            stamp.write_text(f"{wanted}\ntook {proof.took_s}\n")
        return proof

    def _install(self, layers: Layers, what: str) -> Proof:
        log = self.logs / f"{what.lower().replace(' ', '-')}.txt"
        began_s = time.monotonic()
        try:
            with layers.mounted() as root:
                container = Container(self.nspawn, root, self.name, {self.bundle: "/bundle"})
                command = ["/bundle/setup.sh", "install", "--yes", "--unsigned"]
                said = container.call(command, log, INSTALL_S)
                if not (root / "opt/mien/current").is_symlink():
                    raise RigError("/opt/mien/current is not there")
                version = os.readlink(root / "opt/mien/current").rpartition("/")[2]
        except RigError as error:
            return Proof(what, "FAILED", str(error), time.monotonic() - began_s)
        packages = next((line for line in said.splitlines() if "] Bundle: " in line), "")
        seen = f"{version}; the bundle: {packages.partition(': ')[2].rpartition(' (')[0]}"
        return Proof(what, "passed", seen, time.monotonic() - began_s)

    def _boot(self, layers: Layers) -> Iterator[Proof]:
        failed = ""
        began_s = time.time()
        with layers.mounted() as root:
            prepare(root)
            try:
                Container(self.nspawn, root, self.name).boot(self.logs / "boot.txt", BOOT_S)
            except RigError as error:
                failed = str(error)
            results = root / "rig/results.jsonl"
            lines = results.read_text().splitlines() if results.is_file() else []
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(root / "rig/journal.txt", self.logs / "journal.txt")
        yield from read_results(lines, began_s)
        if failed:
            yield Proof("The container itself", "FAILED", failed)


def reason(rig: Path, path: Path) -> str:
    """What the rig's shell noted when it could not make *path* ready."""
    part = path.relative_to(rig).parts
    name = part[1] if part[0] == "tools" else part[0]
    with contextlib.suppress(FileNotFoundError):
        return (rig / "why" / name).read_text(encoding="utf-8").strip()
    return ""


def prepare(root: Path, unit: Path = HERE / "proof.service") -> None:
    """Put the proofs into the system at *root*, where *unit* runs them."""
    copy_proofs(root / "rig")
    units = root / "etc/systemd/system"
    shutil.copy(unit, units / "proof.service")
    wants = units / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    link = wants / "proof.service"
    link.unlink(missing_ok=True)
    link.symlink_to("../proof.service")


def read_results(lines: list[str], began_s: float | None = None) -> list[Proof]:
    """Proofs from what the container wrote; the first one's time is counted from *began_s*, if given."""
    proofs = []
    for number, line in enumerate(lines):
        result = json.loads(line)
        first = number == 0 and began_s is not None
        took_s = result["at_s"] - began_s if first else result["took_s"]
        proofs.append(Proof(result["what"], result["outcome"], result["seen"], took_s))
    return proofs
