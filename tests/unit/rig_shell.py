"""A shell that has all pieces of set-up and the rig at hand, with a folder of its own to work in."""

import shutil
import subprocess
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
CANNOT = shutil.which("bash") is None or not (HOUSE / "setup.sh").is_file()
"""Whether there is nothing here to try it with."""

PIECES = r"""
set -euo pipefail
HOUSE=$1 called_from=$PWD VENV=$1/.venv
cd "$HOUSE"
for piece in steps python system packages install install_release install_system board bundle \
    bundle_debs rig rig_guest rig_guest_disk rig_arm_guest rig_camera; do
    . "setup/$piece.sh"
done
RIG=$2 GUEST=$2/guest CAMERA=$2/camera-guest WORK=$2 LOG=$2/log
mkdir -p "$GUEST" "$RIG/why"
"""


def bash(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """Run *script*; $2 is *folder*, in which all that the rig makes has its place."""
    return subprocess.run(
        ["bash", "-c", PIECES + script, "rig", str(HOUSE), str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
