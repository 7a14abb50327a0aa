"""`python -m tests.acceptance FOLDER WORD...`: called by rig/rig.sh once all is made ready."""

import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

from tests.acceptance.common.programs import RigError
from tests.acceptance.common.table import Proof, exit_code, table


def main() -> int:
    """Prove the parts, print a table of each, keep them in FOLDER/tables.txt; the exit code."""
    rig, words = Path(sys.argv[1]), sys.argv[2:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    proofs: list[Proof] = []
    tables: list[str] = []
    for word in words:
        title, planned = _part(word, rig)
        made: list[Proof] = []
        try:
            for proof in planned:
                made.append(proof)
                print(f"      {proof.outcome}: {proof.what}", file=sys.stderr, flush=True)
        except RigError as error:
            made.append(Proof("The rig itself", "FAILED", str(error)))
        tables.append(table(title, made))
        proofs += made
    text = "\n\n".join(tables) + "\n"
    print(f"\n{text}")
    (rig / "tables.txt").write_text(text, encoding="utf-8")
    return exit_code(proofs)


def _part(word: str, rig: Path) -> tuple[str, Iterable[Proof]]:
    # Imported only now, because the container's proofs get by without numpy.
    if word == "container":
        from tests.acceptance.container import host as container

        return container.TITLE, container.InstalledContainer(rig).prove()
    if word == "upgrades":
        from tests.acceptance.upgrades import host as upgrades

        return upgrades.TITLE, upgrades.BrokenUpgrades(rig).prove()
    if word == "devices":
        from tests.acceptance.devices import host as devices

        return devices.TITLE, devices.Guest(rig).prove()
    if word == "arm-boot":
        from tests.acceptance.arm_boot import host as arm_boot

        return arm_boot.TITLE, arm_boot.ArmGuest(rig).prove()
    if word == "picamera":
        from tests.acceptance.picamera import host as picamera

        return picamera.TITLE, picamera.CameraGuest(rig).prove()
    try:
        from tests.acceptance.arm_nets import host as arm_nets
    except ModuleNotFoundError as error:
        return word, [Proof("aarch64", "not run", f"{error}; see {rig}/why")]
    return arm_nets.TITLE, arm_nets.ArmNets(rig).prove()


def _end(number: int, frame: FrameType | None) -> None:
    # Through all the `finally`s, which take mounts and programs away.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
