"""Part e: Mien's camera adapter on the real picamera2 and libcamera, in an emulated machine."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.acceptance.camera_inside import CHECKS
from tests.acceptance.guest import KERNEL_WORDS, QEMU, Guest
from tests.acceptance.table import Proof

TITLE: Final = "e. The camera through picamera2 and libcamera, in a guest"
CLOCK_SHIFT: Final = 1
"""The guest's clock goes by its instructions, 2 to this power nanoseconds each, so that its times do
not depend on this machine's load. libcamera's virtual camera makes its pictures as fast as it can,
with some 40 million instructions each, where a sensor would take its time."""
MEMORY_MB: Final = 1536
PARTS: Final = ("guest-installed", "camera-kernel", "camera-libraries", "camera-disk")


class CameraGuest(Guest):
    """Where the parts lie that setup/rig_camera.sh has made ready."""

    def __init__(self, rig: Path) -> None:
        super().__init__(rig)
        self.folder = rig / "camera-guest"
        self.kernel = rig / "guest/kernel-amd64/vmlinuz"
        self.logs = rig / "logs/camera"
        self.results = self.logs / "guest-results.jsonl"

    def obstacle(self) -> str:
        """Why nothing of this can be tried here; "" if it can."""
        for part in PARTS:
            note = self.rig / "why" / part
            if note.is_file() and note.read_text(encoding="utf-8").strip():
                return note.read_text(encoding="utf-8").strip()
        if os.geteuid() != 0:
            return "needs root: sudo ./setup.sh rig e"
        if platform.machine() != "x86_64":
            return "the guest's kernel is for x86-64, and so is what is installed in it"
        if shutil.which(QEMU) is None:
            return f"there is no {QEMU}; sudo apt-get install qemu-system-x86"
        for file in (*(self.folder / name for name in ("image", "initrd", "disk")), self.kernel):
            if not file.is_file():
                return f"there is no {file}"
        return ""

    def prove(self) -> Iterator[Proof]:
        """All proofs, one by one as the guest tells of them."""
        planned = [what for what, _ in CHECKS]
        why = self.obstacle()
        if not why:
            failed: list[str] = []
            for proof in self._run(failed):
                planned.remove(proof.what)
                yield proof
            if failed:
                yield Proof("The guest itself", "FAILED", failed[0])
            elif planned:
                seen = f"it ended before its last proof; see {self.logs}"
                yield Proof("The guest itself", "FAILED", seen)
        for what in planned:
            yield Proof(what, "not run", why or "the guest ended before")

    def command(self) -> list[str]:
        """The emulator and its arguments; what the guest writes to its disks is forgotten."""
        command = [
            QEMU, "-M", "q35", "-accel", "tcg,tb-size=512", "-icount", f"shift={CLOCK_SHIFT}",
            "-rtc", "clock=vm", "-cpu", "max", "-smp", "1", "-m", str(MEMORY_MB),
            "-nodefaults", "-no-reboot", "-display", "none",
            "-serial", f"file:{self.logs / 'guest-console.txt'}", "-serial", f"file:{self.results}",
            "-kernel", str(self.kernel), "-initrd", str(self.folder / "initrd"),
            "-append", " ".join((*KERNEL_WORDS, "systemd.unit=camera-proof.service")),
            "-device", "virtio-rng-pci",
        ]  # fmt: skip
        for number, name in enumerate(("image", "disk")):
            drive = f"file={self.folder / name},if=none,id=disk{number},format=raw"
            command += [
                "-drive", f"{drive},cache=unsafe,snapshot=on",
                "-device", f"virtio-blk-pci,drive=disk{number}",
            ]  # fmt: skip
        return command
