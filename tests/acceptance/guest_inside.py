"""In the guest: does to Mien's devices what may befall them, and looks at what follows.

Python's own library alone. Each result is a line of JSON on the second serial port, at once.
"""

import json
import time
from collections.abc import Callable
from typing import Final

from tests.acceptance import guest_access, guest_looks, guest_pulls
from tests.acceptance.guest_senses import World
from tests.acceptance.service import CannotTryError, journal

RESULTS: Final = "/dev/ttyS1"

CHECKS: Final[tuple[tuple[str, Callable[[World], str]], ...]] = (
    ("Boot with all devices, READY", guest_looks.boots),
    ("Splash before the appliance", guest_looks.splash_first),
    ("Happy face on the display", guest_looks.happy),
    ("Levels of the LEDs", guest_looks.lights),
    ("Real libraries, real devices", guest_access.real_libraries),
    ("Closed device policy", guest_access.devices_allowed),
    ("Other faces", guest_looks.other_faces),
    ("Voice heard", guest_looks.voice),
    ("Camera freezes", guest_pulls.camera_freezes),
    ("Camera pulled", guest_pulls.camera_pulled),
    ("Microphone pulled", guest_pulls.microphone_pulled),
    ("Both pulled", guest_pulls.nothing_left),
    ("Display mute", guest_pulls.display_mute),
    ("Bus of the display gone", guest_pulls.bus_gone),
    ("Survived all of it", guest_pulls.survived),
    ("Too little memory", guest_pulls.too_little_memory),
)


def main() -> None:
    world = World()
    with open(RESULTS, "w", encoding="utf-8") as file:

        def note(what: str, outcome: str, seen: str, took_s: float) -> None:
            result = {"what": what, "outcome": outcome, "seen": seen, "took_s": round(took_s, 2)}
            line = json.dumps({**result, "up_s": round(time.monotonic(), 1)})
            file.write(line + "\n")
            file.flush()
            print(line, flush=True)

        for what, check in CHECKS:
            began_s = time.monotonic()
            try:
                note(what, "proven", check(world), time.monotonic() - began_s)
            except CannotTryError as error:
                note(what, "not run", str(error), time.monotonic() - began_s)
            except Exception as error:
                note(what, "FAILED", str(error) or type(error).__name__, time.monotonic() - began_s)
        file.write(json.dumps({"journal": journal()}) + "\n")


if __name__ == "__main__":
    main()
