"""An aarch64 Debian with its own kernel, in qemu, that boots the installed service.

Mien is installed from its aarch64 bundle by qemu-user, which is bearably fast; the system that comes
out is booted by qemu-system. There the time is that of the guest: a processor that carries out
`MIPS` million instructions a second, however long this machine takes over them. So the times say the
same on a busy machine, and no watchdog is slower than what it watches.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.acceptance.arm_boot.disk_image import Image
from tests.acceptance.arm_boot.foreign_root import ForeignRoot
from tests.acceptance.arm_boot.proofs_in_guest import CHECKS, CLIP
from tests.acceptance.common.overlay import Layers
from tests.acceptance.common.programs import CannotRunError, RigError, copy_proofs
from tests.acceptance.common.programs import run as run_program
from tests.acceptance.common.table import Proof, complete
from tests.acceptance.container.host import read_results

TITLE: Final = "arm-boot: aarch64, booted by qemu"
INSTALL: Final = "Install on aarch64"
INSTALL_S: Final = 7200.0
BOOT_S: Final = 5400.0
PROBE_S: Final = 120.0
CPU: Final = "cortex-a76"
"""Of the Raspberry Pi 5. MediaPipe's packages do not run on that of the Raspberry Pi 4."""
SHIFT: Final = 0
"""Each instruction takes 2 to the power of this, in ns."""
MIPS: Final = 1000 // 2**SHIFT
MEMORY_MB: Final = 2048
KERNEL_OPTIONS: Final = (
    "console=ttyAMA0 rw quiet loglevel=4 panic=-1 mitigations=off "
    "systemd.journald.forward_to_console=1"
)
CLIP_S: Final = "16"
"""Somebody comes in after 4 s of the demo clip, and speaks after 5."""


class ArmGuest:
    """Where the parts lie that rig/arm_boot.sh has made ready."""

    def __init__(self, rig: Path) -> None:
        self.rig, self.own = rig, rig / "arm-guest"
        self.root, self.bundle = self.own / "debian", self.own / "bundle"
        self.kernel = rig / "guest/kernel-arm64"
        self.static_qemu = rig / "tools/qemu-aarch64-static"
        self.installed = self.own / "installed"
        self.share, self.logs = self.own / "share", rig / "logs"
        self.image = Image(self.own / "image", self.kernel, self.logs)

    def obstacle(self) -> str:
        """Why nothing of this can be tried here; "" if it can."""
        if os.geteuid() != 0:
            return "needs root: sudo ./setup.sh rig arm-boot"
        for name, there in (
            ("arm-bundle", (self.own / "bundle.tar").exists()),
            ("arm-program", (self.bundle / "SHA256SUMS").exists()),
            ("arm-debian", (self.own / "debian.made").exists()),
            ("arm-kernel", (self.kernel / "made").exists() and (self.own / "initrd").exists()),
            ("qemu-static", self.static_qemu.exists()),
            ("qemu-system", shutil.which("qemu-system-aarch64") is not None),
        ):
            if not there:
                note = self.rig / "why" / name
                return note.read_text().strip() if note.is_file() else f"there is no {name}"
        return ""

    def prove(self) -> Iterator[Proof]:
        """All proofs, one by one as they are made."""
        planned = [INSTALL, *(what for what, _ in CHECKS)]
        yield from complete(planned, self.obstacle(), self._prove, INSTALL)

    def _prove(self) -> Iterator[Proof]:
        layers = Layers([self.root], self.installed)
        stamp = self.installed / "made"
        wanted = (self.bundle / "SHA256SUMS").read_text() + (self.own / "debian.made").read_text()
        if stamp.is_file() and stamp.read_text().startswith(wanted):
            seen, _, took = stamp.read_text()[len(wanted) :].strip().rpartition("\ntook ")
            yield Proof(
                INSTALL, "passed", f"in an earlier run, from this bundle: {seen}", float(took)
            )
        else:
            layers.discard()
            self.image.discard()
            proof = self._install(layers)
            yield proof
            if proof.outcome == "FAILED":
                return
            stamp.write_text(f"{wanted}\n{proof.seen}\ntook {proof.took_s}\n")
        self.image.pack([self.root, layers.upper], (layers.scratch / "made").read_text())
        self._make_clip(layers)
        yield from self._boot()

    def _install(self, layers: Layers) -> Proof:
        log = self.logs / "install-arm.txt"
        began_s = time.monotonic()
        with layers.mounted() as root:
            system = ForeignRoot(self.static_qemu, root, {self.bundle: "/bundle"})
            try:
                system.call(["/usr/bin/true"], self.logs / "foreign.txt", PROBE_S)
            except RigError as error:
                raise CannotRunError(
                    "this machine runs no aarch64 programs in a folder of their own, which takes "
                    f"Linux 6.7 or the package qemu-user-static ({error})"
                ) from error
            try:
                # At the first start it would take as long as all the rest of the start.
                system.call(["/usr/bin/systemd-sysusers"], self.logs / "users-arm.txt", PROBE_S)
                said = system.call(
                    ["/bundle/setup.sh", "install", "--yes", "--unsigned"], log, INSTALL_S
                )
                if not (root / "opt/mien/current").is_symlink():
                    raise RigError("/opt/mien/current is not there")
                version = os.readlink(root / "opt/mien/current").rpartition("/")[2]
                by_apt = installed_by_apt(root)
            except RigError as error:
                return Proof(INSTALL, "FAILED", str(error), time.monotonic() - began_s)
        bundle = step_of(said, "Bundle")
        seen = (
            f"{version} by qemu-user, without a network; the bundle: {bundle}; by apt-get: "
            f"{', '.join(by_apt) or 'nothing'} (other system packages had been unpacked before)"
        )
        return Proof(INSTALL, "passed", seen, time.monotonic() - began_s)

    def _make_clip(self, layers: Layers) -> None:
        """Make somebody to see and hear, with the installed Mien, where there is no clip yet.

        Raises:
            RigError: it cannot be made.
        """
        portrait, clip = self.own / "portrait.png", self.own / CLIP.name
        if clip.is_file() or not portrait.is_file():
            return
        scratch = Layers([self.root, layers.upper], self.own / "filming")
        try:
            with scratch.mounted() as root:
                shutil.copy(portrait, root / "tmp")
                ForeignRoot(self.static_qemu, root).call(
                    [
                        "/opt/mien/venv/bin/python", "-m", "edge.demo", "--seconds", CLIP_S,
                        "--portrait", f"/tmp/{portrait.name}", "--out", f"/tmp/{clip.name}",
                    ],
                    self.logs / "film.txt",
                    INSTALL_S,
                )  # fmt: skip
                shutil.copy(root / "tmp" / clip.name, clip)
        finally:
            scratch.discard()

    def _boot(self) -> Iterator[Proof]:
        began_s = time.time()
        self._fill_share()
        failed = ""
        try:
            run_program(self._qemu(), self.logs / "boot-arm.txt", BOOT_S, {"TMPDIR": str(self.own)})
        except RigError as error:
            failed = str(error)
        results = self.share / "results.jsonl"
        lines = results.read_text().splitlines() if results.is_file() else []
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(self.share / "journal.txt", self.logs / "journal-arm.txt")
        yield from read_results(lines, began_s)
        if failed:
            yield Proof("The guest itself", "FAILED", failed)

    def _fill_share(self) -> None:
        shutil.rmtree(self.share, ignore_errors=True)
        self.share.mkdir(parents=True)
        copy_proofs(self.share)
        clip = self.own / CLIP.name
        if clip.is_file():
            shutil.copy(clip, self.share)

    def _qemu(self) -> list[str]:
        return [
            "qemu-system-aarch64", "-M", "virt", "-cpu", CPU, "-accel", "tcg,tb-size=512",
            "-icount", f"shift={SHIFT},sleep=off", "-smp", "1", "-m", str(MEMORY_MB),
            "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
            "-kernel", str(self.kernel / "vmlinuz"), "-initrd", str(self.own / "initrd"),
            "-append", KERNEL_OPTIONS,
            "-drive",
            f"file={escape(self.image.file)},if=none,id=root,format=raw,cache=unsafe,snapshot=on",
            "-device", "virtio-blk-pci,drive=root", "-device", "virtio-rng-pci",
            "-virtfs", f"local,path={escape(self.share)},mount_tag=rig,security_model=none",
        ]  # fmt: skip


def step_of(said: str, name: str) -> str:
    """The result of the step *name* in what setup.sh said, without its time."""
    line = next((line for line in said.splitlines() if f"] {name}: " in line), "")
    return line.partition(": ")[2].rpartition(" (")[0]


def installed_by_apt(root: Path) -> list[str]:
    """The packages that dpkg configured itself in the system at *root*, in their order."""
    log = root / "var/log/dpkg.log"
    lines: Sequence[str] = log.read_text().splitlines() if log.is_file() else ()
    words = [line.split() for line in lines]
    names = [word[4] for word in words if word[2:4] == ["status", "installed"]]
    return [name.partition(":")[0] for name in dict.fromkeys(names)]


def escape(path: Path) -> str:
    """*path* as a value of an option of qemu, in which commas part the values."""
    return str(path).replace(",", ",,")
