"""A shell that has all pieces of set-up and the rig at hand, with a folder of its own to work in."""

import shutil
import subprocess
from pathlib import Path

REPO_ROOT = Path(__file__).resolve().parents[4]
CANNOT = shutil.which("bash") is None or not (REPO_ROOT / "setup.sh").is_file()
"""Whether there is nothing here to try it with."""

PIECES = r"""
set -euo pipefail
REPO_ROOT=$1 called_from=$PWD VENV=$1/.venv
cd "$REPO_ROOT"
for piece in steps python system packages install install_release install_system board bundle \
    bundle_debs; do
    . "setup/$piece.sh"
done
. tests/acceptance/rig/rig.sh
RIG=$2 GUEST=$2/guest CAMERA=$2/camera-guest WORK=$2 LOG=$2/log
mkdir -p "$GUEST" "$RIG/why"
"""


def bash(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """Run *script*; $2 is *folder*, in which all that the rig makes has its place."""
    return subprocess.run(
        ["bash", "-c", PIECES + script, "rig", str(REPO_ROOT), str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
