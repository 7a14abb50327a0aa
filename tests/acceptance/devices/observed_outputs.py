"""In the guest: looks at what Mien puts out, from outside: the display, the pins, the events."""

import contextlib
import dataclasses
import json
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.acceptance.common.service import NotSoError, wait_for
from tests.acceptance.devices.face_on_display import Faces, Seen, drawing, load
from tests.acceptance.devices.simulation_control import RUN

FILM: Final = Path("/rig/film")
EVENTS: Final = "/run/mien/events.sock"
LASTING_S: Final = 1.5
"""A face that is shown for so long was not only passed on the way to another."""
_TAIL_BYTES: Final = 65536
SAMPLES: Final = 300
"""Of each line: enough to tell a dimmed light by, which is on and off 200 times a second."""


@dataclass(frozen=True)
class Picture:
    """What the display began to show at one time."""

    t_s: float
    """By the monotonic clock."""
    lit: bool
    """The panel is on."""
    pages: bytes


def pictures(since_s: float = 0.0) -> list[Picture]:
    """All that the display has shown from *since_s* on."""
    found = []
    with (RUN / "pictures.jsonl").open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                break
            one = json.loads(line)
            if one["t_s"] >= since_s:
                found.append(Picture(one["t_s"], one["lit"], bytes.fromhex(one["picture"])))
    return found


def latest(lasting_s: float = 0.0) -> list[Picture]:
    """What the display has shown for the last *lasting_s* seconds, at least what it shows now."""
    with (RUN / "pictures.jsonl").open("rb") as file:
        file.seek(0, 2)
        file.seek(max(file.tell() - _TAIL_BYTES, 0))
        lines = [line for line in file.read().split(b"\n")[:-1] if line.startswith(b"{")]
    since_s = time.monotonic() - lasting_s
    found: list[Picture] = []
    for line in reversed(lines):
        one = json.loads(line)
        found.insert(0, Picture(one["t_s"], one["lit"], bytes.fromhex(one["picture"])))
        if one["t_s"] <= since_s:
            break
    return found


def shown(faces: Faces, lasting_s: float = 0.0) -> Seen:
    """Which face the display shows; "unclear" if in *lasting_s* seconds it showed several or none.

    A picture may be one of a blink, or be looked at when only half of it has come: such do not count
    where others do.
    """
    seen = [faces.read(picture.pages) for picture in latest(lasting_s)]
    clear = [one for one in seen if one.name != "unclear"]
    if not clear or len({one.name for one in clear}) > 1:
        return dataclasses.replace(seen[-1], name="unclear")
    return dataclasses.replace(min(clear, key=lambda one: one.apart), icons=seen[-1].icons)


def pin(number: int) -> bool:
    """Whether a line is high, as the other end of its wire sees it."""
    folder = (RUN / "pins").read_text(encoding="ascii").strip()
    return Path(f"{folder}/sim_gpio{number}/value").read_text(encoding="ascii").strip() == "1"


def brightness(numbers: list[int], samples: int = SAMPLES) -> dict[int, float]:
    """Part of the time for which each line is high, 0-1."""
    folder = (RUN / "pins").read_text(encoding="ascii").strip()
    highs = dict.fromkeys(numbers, 0)
    with contextlib.ExitStack() as stack:
        files = {
            number: stack.enter_context(open(f"{folder}/sim_gpio{number}/value", "rb", buffering=0))
            for number in numbers
        }
        for sample in range(samples):
            for number, file in files.items():
                file.seek(0)
                highs[number] += file.read(1) == b"1"
            # Not in step with what is looked at.
            time.sleep(0.001 + 0.0037 * (sample * 0.618 % 1))
    return {number: high / samples for number, high in highs.items()}


class Ear:
    """Listens to Mien's events; `mood` is the newest."""

    def __init__(self) -> None:
        """Connect, and stay connected for as long as there is a server."""
        self.mood: dict[str, Any] = {}
        self.notices: list[tuple[str, str]] = []
        """Part and sentence of each notice, in the order in which they came."""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                    client.connect(EVENTS)
                    with client.makefile(encoding="utf-8") as lines:
                        for line in lines:
                            self._hear(json.loads(line))
            except (OSError, ValueError):
                pass
            self.mood = {}
            time.sleep(1.0)

    def _hear(self, event: dict[str, Any]) -> None:
        if event["event"] == "mood":
            self.mood = event
        elif event["event"] == "notice":
            self.notices.append((event["part"], event["text"]))

    def notices_of(self, part: str) -> list[str]:
        """The sentences about the parts whose names begin so."""
        return [text for name, text in list(self.notices) if name.startswith(part)]

    def state(self, sense: str) -> str:
        """How "face" or "voice" fares; "" while nothing is heard of it."""
        return str(self.mood.get(sense, {}).get("state", ""))

    def present(self, sense: str) -> bool:
        """Whether somebody is seen or heard."""
        return bool(self.mood.get(sense, {}).get("present"))

    @property
    def shown(self) -> str:
        """What Mien says that it shows."""
        return str(self.mood.get("shown", ""))


class World:
    """What the proofs share."""

    def __init__(self) -> None:
        self.faces: Faces = load(FILM / "faces")
        self.ear = Ear()
        self.pid = 0
        """Of the service, as it was first found."""

    def wait_for_face(self, name: str, limit_s: float) -> tuple[float, Seen]:
        """Seconds until the display has shown that face for a while, and what was read from it."""
        seen: list[Seen] = []

        def lasting() -> bool:
            seen.append(shown(self.faces, LASTING_S))
            return seen[-1].name == name

        try:
            return wait_for(f"the face {name}", lasting, limit_s), seen[-1]
        except NotSoError as error:
            print("\n".join(drawing(latest()[-1].pages)), flush=True)
            told = f"on the display: {seen[-1]}; Mien says {self.ear.shown}"
            raise NotSoError(f"{error}; {told}") from error
