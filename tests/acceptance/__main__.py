"""`python -m tests.acceptance FOLDER PART...`: called by setup/rig.sh once all is made ready."""

import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

from tests.acceptance.programs import RigError
from tests.acceptance.table import Proof, exit_code, table


def main() -> int:
    """Prove the parts, print a table of each, keep them in FOLDER/tables.txt; the exit code."""
    rig, parts = Path(sys.argv[1]), sys.argv[2:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    proofs: list[Proof] = []
    tables: list[str] = []
    for part in parts:
        title, planned = _part(part, rig)
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


def _part(name: str, rig: Path) -> tuple[str, Iterable[Proof]]:
    # Imported only now, because the container's proofs get by without numpy.
    if name == "a":
        from tests.acceptance import native

        return native.TITLE, native.Native(rig).prove()
    if name == "b":
        from tests.acceptance import guest

        return guest.TITLE, guest.Guest(rig).prove()
    if name == "d":
        from tests.acceptance import arm_guest

        return arm_guest.TITLE, arm_guest.ArmGuest(rig).prove()
    if name == "e":
        from tests.acceptance import camera_guest

        return camera_guest.TITLE, camera_guest.CameraGuest(rig).prove()
    try:
        from tests.acceptance import arm
    except ModuleNotFoundError as error:
        return f"{name}.", [Proof("aarch64", "not run", f"{error}; see {rig}/why")]
    return arm.TITLE, arm.Arm(rig).prove()


def _end(number: int, frame: FrameType | None) -> None:
    # Through all the `finally`s, which take mounts and programs away.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
