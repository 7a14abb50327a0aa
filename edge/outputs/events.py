"""Writes the mood as events for other programs: one JSON object a line, schema 1.

They go to stdout ("-"), are appended to a file, or are served on a UNIX socket ("unix:/path").
Every object has `event`, its kind. Readers should skip kinds and members that they do not know:
further ones may come without a new schema number; none is taken away or changes its meaning.

`t` never falls from one line to the next. Texts are of one line and hold no control characters.

**hello**: the first line of every run, and the first that a client of the socket gets.

- `schema` (integer): 1
- `mien` (string): version of Mien
- `emotions` (array of strings): the emotions, in the order of the models' outputs
- `interval_s` (number): how often a mood is written though nothing happens

**mood**: every `interval_s`, and at once when `shown` or the state of a sense changes.

- `t` (number): seconds since the start of this run, monotonic
- `shown` (string): what the display shows, one of the emotions, "unsure" (somebody is there, but
  no emotion is likely enough), "nobody", "starting" or "fault"
- `probabilities` (object): each emotion's probability, 0-1; they add up to 1 within rounding
- `valence` (number): -1 (unpleasant) to 1 (pleasant)
- `arousal` (number): -1 (drowsy) to 1 (excited)
- `face`, `voice` (objects): how each sense fares
    - `state` (string): "off" (not wanted), "starting", "ok", or "lost" (failed, tried again)
    - `present` (boolean): somebody is seen or heard just now
    - `quality` (number): of the newest reading, 0-1
    - `share` (number): part of the recent evidence that came from this sense, 0-1
    - `trouble` (string): one sentence, only when `state` is "lost"
- `gaze` (array of two numbers): where the face is in the camera's picture, -1 to 1 each: x to the
  right as the camera sees it, y down; [0, 0] is the centre or nobody
- `trouble` (string): one sentence, only when `shown` is "fault"

**notice**: when Mien does something about one of its own parts.

- `t` (number): seconds since the start of the run
- `part` (string): what it is about, such as "camera", "face reader" or "display ssd1306"
- `kind` (string): "restart" (it crashed or hung and is started again), "lost" (it is missing or
  keeps failing, and is tried again from time to time), "back" (it works again), "pace" (faces are
  read slower or faster, because of heat or load), or "stopped" (the whole process stood still)
- `text` (string): one sentence or two for people

**refused**: the only line that a client of the socket gets when all places are taken by others that
keep up with the events; try again later.

- `text` (string): one sentence for people

**bye**: the last line of a run that ended in good order.

- `t` (number): seconds since the start of the run
"""

import contextlib
import json
import os
import re
from typing import TYPE_CHECKING, Any, Final

from pydantic import model_validator

from edge import __version__
from edge.config.fields import PinClaim, Section, address_kind, refuse, setting
from edge.emotions import EMOTIONS
from edge.errors import OutputError
from edge.hardware.host import Host
from edge.outputs import Maker, OutputAdapter, Reopens
from edge.outputs.event_socket import SocketLines
from edge.outputs.event_targets import open_lines
from edge.process.printable import printable

if TYPE_CHECKING:
    from edge.messages import Mood, Notice, Sense

SCHEMA: Final = 1
_KIND: Final = re.compile(r"(tcp|udp|mqtts?|https?|wss?|file|unix):", re.IGNORECASE)
_POLL_S: Final = 0.05
"""How often it looks for a change, and for newcomers at the socket."""


class EventSettings(Section):
    """The stream of JSON lines for other programs."""

    to: str = setting(
        "",
        'Where the events go: nowhere when empty, "-" is the standard output, a path is a file '
        'that is added to, "unix:/path" a UNIX socket.',
        allowed='empty, "-", a path, or "unix:" and a path',
    )
    interval_s: float = setting(
        0.25, "Seconds between mood events while nothing changes.", ge=0.02, le=60
    )

    max_mb: float = setting(
        8.0,
        "Size in MB at which a file of events is put aside as FILE.1 and a new one begun; 0 lets it "
        "grow. Four moods a second fill 8 MB in about an hour and a half.",
        ge=0,
        le=100_000,
    )
    old_files: int = setting(
        3, "How many of those full files are kept: FILE.1 is the newest.", ge=0, le=1000
    )

    @model_validator(mode="after")
    def _socket_has_a_path(self) -> "EventSettings":
        if self.to == "unix:":
            raise refuse("to", '[events] to is "unix:" without the path of a socket')
        found = _KIND.match(self.to)
        kind = address_kind(self.to) or (found[1] if found else "")
        if kind.lower() in ("unix", "file") and not self.to.startswith("unix:"):
            raise refuse(
                "to", '[events] to is a path alone, or "unix:" in small letters and a path'
            )
        if kind and not self.to.startswith("unix:"):
            raise refuse(
                "to",
                f"[events] to is an address ({kind}:), and Mien sends nothing to a network; let it "
                'serve a socket of this machine ("unix:/path") or write to a file, from which another '
                "program sends them on",
            )
        return self

    def pin_claims(self) -> list[PinClaim]:
        """The file or socket, which nothing else may be written to."""
        place = self.to.removeprefix("unix:")
        if place in ("", "-") or place.startswith("/dev/"):
            return []
        return [("to", "[events] to", os.path.abspath(place))]


def make(events: EventSettings, host: Host) -> list[Maker]:
    """The stream, if it is to go anywhere."""
    if not events.to:
        return []
    return [
        lambda: Events(
            events.to,
            interval_s=events.interval_s,
            most_bytes=round(events.max_mb * 1e6),
            old_files=events.old_files,
        )
    ]


class Events:
    """Writes moods as JSON lines; the module's docstring has the schema."""

    mends_itself = True
    """After a failure `show` is to be tried again; reopened, the lines would begin once more."""

    def __init__(
        self,
        target: str = "-",
        *,
        interval_s: float = 0.25,
        start_s: float | None = None,
        most_bytes: int = 0,
        old_files: int = 3,
    ) -> None:
        """Open *target* and say hello.

        Args:
            target: "-" for stdout, "unix:PATH" for a socket, else the path of a file.
            interval_s: how often a mood is written though nothing happens.
            start_s: monotonic time that is `t` = 0; None takes that of the first mood.
            most_bytes: size at which a file is put aside for a new one; 0 lets it grow.
            old_files: how many of those are kept.

        Raises:
            OutputError: it cannot be opened.
        """
        self.name = "events on stdout" if target == "-" else f"events to {target}"
        self.interval_s = min(interval_s, _POLL_S)
        self._every_s = interval_s
        self._start_s = start_s
        self._last_s = 0.0
        self._due_s: float | None = None
        self._state: tuple[str, str, str] | None = None
        self._closed = False
        hello = {
            "event": "hello",
            "schema": SCHEMA,
            "mien": __version__,
            "emotions": list(EMOTIONS),
            "interval_s": interval_s,
        }
        self._lines = open_lines(target, _line(hello), most_bytes, old_files)

    def show(self, mood: "Mood", t_s: float) -> None:
        """Show *mood*; see `edge.outputs.Output`."""
        t_s = self._stamp(t_s)
        state = (mood.shown, mood.face.state, mood.voice.state)
        changed = state != self._state
        if not changed and self._due_s is not None and t_s < self._due_s:
            if isinstance(self._lines, SocketLines):
                self._lines.poll()
            return
        # A steady beat, unless a change or a pause has broken it.
        late = self._due_s is None or changed or t_s >= self._due_s + self._every_s
        self._due_s = (t_s if late or self._due_s is None else self._due_s) + self._every_s
        self._state = state
        try:
            self._lines.write(_line(mood_event(mood, self._since_start(t_s))))
        except OutputError:
            self._due_s = None  # the next call tries again: whether it is over shows by writing
            raise

    def notice(self, notice: "Notice") -> None:
        """Write down what Mien did about one of its parts.

        Raises:
            OutputError: see `show`.
        """
        told = {
            "event": "notice",
            "t": self._since_start(self._stamp(notice.t_s)),
            "part": printable(notice.part),
            "kind": notice.kind,
            "text": printable(notice.text),
        }
        self._lines.write(_line(told))
        self._due_s = None  # a mood follows: a newcomer at the socket gets the newest line

    def reopen(self) -> None:
        """Look up the name of the file or socket again; see `edge.outputs.Reopens`."""
        if isinstance(self._lines, Reopens):
            self._lines.reopen()

    def close(self) -> None:
        """Say bye and let go."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OutputError):
            self._lines.write(_line({"event": "bye", "t": self._since_start(self._last_s)}))
        self._lines.close()

    def _stamp(self, t_s: float) -> float:
        """*t_s* as it is written: a notice and the mood beside it come from different threads."""
        if self._start_s is None:
            self._start_s = self._last_s = t_s
        self._last_s = max(self._last_s, t_s)
        return self._last_s

    def _since_start(self, t_s: float) -> float:
        return 0.0 if self._start_s is None else round(max(t_s - self._start_s, 0.0), 3)


def mood_event(mood: "Mood", t_s: float) -> dict[str, Any]:
    """*mood* as the object of a mood event at *t_s* seconds after the start."""
    event: dict[str, Any] = {
        "event": "mood",
        "t": round(t_s, 3),
        "shown": mood.shown,
        "probabilities": {
            name: round(float(part), 4)
            for name, part in zip(EMOTIONS, mood.probabilities, strict=True)
        },
        "valence": round(mood.valence, 3),
        "arousal": round(mood.arousal, 3),
        "face": _sense(mood.face),
        "voice": _sense(mood.voice),
        "gaze": [round(part, 3) for part in mood.gaze],
    }
    if mood.shown == "fault":
        event["trouble"] = printable(mood.trouble)
    return event


def _sense(sense: "Sense") -> dict[str, Any]:
    told: dict[str, Any] = {
        "state": sense.state,
        "present": sense.present,
        "quality": round(sense.quality, 3),
        "share": round(sense.share, 3),
    }
    if sense.state == "lost":
        told["trouble"] = printable(sense.trouble)
    return told


def _line(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


ADAPTER = OutputAdapter(EventSettings, make)
