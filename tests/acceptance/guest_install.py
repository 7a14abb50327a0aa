"""`python -m tests.acceptance.guest_install FOLDER`: Mien installed for the guest, as part a does it."""

import sys
from pathlib import Path

from tests.acceptance.container import Layers
from tests.acceptance.native import INSTALL, Native
from tests.acceptance.programs import CannotRunError, RigError


def main() -> int:
    """Install it unless part a has done so from this bundle; the last line says what came of it."""
    native = Native(Path(sys.argv[1]))
    why = native.obstacle()
    if why:
        print(why)
        return 1
    stamp = native.installed / "made"
    wanted = (native.bundle / "SHA256SUMS").read_text() + (native.root / "made").read_text()
    if stamp.is_file() and stamp.read_text().startswith(wanted):
        print("from this same bundle, ready")
        return 0
    layers = Layers([native.root], native.installed)
    layers.discard()
    try:
        proof = native._install(layers, INSTALL)
    except (CannotRunError, RigError) as error:
        print(error)
        return 1
    if proof.outcome == "proven":
        stamp.write_text(f"{wanted}\ntook {proof.took_s}\n")
    print(proof.seen)
    return int(proof.outcome != "proven")


if __name__ == "__main__":
    sys.exit(main())
