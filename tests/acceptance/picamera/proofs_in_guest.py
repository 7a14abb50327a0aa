"""In the guest: tries Mien's camera adapter on the real picamera2 and libcamera.

Each check runs in a process of its own, forked from one that has the libraries loaded: what a check
does to libcamera, or libcamera to its process, touches no other. Each result is a line of JSON on the
second serial port, at once.
"""

import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from typing import Final

RESULTS: Final = "/dev/ttyS1"
LIMIT_S: Final = 240.0
"""For one check, on the guest's clock."""

CHECKS: Final[tuple[tuple[str, str], ...]] = (
    ("Camera listed and opened", "opened"),
    ("Pictures", "pictures"),
    ("Under the service's own rules", "confined"),
    ("Time stamps", "stamps"),
    ("Newest picture after a pause", "newest"),
    ("Stale pictures refused, twenty times", "stale"),
    ("Camera is busy, twenty times", "busy"),
    ("Pictures stop coming", "stalled"),
    ("picamera2's event loop dies", "dead_loop"),
    ("Opened and closed, twenty times", "twenty"),
    ("No camera", "nothing_there"),
    ("A format that Mien does not read", "other_format"),
)
"""What is tried, and the function of `adapter_checks` that does it."""


def tried(check: Callable[[], str], limit_s: float = LIMIT_S) -> tuple[str, str]:
    """Run *check* in a child; its outcome and what was seen."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = ("passed", check())
        except Exception as error:
            traceback.print_exc()
            answer = ("FAILED", str(error) or type(error).__name__)
        os.write(writing, json.dumps(answer).encode())
        # libcamera's threads may still be at work; nothing of them is to run any more.
        os._exit(0)
    os.close(writing)
    ready = select.select([reading], [], [], limit_s)[0]
    said = os.read(reading, 65536) if ready else b""
    os.close(reading)
    if not ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not ready:
        return "FAILED", f"it was not done within {limit_s:.0f} s"
    if not said:
        return "FAILED", f"the process ended with {os.waitstatus_to_exitcode(status)}"
    outcome, seen = json.loads(said)
    return str(outcome), str(seen)


def main() -> None:
    """Try all checks and tell of each."""
    began_s = time.monotonic()
    # Loaded once, before the forks: under emulation it takes long. The one thread that there is then
    # (Python warns of it) is that of libcamera's tracing, which nothing in a child waits for.
    from tests.acceptance.picamera import adapter_checks

    print(f"libraries loaded in {time.monotonic() - began_s:.1f} s", flush=True)
    with open(RESULTS, "w", encoding="utf-8") as file:
        for what, name in CHECKS:
            began_s = time.monotonic()
            outcome, seen = tried(getattr(adapter_checks, name))
            took_s = round(time.monotonic() - began_s, 2)
            line = json.dumps({"what": what, "outcome": outcome, "seen": seen, "took_s": took_s})
            file.write(line + "\n")
            file.flush()
            print(line, flush=True)


if __name__ == "__main__":
    main()
