"""One emulated machine with a camera, a sound card, pins and a display, and Mien in it."""

import json
import os
import platform
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.acceptance.common.programs import RigError, run
from tests.acceptance.common.table import Proof, complete
from tests.acceptance.devices.proofs_in_guest import CHECKS

TITLE: Final = "devices: the appliance in a guest with all of them"
LIMIT_S: Final = 5400.0
"""On this machine's clock; two busy cores emulate slowly."""
QEMU: Final = "qemu-system-x86_64"
CLOCK_SHIFT: Final = 1
"""The guest's clock goes by its instructions: 2 to this power nanoseconds each. So it does 500 million
a second by its own clock, about half of what one core of a Raspberry Pi Zero 2 W does, whatever else
this machine has to do; its seconds are not those of the wall. At half that speed it falls behind a
camera of five pictures a second, and does not always find the face."""
MEMORY_MB: Final = 3072
KERNEL_WORDS: Final = (
    "console=ttyS0", "quiet", "loglevel=4", "mitigations=off", "panic=-1",
    # What would only cost time in a machine that lives for some minutes.
    "systemd.mask=apt-daily.timer", "systemd.mask=apt-daily-upgrade.timer",
    "systemd.mask=dpkg-db-backup.timer", "systemd.mask=fstrim.timer",
    "systemd.mask=serial-getty@ttyS0.service", "systemd.mask=getty@tty1.service",
)  # fmt: skip
LOOK_S: Final = 1.0
PARTS: Final = ("guest-installed", "guest-drivers", "guest-image", "guest-film")


class Guest:
    """Where the parts lie that rig/devices.sh has made ready."""

    word = "devices"
    planned: tuple[str, ...] = tuple(what for what, _ in CHECKS)
    needs: tuple[str, ...] = PARTS
    """What setup.sh makes ready; what hinders it stands in a file of that name."""
    memory_mb = MEMORY_MB
    kernel_words: tuple[str, ...] = KERNEL_WORDS
    drives: tuple[str, ...] = ("image", "disk.image")

    def __init__(self, rig: Path) -> None:
        self.rig = rig
        self.folder = rig / "guest"
        self.kernel = rig / "guest/kernel-amd64/vmlinuz"
        self.logs = rig / "logs"
        self.results = self.logs / "guest-results.jsonl"

    def obstacle(self) -> str:
        """Why nothing of this can be tried here; "" if it can."""
        for name in self.needs:
            note = self.rig / "why" / name
            if note.is_file() and note.read_text(encoding="utf-8").strip():
                return note.read_text(encoding="utf-8").strip()
        if os.geteuid() != 0:
            return f"needs root: sudo ./setup.sh rig {self.word}"
        if platform.machine() != "x86_64":
            return "the guest's kernel and the bundle are made on an x86-64 machine only"
        if shutil.which(QEMU) is None:
            return f"there is no {QEMU}; sudo apt-get install qemu-system-x86"
        for file in (*(self.folder / name for name in ("initrd", *self.drives)), self.kernel):
            if not file.is_file():
                return f"there is no {file}"
        return ""

    def prove(self) -> Iterator[Proof]:
        """All proofs, one by one as the guest tells of them."""
        yield from complete(self.planned, self.obstacle(), self._prove)

    def _prove(self) -> Iterator[Proof]:
        failed: list[str] = []
        yield from self._run(failed)
        if failed:
            yield Proof("The guest itself", "FAILED", failed[0])

    def _run(self, failed: list[str]) -> Iterator[Proof]:
        self.logs.mkdir(parents=True, exist_ok=True)
        self.results.write_bytes(b"")

        given_up = threading.Event()

        def boot() -> None:
            try:
                run(self.command(), self.logs / "guest-qemu.txt", LIMIT_S, given_up=given_up)
            except RigError as error:
                failed.append(str(error))

        machine = threading.Thread(target=boot)
        machine.start()
        told = 0
        try:
            while True:
                ended = not machine.is_alive()
                proofs, journal = read_results(
                    self.results.read_text(encoding="utf-8", errors="replace")
                )
                yield from proofs[told:]
                told = len(proofs)
                if journal:
                    text = "\n".join(journal)
                    (self.logs / "guest-journal.txt").write_text(text, encoding="utf-8")
                if ended:
                    return
                time.sleep(LOOK_S)
        finally:
            given_up.set()  # whoever ends the rig ends the guest
            machine.join()

    def command(self) -> list[str]:
        """The emulator and its arguments; what the guest writes to its disks is forgotten."""
        command = [
            QEMU, "-M", "q35", "-accel", "tcg,tb-size=512", "-icount", f"shift={CLOCK_SHIFT}",
            "-rtc", "clock=vm", "-cpu", "max", "-smp", "1", "-m", str(self.memory_mb),
            "-nodefaults", "-no-reboot", "-display", "none",
            "-serial", f"file:{self.logs / 'guest-console.txt'}", "-serial", f"file:{self.results}",
            "-kernel", str(self.kernel), "-initrd", str(self.folder / "initrd"),
            "-append", " ".join(self.kernel_words),
            "-device", "virtio-rng-pci",
        ]  # fmt: skip
        for number, name in enumerate(self.drives):
            drive = f"file={self.folder / name},if=none,id=disk{number},format=raw"
            command += [
                "-drive", f"{drive},cache=unsafe,snapshot=on",
                "-device", f"virtio-blk-pci,drive=disk{number}",
            ]  # fmt: skip
        if extra := os.environ.get("RIG_GUEST_SHELL", ""):
            # For whoever wants to look around in it: a root shell on a third serial port.
            command += ["-serial", f"unix:{extra},server=on,wait=off"]
            command[command.index("-append") + 1] += " systemd.debug_shell=ttyS2"
        return command


def read_results(text: str) -> tuple[list[Proof], list[str]]:
    """Proofs from what the guest wrote so far, and Mien's journal once that has come."""
    proofs: list[Proof] = []
    journal: list[str] = []
    for line in text.splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        try:
            result = json.loads(line)
        except ValueError:  # whatever else writes to a serial port
            continue
        if "journal" in result:
            journal = result["journal"]
        elif "what" in result:
            proofs.append(
                Proof(result["what"], result["outcome"], result["seen"], result["took_s"])
            )
    return proofs, journal
