"""What can be soaked: the whole appliance, and each output by itself, with its settings."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

SERVICE: Final = "service"
"""What runs when no output is named: the appliance with display, lights and socket at once."""
_EVENTS: Final = {
    "socket": 'to = "unix:{folder}/events"',
    "file": 'to = "{folder}/events.jsonl"\nmax_mb = 0.5\nold_files = 2',
    "stdout": 'to = "-"',
}
"""By where they go. A file is put aside some ten times in an hour."""


@dataclass(frozen=True)
class Soaked:
    """One output, and where its run's events are read."""

    settings: str
    """TOML, with {folder} for the run's own."""
    events: Literal["socket", "file", "stdout"] = "socket"
    on: Literal["nothing", "terminal", "X server"] = "nothing"
    """What it draws on."""

    def toml(self, folder: Path) -> str:
        """The settings file of a run in *folder*."""
        return f"{self.settings}\n[events]\n{_EVENTS[self.events]}\n".format(folder=folder)

    def lacks(self) -> str:
        """What this machine lacks for it; "" if nothing."""
        if self.on != "X server":
            return ""
        if importlib.util.find_spec("luma.emulator") is None:
            return "luma.emulator is not installed: pip install 'mien[desktop]'"
        return "" if shutil.which("Xvfb") else "Xvfb is not installed: apt-get install xvfb"


def _display(kind: str, more: str = "") -> str:
    return f'[display]\nkind = "{kind}"\n{more}\n[leds]\nbackend = "none"\n'


OUTPUTS: Final[dict[str, Soaked]] = {
    "events-file": Soaked(_display("none"), "file"),
    "events-stdout": Soaked(_display("none"), "stdout"),
    "events-socket": Soaked(_display("none")),
    "terminal": Soaked(_display("terminal"), on="terminal"),
    "png": Soaked(_display("png", 'file = "{folder}/face.png"')),
    "gif": Soaked(_display("gif", 'file = "{folder}/face.gif"')),
    "oled": Soaked(_display("oled")),
    "leds": Soaked(
        '[display]\nkind = "none"\n[leds]\nbackend = "mock"\n'
        "[leds.emotion_pins]\nhappy = 5\nsad = 6\nangry = 13\nneutral = 19\n"
    ),
    "neopixel": Soaked(f"{_display('none')}[neopixel]\nenabled = true\n"),
    "window": Soaked(_display("window"), on="X server"),
}
"""Each by itself. Where nothing else is said, two readers at the socket see what it does: one that
comes and goes, and one that reads nothing."""
APPLIANCE: Final = Soaked('[display]\nkind = "oled"\n[leds]\nbackend = "mock"\n')
