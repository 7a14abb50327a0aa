"""In the guest: the display on its bus. Keeps what it showed and when in /run/rig/pictures.jsonl.

/run/rig/bus says how it fares: "well" (also without the file), "mute" (the display does not answer
its address) or "gone" (the whole bus is unplugged).
"""

import json
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.acceptance.devices.i2c_bridge import Bridge, Chip, Uhid
from tests.acceptance.devices.simulation_control import RUN, ready, wish
from tests.acceptance.devices.ssd1306 import Ssd1306

ADDRESS: Final = 0x3C
QUIET_S: Final = 0.05
"""A picture after which nothing comes for so long is whole."""
APPEAR_S: Final = 30.0


class Film:
    """Writes down each picture that the display shows."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._shown = b""

    def take(self, display: Ssd1306) -> None:
        """Add what it shows now, unless that is what it showed."""
        picture = display.picture()
        if picture == self._shown:
            return
        self._shown = picture
        taken = {
            "t_s": round(self._clock(), 3),
            "lit": display.on,
            "contrast": display.contrast,
            "picture": picture.hex(),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(taken) + "\n")


def buses() -> set[str]:
    """The I2C buses that there are, by the names of their nodes."""
    return {path.name for path in Path("/dev").glob("i2c-*")}


def main() -> None:
    film = Film(RUN / "pictures.jsonl")
    chips: dict[int, Chip] = {}
    display = Ssd1306(lambda: film.take(display))
    uhid: Uhid | None = None
    before = buses()
    bridge = Bridge(chips)
    began_s, told = time.monotonic(), False
    while True:
        state = wish("bus", "well")
        if state == "gone" and uhid is not None:
            uhid.unplug()
            uhid = None
        elif state != "gone" and uhid is None:
            uhid, bridge = Uhid(), Bridge(chips)
        if state == "mute":
            chips.pop(ADDRESS, None)
        else:
            chips[ADDRESS] = display
        if uhid is None:
            time.sleep(QUIET_S)
        elif select.select([uhid.number], [], [], QUIET_S)[0]:
            uhid.serve(bridge)
        elif display.changed:
            film.take(display)
            display.changed = False
        if not told and (buses() - before or time.monotonic() - began_s > APPEAR_S):
            print("display on", *sorted(buses() - before), flush=True)
            ready()
            told = True


if __name__ == "__main__":
    main()
