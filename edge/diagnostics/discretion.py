"""Takes out of a text what could be of a person: names, places on the disk, numbers of devices, moods."""

import os
import platform
import pwd
import re
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from edge.config.paths import REPO_ROOT
from edge.emotions import EMOTIONS

_EVERYBODYS: Final = frozenset(
    (
        *("root", "mien", "pi", "user", "admin", "ubuntu", "debian", "nvidia", "jetson"),
        *("raspberrypi", "localhost", "localhost.localdomain", "nobody", "unknown", "none"),
    )
)
"""Names that come with a system and tell of nobody."""

_OWN_FOLDERS: Final = (
    *("/dev", "/proc", "/sys", "/usr", "/lib", "/boot", "/opt/mien", "/etc/mien", "/etc/systemd"),
    *("/run/mien", "/var/lib/mien"),
)
"""Places whose names are every system's or Mien's."""

_QUOTED_PATH: Final = re.compile(r"([\"'`])((?:~|\[home\])?/[^\"'`\n]*)\1")
_BELOW_HOME: Final = re.compile(r"\[home\](?:/[^\s\"'`,;:()<>]*)?")
_PATH: Final = re.compile(r"(?<![\w/.…>\]])~?/[^\s\"'`,;:()<>]+")
_FILE: Final = re.compile(
    r"[^\s\"'`/]+\.(?:mp4|mkv|webm|mov|avi|wav|mp3|ogg|flac|m4a|jpe?g|png|gif|tiff?|bmp)\b", re.I
)
_BY_NAME: Final = re.compile(r"/dev/(?:v4l/by-\w+|snd/by-\w+|disk/by-\w+|serial/by-\w+)/\S+")
_MAC: Final = re.compile(r"\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b", re.I)
_IP4: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_IP6: Final = re.compile(r"\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}\b", re.I)
_URL: Final = re.compile(r"\b[a-z][a-z0-9+.\-]*://\S+", re.I)
_MAIL: Final = re.compile(r"\b[\w.+\-]+@[\w\-]+\.[\w.\-]+\b")
_MOOD: Final = re.compile(rf"\b(?:{'|'.join(EMOTIONS)})\b", re.I)
_SHOWN: Final = re.compile(r"^Shown: .*$", re.M)
_EVENT: Final = re.compile(r"^\s*\{.*$", re.M)


class Discretion:
    """Knows whose machine this is, in order to say nothing of it."""

    def __init__(self, named: Iterable[str] = (), root: Path = Path("/")) -> None:
        """Look the machine up.

        Args:
            named: further words that are somebody's own: what is named in the settings, say.
            root: where the machine's files lie.
        """
        words = {word: "…" for word in named}
        words |= {word: "[device]" for word in _devices(root) if len(word) > 5}
        words |= dict.fromkeys(_homes(), "[home]")
        words |= dict.fromkeys(_people(), "[user]")
        words |= dict.fromkeys(_machines(root), "[machine]")
        words |= dict.fromkeys(_numbers(root), "[number]")
        keep = {word for word in words if len(word) < 2 or word.lower() in _EVERYBODYS}
        ordered = sorted(words.keys() - keep, key=len, reverse=True)
        self._marks = {word.lower(): words[word] for word in ordered}
        # Short names are words of other things as well: those only as a whole and as they are written.
        self._long = _any_of([word for word in ordered if len(word) >= 4], re.I)
        self._short = _any_of([word for word in ordered if len(word) < 4], 0)

    def __call__(self, text: object) -> str:
        """*text* without it."""
        said = str(text)
        said = _EVENT.sub("[an event]", _SHOWN.sub("[what was shown]", said))
        said = said.replace(str(REPO_ROOT), "MIEN")
        for pattern in (self._long, self._short):
            if pattern is not None:
                said = pattern.sub(self._mark, said)
        said = _URL.sub("[address]", _MAIL.sub("[address]", said))
        said = _BY_NAME.sub("/dev/[by name]", said)
        said = _QUOTED_PATH.sub(lambda found: f"{found[1]}{_place(found[2])}{found[1]}", said)
        said = _BELOW_HOME.sub(lambda found: _place(found[0]), said)
        said = _PATH.sub(lambda found: _place(found[0]), said)
        said = _FILE.sub("[file]", said)
        for pattern in (_MAC, _IP4, _IP6):
            said = pattern.sub("[number]", said)
        return _MOOD.sub("[emotion]", said)

    def _mark(self, found: "re.Match[str]") -> str:
        return self._marks[found[0].lower()]


def _any_of(words: list[str], flags: int) -> "re.Pattern[str] | None":
    if not words:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", flags)


def _place(path: str) -> str:
    """*path*, if it is a place that every system has; what is left of one of Python's packages."""
    if any(path == folder or path.startswith(f"{folder}/") for folder in _OWN_FOLDERS):
        return path
    package = re.search(r"/(?:(?:site|dist)-packages|lib/python3[\d.]*)/(?!site-|dist-)(.*)", path)
    return f"[packages]/{package[1]}" if package else "[path]"


def _people() -> Iterator[str]:
    """Users who are people: their names, and what else is written about them."""
    for variable in ("USER", "LOGNAME", "SUDO_USER"):
        yield os.environ.get(variable, "")
    for entry in pwd.getpwall():
        if entry.pw_uid >= 1000 or entry.pw_uid == os.getuid():
            yield entry.pw_name
            gecos = entry.pw_gecos.split(",")
            yield from (part.strip() for part in gecos)
            yield from gecos[0].split()


def _homes() -> Iterator[str]:
    for variable in ("HOME", "XDG_RUNTIME_DIR"):
        yield os.environ.get(variable, "").rstrip("/")
    for entry in pwd.getpwall():
        if entry.pw_dir.startswith(("/home/", "/root")):
            yield entry.pw_dir.rstrip("/")


def _machines(root: Path) -> Iterator[str]:
    for name in (platform.node(), socket.gethostname(), _line(root / "etc/hostname")):
        yield name
        yield name.partition(".")[0]


def _numbers(root: Path) -> Iterator[str]:
    """Serial numbers and the like, of the board and of what is plugged in."""
    for name in (
        "etc/machine-id",
        "proc/device-tree/serial-number",
        "proc/sys/kernel/random/boot_id",
    ):
        yield _line(root / name)
        yield _line(root / name).replace("-", "")
    for pattern in (
        "sys/bus/usb/devices/*/serial",
        "sys/class/net/*/address",
        "sys/class/dmi/id/*_serial",
    ):
        for file in root.glob(pattern):
            yield _line(file)
    try:
        for line in (root / "proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("Serial"):
                yield line.partition(":")[2].strip()
    except OSError:
        return


def _devices(root: Path) -> Iterator[str]:
    """What cameras and microphones are called: a telephone, or a virtual one, as its owner likes."""
    for pattern in ("sys/class/video4linux/*/name", "sys/bus/usb/devices/*/product"):
        for file in root.glob(pattern):
            yield _line(file)
    try:
        cards = (root / "proc/asound/cards").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in cards.splitlines():
        yield line.partition(" - ")[2].strip()
        yield line.partition("[")[2].partition("]")[0].strip()


def _line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip("\0\n\r ")
    except OSError:
        return ""
