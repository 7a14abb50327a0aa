"""In the guest: the display on its bus. Keeps what it showed and when in /run/rig/pictures.jsonl.

/run/rig/bus says how it fares: "well" (also without the file), "mute" (the display does not answer
its address), "flaky" (one of twenty transfers is broken off), "moved" (it hangs at 0x3D on a bus that
comes up meanwhile) or "gone" (the whole bus is unplugged). How many transfers were broken off is in
/run/rig/refused.
"""

import json
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.acceptance.devices.i2c_bridge import Bridge, Chip, Uhid
from tests.acceptance.devices.simulation_control import RUN, ready, tell, wish
from tests.acceptance.devices.ssd1306 import Ssd1306

ADDRESS: Final = 0x3C
OTHER_ADDRESS: Final = 0x3D
REFUSED_PART: Final = 0.05
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


class Bus:
    """A bridge that can be plugged in and pulled, and the chips behind it."""

    def __init__(self) -> None:
        self.chips: dict[int, Chip] = {}
        self.bridge = Bridge(self.chips)
        self.uhid: Uhid | None = None

    def plug(self, plugged: bool) -> None:
        """Be plugged in, or not."""
        if plugged and self.uhid is None:
            self.uhid = Uhid()
        elif not plugged and self.uhid is not None:
            self.uhid.unplug()
            self.uhid = None

    def hold(self, chip: Chip, address: int | None) -> None:
        """Have *chip* at *address* alone, or nowhere."""
        self.chips.clear()
        if address is not None:
            self.chips[address] = chip


def main() -> None:
    film = Film(RUN / "pictures.jsonl")
    display = Ssd1306(lambda: film.take(display))
    before = buses()
    first, second = Bus(), Bus()
    began_s, told, refused = time.monotonic(), False, 0
    while True:
        state = wish("bus", "well")
        first.hold(display, None if state in ("mute", "moved") else ADDRESS)
        second.hold(display, OTHER_ADDRESS)
        first.bridge.refused_part = REFUSED_PART if state == "flaky" else 0.0
        first.plug(state != "gone")
        second.plug(state == "moved")
        plugged = {bus.uhid.number: bus for bus in (first, second) if bus.uhid is not None}
        ready_now = select.select(list(plugged), [], [], QUIET_S)[0] if plugged else []
        if not plugged:
            time.sleep(QUIET_S)
        for number in ready_now:
            bus = plugged[number]
            assert bus.uhid is not None
            bus.uhid.serve(bus.bridge)
        if first.bridge.refused != refused:
            refused = first.bridge.refused
            tell("refused", str(refused))
        if not ready_now and display.changed:
            film.take(display)
            display.changed = False
        if not told and (buses() - before or time.monotonic() - began_s > APPEAR_S):
            print("display on", *sorted(buses() - before), flush=True)
            ready()
            told = True


if __name__ == "__main__":
    main()
