"""Finds what a traced program left outside of itself: files, messages, sockets to a network.

A frame or a sample that is to outlive the program, or to leave it, has to go through one of the
system calls judged here. What is allowed is named, with its reason; all else is a finding, a call
that is not known included.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from edge.emotions import EMOTIONS
from tests.integration.strace import LONGEST_BYTES, Call, text_of

NOWHERE: Final = "/dev/null"
"""What is written there is gone: native libraries' log lines."""
EVENT_BYTES: Final = 1200
"""A mood takes about 600."""
EVENTS: Final = 10
"""A second and reader at most: four are due, and one more at every change."""
SENTENCE_CHARACTERS: Final = 400
SENTENCES_BYTES: Final = 2000
"""Of all sentences of a run, which are some dozen."""
WORD_CHARACTERS: Final = 64
"""A longer one is no word but something encoded."""
NUMBER_CHARACTERS: Final = 12

_SENSE: Final = {"state": "", "present": True, "quality": 0.0, "share": 0.0, "trouble": ""}
EVENT_KINDS: Final[dict[str, dict[str, Any]]] = {
    "hello": {"schema": 0, "mien": "", "emotions": [""] * len(EMOTIONS), "interval_s": 0.0},
    "mood": {
        "t": 0.0,
        "shown": "",
        "probabilities": dict.fromkeys(EMOTIONS, 0.0),
        "valence": 0.0,
        "arousal": 0.0,
        "face": _SENSE,
        "voice": _SENSE,
        "gaze": [0.0, 0.0],
        "trouble": "",
    },
    "notice": {"t": 0.0, "part": "", "kind": "", "text": ""},
    "bye": {"t": 0.0},
}
"""The members that an event may have, as the docstring of `edge.outputs.events` tells them."""

_WRITING: Final = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)")
_OPEN: Final = {"open": 1, "openat": 2, "openat2": 2}
"""Which argument of theirs has the flags; the path is the one before."""
_SEND: Final = (
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "sendto",
    "sendmsg",
    "sendmmsg",
)
_HELD: Final = re.compile(r"(\d+)<((?:->|[^<>])*)(?:<[^<>]*>)?>")
"""A descriptor as strace -yy writes it; devices have a further note."""
_PAYLOAD: Final = re.compile(r'(?:iov_base=)?("(?:\\x[0-9a-f]{2})*")(\.\.\.)?')


def held(argument: str) -> str:
    """What a descriptor was opened on: a path, "pipe:[7]", "UNIX-STREAM:[7->8]", "UDP:[9]" ..."""
    found = _HELD.match(argument)
    if found is None:
        return argument
    what = found[2]
    return text_of(what).decode("utf-8", "replace") if what.startswith("\\x") else what


def own_number(what: str) -> str:
    """ "7" of "pipe:[7]", "UNIX-STREAM:[7->8]" and of a socket with its path."""
    found = re.search(r":\[(\d+)", what)
    return found[1] if found else ""


class Leaks:
    """Judges calls one by one."""

    def __init__(self, run_folder: str, devices: Iterable[str] = ()) -> None:
        """Start with nothing found.

        Args:
            run_folder: may be written to, as the service may /run/mien: it is in memory, and goes
                with the service. Only sockets are made there.
            devices: further files that may be opened for writing.
        """
        self.found: list[str] = []
        self._run = run_folder.rstrip("/") + "/"
        self._devices = {NOWHERE, *devices}
        self._inner: set[str] = set()
        """Pipes and pairs of sockets with both ends in the program: no other is started, and no
        descriptor passed on, so that they are a way from one of its threads to another."""
        self._programs = 0
        self._messages: defaultdict[str, bytearray] = defaultdict(bytearray)

    def judge(self, call: Call) -> None:
        """Look at the next call."""
        name, arguments = call.name, call.arguments
        if "ENOSYS" in call.result:
            return  # this kernel has no such call
        if name in _OPEN:
            self._opened(call, arguments[_OPEN[name] - 1], arguments[_OPEN[name]])
        elif name in _SEND:
            self._sent(call)
        elif name in ("pipe", "pipe2"):
            self._inner |= set(re.findall(r"\[(\d+)\]", text_of_all(arguments[0])))
        elif name == "socketpair":
            self._inner |= set(re.findall(r"\[(\d+)->", arguments[3]))
        elif name == "socket":
            if arguments[0] not in ("AF_UNIX", "AF_NETLINK") and not call.failed:
                self._find(call, "a socket to a network")
        elif name in ("connect", "bind"):
            self._addressed(call, arguments[1])
        elif name == "mmap":
            if "MAP_SHARED" in arguments[3] and "PROT_WRITE" in arguments[2]:
                self._find(call, f"memory shared with {held(arguments[4])}")
        elif name in ("unlink", "unlinkat"):
            if not self._in_run(arguments[0] if name == "unlink" else arguments[1]):
                self._find(call, "something taken away")
        elif name == "execve" and self._programs == 0:
            self._programs = 1
        else:
            self._find(call, "a way out that is not allowed")

    def finish(self, seconds: float) -> list[str]:
        """All findings, of what was said in *seconds* too."""
        for where, said in self._messages.items():
            self.found += faults(bytes(said), where, seconds)
        return self.found

    def said(self, where: str) -> str:
        """What went to places that begin with *where*."""
        return "".join(
            bytes(said).decode("utf-8", "replace")
            for place, said in self._messages.items()
            if place.startswith(where)
        )

    def _find(self, call: Call, why: str) -> None:
        shown = text_of_all(f"{call.name}({', '.join(call.arguments)}) = {call.result}")
        self.found.append(f"{why}: {shown[:300]}")

    def _in_run(self, path: str) -> bool:
        return text_of(path).decode("utf-8", "replace").startswith(self._run)

    def _opened(self, call: Call, path: str, flags: str) -> None:
        if not _WRITING.search(flags):
            return
        where = call.result if not call.failed and "<" in call.result else ""
        name = held(where) if where else text_of(path).decode("utf-8", "replace")
        if name not in self._devices:
            self._find(call, f"{name} opened for writing")

    def _addressed(self, call: Call, address: str) -> None:
        family = re.search(r"sa_family=(\w+)", address)
        if family is None or family[1] not in ("AF_UNIX", "AF_NETLINK"):
            self._find(call, "an address in a network")
        elif call.name == "bind" and family[1] == "AF_UNIX":
            path = re.search(r'sun_path="([^"]*)"', address)
            if path is None or not self._in_run(path[1]):
                self._find(call, "a socket made elsewhere than in /run")

    def _sent(self, call: Call) -> None:
        what, told = held(call.arguments[0]), ", ".join(call.arguments[1:])
        if "SCM_RIGHTS" in told:
            self._find(call, "a descriptor passed on")
        if call.failed:
            return
        if what in self._devices or what == "anon_inode:[eventfd]":
            return
        if own_number(what) in self._inner:
            return
        if not re.match(r"pipe:|UNIX", what):
            self._find(call, f"something written to {what}")
            return
        pieces = _PAYLOAD.findall(re.sub(r'sun_path=@?"[^"]*"', "", told))
        if any(more for _, more in pieces):
            self._find(call, f"more than {LONGEST_BYTES} bytes in one go")
        data = b"".join(text_of(piece) for piece, _ in pieces)
        if call.name != "sendmmsg":
            data = data[: int(call.result.split()[0])]
        # A socket is named by its own number, as the other end comes and goes.
        place = f"{what.partition(':')[0]}:[{own_number(what)}]"
        self._messages[place] += data
        if place.startswith("UNIX:") and not data.endswith(b"\n"):
            self._messages[place] += b"\n"  # each datagram is a message of its own


def text_of_all(said: str) -> str:
    """*said* with the hexadecimal texts in it made legible."""
    return re.sub(
        r"(?:\\x[0-9a-f]{2})+", lambda found: text_of(found[0]).decode("utf-8", "replace"), said
    )


def faults(said: bytes, where: str, seconds: float) -> list[str]:
    """What of the lines that went out in *seconds* is neither an event nor a short sentence."""
    found: list[str] = []
    events, sentences_bytes = 0, 0
    for line in said.splitlines():
        fault = event_fault(line) if line.startswith(b"{") else sentence_fault(line)
        if fault:
            found.append(f"{fault}, to {where}: {line[:100]!r}")
        if line.startswith(b"{"):
            events += 1
        else:
            sentences_bytes += len(line)
    if events > EVENTS * (seconds + 1):
        found.append(f"{events} events in {seconds:.0f} s, to {where}")
    if sentences_bytes > SENTENCES_BYTES:
        found.append(f"{sentences_bytes} bytes of sentences, to {where}")
    return found


def sentence_fault(line: bytes) -> str:
    """Why *line* is nothing that a person would be told; "" if it is."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "bytes that are no text"
    if len(text) > SENTENCE_CHARACTERS or any(len(word) > WORD_CHARACTERS for word in text.split()):
        return "something longer than a sentence"
    if not all(sign.isprintable() for sign in text):
        return "signs that are no text"
    return ""


def event_fault(line: bytes) -> str:
    """Why *line* is no event that a reader knows; "" if it is."""
    if len(line) > EVENT_BYTES:
        return "something longer than an event"

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a member twice")
        return dict(pairs)

    def number(text: str) -> float:
        if len(text) > NUMBER_CHARACTERS:
            raise ValueError("a number with too many digits")
        return float(text)

    try:
        event = json.loads(
            line,
            object_pairs_hook=once,
            parse_int=number,
            parse_float=number,
            parse_constant=number,
        )
        kind = EVENT_KINDS[event.pop("event")]
    except (ValueError, KeyError, TypeError) as error:
        return f"no event ({error})"
    return "" if fits(event, kind) else "an event with other members than it may have"


def fits(value: Any, pattern: Any) -> bool:
    """Whether *value* is made like *pattern*: no other members, no more items, the same types."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in pattern and fits(part, pattern[name]) for name, part in value.items()
        )
    if isinstance(pattern, list):
        return (
            isinstance(value, list)
            and len(value) <= len(pattern)
            and all(fits(part, example) for part, example in zip(value, pattern, strict=False))
        )
    if isinstance(pattern, bool):
        return isinstance(value, bool)
    if isinstance(pattern, str):
        return isinstance(value, str) and not sentence_fault(value.encode())
    return isinstance(value, float)
