"""In the guest, early while it boots: loads the drivers and makes the pins; Mien's settings.

Python's own library alone. It ends when everything is there; what is missing is said on the console.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.acceptance.devices.simulation_control import RUN

LINES: Final = 28
BANK: Final = Path("/sys/kernel/config/gpio-sim/rig")
REVISION: Final = "c03114"
"""A Raspberry Pi 4's, by which rpi-lgpio knows what its header looks like."""
CAMERA_OPTIONS: Final = ("exclusive_caps=1", "card_label=Rig camera")
"""A camera to others only while somebody writes pictures to it."""
MODULES: Final = (
    ("gpio-sim-rig",),
    ("i2c-dev",),
    ("uhid",),
    ("hid-mcp2221",),
    ("snd-aloop", "pcm_substreams=1"),
    ("v4l2loopback", "video_nr=0", *CAMERA_OPTIONS),
)


def load(*module: str) -> None:
    """Load a module with its options; says so if that does not work."""
    done = subprocess.run(["modprobe", *module], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"modprobe {' '.join(module)}: {done.stderr.strip()}", file=sys.stderr)


def make_pins() -> tuple[str, str]:
    """A bank of GPIO lines; the names of its chip and of its device."""
    if not BANK.parent.exists():
        subprocess.run(["mount", "-t", "configfs", "configfs", "/sys/kernel/config"], check=True)
    bank = BANK / "bank0"
    bank.mkdir(parents=True)
    (bank / "num_lines").write_text(str(LINES))
    (bank / "label").write_text("pinctrl-bcm2711")
    (BANK / "live").write_text("1")
    return (bank / "chip_name").read_text().strip(), (BANK / "dev_name").read_text().strip()


def main() -> None:
    RUN.mkdir(exist_ok=True)
    shutil.copy("/rig/config.toml", "/etc/mien/config.toml")
    for module in MODULES:
        load(*module)
    chip, device = make_pins()
    number = chip.removeprefix("gpiochip")
    (RUN / "mien.env").write_text(f"RPI_LGPIO_REVISION={REVISION}\nRPI_LGPIO_CHIP={number}\n")
    (RUN / "pins").write_text(f"/sys/devices/platform/{device}/{chip}")
    print(f"pins {chip}; cards {Path('/proc/asound/cards').read_text().strip()!r}", flush=True)


if __name__ == "__main__":
    main()
