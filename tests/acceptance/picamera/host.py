"""Mien's camera adapter on the real picamera2 and libcamera, in an emulated machine."""

from pathlib import Path
from typing import Final

from tests.acceptance.devices.host import KERNEL_WORDS, Guest
from tests.acceptance.picamera.proofs_in_guest import CHECKS

TITLE: Final = "picamera: the camera through picamera2 and libcamera, in a guest"


class CameraGuest(Guest):
    """Where the parts lie that rig/picamera.sh has made ready.

    Its clock goes by its instructions, too: libcamera's virtual camera makes its pictures as fast as it
    can, with some 40 million instructions each, where a sensor would take its time.
    """

    word = "picamera"
    planned = tuple(what for what, _ in CHECKS)
    needs = ("guest-installed", "camera-kernel", "camera-libraries", "camera-disk")
    memory_mb = 1536
    kernel_words = (*KERNEL_WORDS, "systemd.unit=rig-camera-proofs.service")
    drives = ("image", "disk")

    def __init__(self, rig: Path) -> None:
        super().__init__(rig)
        self.folder = rig / "camera-guest"
        self.logs = rig / "logs/camera"
        self.results = self.logs / "guest-results.jsonl"
