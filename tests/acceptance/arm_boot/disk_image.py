"""The image of an aarch64 system with Mien in it, for qemu: also has drivers and the proofs' unit."""

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.acceptance.common.overlay import Layers
from tests.acceptance.common.programs import PROOFS, RigError, run

MODULES: Final = ("9p", "9pnet_virtio", "autofs4", "i2c-dev", "spidev", "snd", "videodev")
"""Drivers beyond those of the first root: for the folder /rig, for systemd, for mien.modules.conf."""
ROOM: Final = 1.25
"""Size of the image by that of what is in it."""
LIMIT_S: Final = 900.0

GUEST_UNIT: Final = """
# Put into the guest by the rig: its clock counts instructions, so that looking costs the service time.
[Service]
Environment=RIG_PAUSE_S=2 RIG_READY_S=300 RIG_BACK_S=120
ExecStart=
ExecStart=/usr/bin/python3 -m tests.acceptance.arm_boot.proofs_in_guest
TimeoutStartSec=1800
""".lstrip()
MOUNT_UNIT: Final = """
[Mount]
What=rig
Where=/rig
Type=9p
Options=trans=virtio,version=9p2000.L
""".lstrip()


class Image:
    """An ext4 file system in *file*, made anew when what belongs in it has changed."""

    def __init__(self, file: Path, kernel: Path, logs: Path) -> None:
        """Plan it.

        Args:
            file: where it lies; what it was made of is written down beside it.
            kernel: folder with the file `version` and the drivers in `lib/modules`.
            logs: folder for what the programs say.
        """
        self.file, self.kernel, self.logs = file, kernel, logs
        self._stamp = file.with_name(f"{file.name}.made")

    def discard(self) -> None:
        """Delete it."""
        self._stamp.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)

    def pack(self, layers: Sequence[Path], made_of: str) -> None:
        """Make it from *layers*, the last on top, unless it is of *made_of* already.

        Raises:
            RigError: it cannot be made.
            CannotRunError: the kernel refuses to lay folders over each other.
        """
        version = (self.kernel / "version").read_text().strip()
        proof_service = (PROOFS / "container/proof.service").read_text()
        parts = (*MODULES, version, proof_service, GUEST_UNIT, MOUNT_UNIT, made_of)
        wanted = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        if self.file.is_file() and self._stamp.is_file() and self._stamp.read_text() == wanted:
            return
        self.discard()
        scratch = Layers(layers, self.file.with_name("packing"))
        try:
            with scratch.mounted() as root:
                write_units(root / "etc/systemd/system", proof_service)
                (root / "rig").mkdir(exist_ok=True)
                copy_modules(self.kernel, version, root, self.logs / "modules.txt")
                for folder in ("etc", "var"):
                    # As after a first start, which is long with indexes to be built (systemd.unit(5),
                    # ConditionNeedsUpdate).
                    (root / folder / ".updated").touch()
                used = run(["du", "-sm", str(root)], self.logs / "du.txt", LIMIT_S)
                with self.file.open("wb") as file:
                    file.truncate(int(int(used.split()[0]) * ROOM) * 1024**2)
                command = ["mkfs.ext4", "-q", "-F", "-E", "root_owner=0:0", "-d", str(root)]
                run([*command, str(self.file)], self.logs / "image.txt", LIMIT_S)
        finally:
            scratch.discard()
        self._stamp.write_text(wanted)


def write_units(folder: Path, proof_service: str) -> None:
    """Let the system whose units lie in *folder* prove itself when it has booted."""
    (folder / "proof.service").write_text(proof_service)
    (folder / "proof.service.d").mkdir(exist_ok=True)
    (folder / "proof.service.d/guest.conf").write_text(GUEST_UNIT)
    (folder / "rig.mount").write_text(MOUNT_UNIT)
    wants = folder / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    link = wants / "proof.service"
    link.unlink(missing_ok=True)
    link.symlink_to("../proof.service")


def copy_modules(kernel: Path, version: str, root: Path, log: Path) -> None:
    """Copy the drivers `MODULES`, and what they need, into the system at *root*.

    Raises:
        RigError: the kernel has none of them.
    """
    files: list[str] = []
    for name in MODULES:
        command = ["modprobe", "-d", str(kernel), "-S", version, "--show-depends", name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        files += insmod_files(done.stdout)
    if not files:
        raise RigError(f"the kernel {version} has no drivers")
    source = (kernel / "lib/modules" / version).resolve()
    target = root / "usr/lib/modules" / version
    for file in dict.fromkeys(files):
        place = target / Path(file).resolve().relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(source / name, target)
    run(["depmod", "-b", str(root), version], log, LIMIT_S)


def insmod_files(said: str) -> list[str]:
    """The files in what `modprobe --show-depends` says; what is built in has none."""
    return [line.split()[1] for line in said.splitlines() if line.startswith("insmod ")]
