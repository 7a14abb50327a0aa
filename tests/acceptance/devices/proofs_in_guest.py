"""In the guest: does to Mien's devices what may befall them, and looks at what follows.

Python's own library alone. Each result is a line of JSON on the second serial port, at once.
"""

import json
import time
from collections.abc import Callable
from typing import Final

from tests.acceptance.common.service import CannotTryError, journal
from tests.acceptance.devices import access_proofs, output_proofs, unplug_proofs
from tests.acceptance.devices.observed_outputs import World

RESULTS: Final = "/dev/ttyS1"

CHECKS: Final[tuple[tuple[str, Callable[[World], str]], ...]] = (
    ("Boot with all devices, READY", output_proofs.boots),
    ("Splash before the appliance", output_proofs.splash_first),
    ("Happy face on the display", output_proofs.happy),
    ("Levels of the LEDs", output_proofs.lights),
    ("Real libraries, real devices", access_proofs.real_libraries),
    ("Closed device policy", access_proofs.devices_allowed),
    ("Other faces", output_proofs.other_faces),
    ("Voice heard", output_proofs.voice),
    ("Camera freezes", unplug_proofs.camera_freezes),
    ("Camera pulled", unplug_proofs.camera_pulled),
    ("Microphone pulled", unplug_proofs.microphone_pulled),
    ("Both pulled", unplug_proofs.nothing_left),
    ("Display mute", unplug_proofs.display_mute),
    ("Display on a flaky bus", unplug_proofs.display_flaky),
    ("Display on another bus", unplug_proofs.display_moved),
    ("Bus of the display gone", unplug_proofs.bus_gone),
    ("Survived all of it", unplug_proofs.survived),
    ("Too little memory", unplug_proofs.too_little_memory),
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
                note(what, "passed", check(world), time.monotonic() - began_s)
            except CannotTryError as error:
                note(what, "not run", str(error), time.monotonic() - began_s)
            except Exception as error:
                note(what, "FAILED", str(error) or type(error).__name__, time.monotonic() - began_s)
        file.write(json.dumps({"journal": journal()}) + "\n")


if __name__ == "__main__":
    main()
