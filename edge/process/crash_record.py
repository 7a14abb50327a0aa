"""What went wrong, kept in memory for whoever has to mend it.

Tracebacks, notices and restarts, newest last, in a file of bounded size in the service's runtime folder
(/run/mien), which systemd keeps over a restart of the service and which a restart of the board
empties; started by hand, in the user's own runtime folder. Neither is on a disk. What ends the process
from native code leaves where each thread was (faulthandler), and is taken in by the next start. `mien
doctor --report` packs it, less what might be of a person.

Only the standard library: a crash while Mien imports is one too.
"""

import contextlib
import faulthandler
import json
import os
import re
import stat
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from types import FrameType
from typing import Any, Final, Literal

FOLDER: Final = "crashes"
SERVICE_FOLDER: Final = "/run/mien"
MOST_BYTES: Final = 128 * 1024
"""Of the record: some hundred notices, or twenty tracebacks."""
LONGEST: Final = 6_000
"""Signs of one text; what is longer loses its middle."""
LONGEST_LINE: Final = 300

_RECORD, _FATAL = "record.jsonl", "fatal.txt"
_MODE: Final = 0o600

Kind = Literal["start", "end", "notice", "traceback", "native"]
"""native: where the threads were when the process was ended by a library, or did not answer."""


class CrashRecord:
    """Writes down what goes wrong; may be called by any thread, and never raises."""

    def __init__(self, folder: str | None, now_s: Callable[[], float] = time.time) -> None:
        """Keep the record in *folder*, or nowhere, once a run has begun.

        Args:
            folder: is made if need be; None keeps nothing.
            now_s: seconds since 1970.
        """
        self._folder, self._now_s = folder, now_s
        self._hidden: tuple[str, ...] = ()
        self._told: dict[str, str] = {}
        self._said = ""
        self._begun = False
        self._fatal: Any = None
        self._lived = False
        self._lock = threading.Lock()

    def hide(self, words: Sequence[str]) -> None:
        """Leave *words* out from now on: what a person has named, such as the clip."""
        self._hidden = tuple(
            sorted((word for word in words if len(word) > 2), key=len, reverse=True)
        )

    def begin(self, version: str) -> None:
        """Note that a run begins, and from now on where the threads are if native code ends it."""
        if self._folder is None or self._begun:
            return
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
        except OSError:
            return
        self._begun = True
        self._take_in_fatal()
        self._add("start", "Mien", f"Mien {version} starts.")
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._fatal = os.fdopen(_open(self._path(_FATAL), os.O_APPEND | os.O_WRONLY), "wb", 0)
            faulthandler.enable(self._fatal, all_threads=True)

    def watch(self, hang_s: float) -> None:
        """From the first `alive` on keep where the threads are if no other follows for *hang_s* seconds.

        By a thread that nobody waits for: faulthandler's own, which needs no lock of Python's, is waited
        for at each sign of life, and would hold up what it watches if it hung itself.

        Args:
            hang_s: 0 watches nothing.
        """
        if hang_s > 0:
            threading.Thread(
                target=self._watch, args=(hang_s,), name="crash-record", daemon=True
            ).start()

    def alive(self) -> None:
        """Say that all goes well."""
        self._lived = True

    def _watch(self, hang_s: float) -> None:
        step_s = hang_s / 8
        silent_s = -1.0  # until there has been a sign of life
        while True:
            time.sleep(step_s)
            if self._lived:
                self._lived, silent_s = False, 0.0
            elif silent_s >= 0:
                # Its own steps are counted: while the whole process stood still nobody was silent.
                silent_s += step_s
                if silent_s >= hang_s:
                    silent_s = -1.0
                    self._dump()

    def _dump(self) -> None:
        fatal = self._fatal
        if fatal is not None:
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                faulthandler.dump_traceback(fatal, all_threads=True)

    def notice(self, part: str, kind: str, text: str) -> None:
        """Note what Mien did about one of its parts, or said; once, if it is told twice in a row."""
        with self._lock:
            if self._said == text:
                return
            self._said = text
        self._add("notice", part, f"{kind}: {text}")

    def traceback(self, part: str, failure: BaseException | str) -> None:
        """Note where *part* failed; the same again is not written down again.

        Args:
            part: what a person would call it.
            failure: what was raised, or where a thread that hangs is.
        """
        text = failure if isinstance(failure, str) else _formatted(failure)
        with self._lock:
            if self._told.get(part) == text:
                return
            self._told[part] = text
        self._add("traceback", part, text)

    def end(self, code: object) -> None:
        """Note that the run ends, by itself."""
        if not self._begun:
            return
        if self._fatal is not None:
            faulthandler.disable()
            self._fatal.close()
            self._fatal = None
        self._add("end", "Mien", f"Mien ends with {code or 0}.")
        self._begun = False

    def _take_in_fatal(self) -> None:
        file = self._path(_FATAL)
        try:
            with os.fdopen(_open(file, os.O_RDWR), "r+b") as stream:
                text = stream.read(4 * LONGEST).decode("utf-8", "replace").strip()
                at_s = os.fstat(stream.fileno()).st_mtime
                stream.truncate(0)
        except OSError:
            return
        if text:
            self._add("native", "Mien", text, at_s)

    def _add(self, kind: Kind, part: str, text: str, at_s: float | None = None) -> None:
        if not self._begun:
            return
        for word in self._hidden:
            text = text.replace(word, "[…]")
        entry = {
            "at": round(self._now_s() if at_s is None else at_s, 1),
            "kind": kind,
            "part": part,
            "text": shortened(text),
        }
        data = (json.dumps(entry, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        file = self._path(_RECORD)
        with self._lock, contextlib.suppress(OSError):
            number = _open(file, os.O_RDWR | os.O_APPEND)
            try:
                if os.fstat(number).st_size + len(data) > MOST_BYTES:
                    _keep_newest(number, MOST_BYTES // 2)
                os.write(number, data)
            finally:
                os.close(number)

    def _path(self, name: str) -> str:
        assert self._folder is not None
        return os.path.join(self._folder, name)


def runtime_folder() -> str | None:
    """Where this process may keep a record: in memory, and only its user's; None if nowhere."""
    for variable, below in (("RUNTIME_DIRECTORY", ""), ("XDG_RUNTIME_DIR", "mien")):
        folder = os.environ.get(variable, "").split(":")[0]
        with contextlib.suppress(OSError):
            if os.path.isabs(folder) and os.stat(folder).st_uid == os.geteuid():
                return os.path.join(folder, below, FOLDER)
    return None


@cache
def this_record() -> CrashRecord:
    """The record of this process, which keeps nothing until it is told to begin."""
    return CrashRecord(runtime_folder())


def read_record(folder: str) -> list[dict[str, Any]]:
    """What is kept in *folder*, oldest first, with what native code has left of the last run.

    Raises:
        OSError: there is none, or it may not be read.
    """
    entries = []
    with open(os.path.join(folder, _RECORD), encoding="utf-8", errors="replace") as stream:
        for line in stream.read(2 * MOST_BYTES).splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and set(entry) == {"at", "kind", "part", "text"}:
                    entries.append(entry)
    with contextlib.suppress(OSError):
        file = os.path.join(folder, _FATAL)
        with open(file, encoding="utf-8", errors="replace") as stream:
            if text := stream.read(4 * LONGEST).strip():
                at_s = os.stat(file).st_mtime
                entries.append({"at": at_s, "kind": "native", "part": "Mien", "text": text})
    return entries


def record_folders() -> Iterator[str]:
    """Where a record may lie that this user may have a look at, that of the service first."""
    yield os.path.join(SERVICE_FOLDER, FOLDER)
    own = runtime_folder()
    if own is not None and os.path.dirname(own) != SERVICE_FOLDER:
        yield own


def where_thread_is(number: int | None) -> str:
    """The lines that the thread with that identity is in; "" if it has ended."""
    frame: FrameType | None = sys._current_frames().get(number or 0)
    return "" if frame is None else "".join(traceback.format_stack(frame))


def shortened(text: str) -> str:
    """*text* with no line that is too long, and without its middle if it is too long."""
    lines = (
        line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
        for line in re.split(r"\r?\n", text.strip())
    )
    text = "\n".join(lines)
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 3]}\n…\n{text[-2 * LONGEST // 3 :]}"
    return text


def _formatted(failure: BaseException) -> str:
    return "".join(traceback.format_exception(type(failure), failure, failure.__traceback__))


def _open(file: str, flags: int) -> int:
    number = os.open(file, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, _MODE)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError("it is no file")
    return number


def _keep_newest(number: int, most_bytes: int) -> None:
    """Let the file hold only its last whole lines."""
    size = os.fstat(number).st_size
    tail = os.pread(number, most_bytes, max(0, size - most_bytes))
    if size > most_bytes:
        tail = tail[tail.find(b"\n") + 1 :]
    os.ftruncate(number, 0)
    os.write(number, tail)
