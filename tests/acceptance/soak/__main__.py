"""`python -m tests.acceptance.soak FOLDER soak|start [FLAGS]`: called by rig/soak.sh."""

import signal
import sys
from pathlib import Path
from types import FrameType

from tests.acceptance.common.table import exit_code, table
from tests.acceptance.soak.flags import start_flags
from tests.acceptance.soak.soak import Measured, soak_of
from tests.acceptance.soak.start import Start


def main() -> int:
    """Measure, print the table, and keep it in FOLDER/soak.txt or start.txt; the exit code."""
    rig, name, flags = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    measured: Measured
    if name == "soak":
        measured = soak_of(rig, flags)
    else:
        start_flags(flags)
        measured = Start(rig)
    proofs = []
    for proof in measured.prove():
        proofs.append(proof)
        print(f"      {proof.outcome}: {proof.what}", file=sys.stderr, flush=True)
    text = f"{table(measured.title, proofs)}\n{measured.more()}"
    print(f"\n{text}", flush=True)
    (rig / f"{name}.txt").write_text(text, encoding="utf-8")
    return exit_code(proofs)


def _end(number: int, frame: FrameType | None) -> None:
    # Through all the `finally`s, which end the appliance.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
