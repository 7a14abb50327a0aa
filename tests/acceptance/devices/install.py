"""Run by `python -m tests.acceptance.devices.install FOLDER`: Mien in the guest, as in `container`."""

import sys
from pathlib import Path

from tests.acceptance.common.overlay import Layers
from tests.acceptance.common.programs import CannotRunError, RigError
from tests.acceptance.container.host import INSTALL, InstalledContainer


def main() -> int:
    """Install it unless `container` has done so from this bundle; the last line says what came of it."""
    container = InstalledContainer(Path(sys.argv[1]))
    why = container.obstacle()
    if why:
        print(why)
        return 1
    stamp = container.installed / "made"
    wanted = (container.bundle / "SHA256SUMS").read_text() + (container.root / "made").read_text()
    if stamp.is_file() and stamp.read_text().startswith(wanted):
        print("from this same bundle, ready")
        return 0
    layers = Layers([container.root], container.installed)
    layers.discard()
    try:
        proof = container._install(layers, INSTALL)
    except (CannotRunError, RigError) as error:
        print(error)
        return 1
    if proof.outcome == "passed":
        stamp.write_text(f"{wanted}\ntook {proof.took_s}\n")
    print(proof.seen)
    return int(proof.outcome != "passed")


if __name__ == "__main__":
    sys.exit(main())
