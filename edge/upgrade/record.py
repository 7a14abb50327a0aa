"""What has to outlive a power cut: the upgrade under way, and how the last one ended."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from edge.upgrade.probation import Before

PENDING: Final = "probation.json"
OUTCOME: Final = "last-upgrade.json"

Phase = Literal["asked", "switching", "watching", "back"]


@dataclass(frozen=True)
class Upgrade:
    """One that is under way."""

    old: str
    """Name of the release to go back to."""
    new: str
    boot: str
    """Boot id of the system in which it was last worked at."""
    watch_s: float
    before: Before
    phase: Phase = "asked"
    began_s: float = 0.0
    """Monotonic, of the switch."""
    paused: bool = False
    """The system was shut down in good order meanwhile."""
    why: str = ""
    """Why it goes back."""


@dataclass(frozen=True)
class Outcome:
    """How the last one ended."""

    passed: bool
    sentence: str


def load(opt: Path) -> Upgrade | None:
    """The upgrade under way in the folder *opt*; None if there is none, or it cannot be read."""
    content = _read(opt / PENDING)
    try:
        before = content.pop("before")
        before["senses"] = tuple(before["senses"])
        return Upgrade(**content, before=Before(**before))
    except (KeyError, TypeError):
        return None


def outcome(opt: Path) -> Outcome | None:
    """How the last upgrade ended; None if that is not known."""
    try:
        return Outcome(**_read(opt / OUTCOME))
    except TypeError:
        return None


def save(opt: Path, record: Upgrade | Outcome) -> None:
    """Write it so that a power cut leaves the old one or the new one.

    Raises:
        OSError: it cannot be written.
    """
    name = PENDING if isinstance(record, Upgrade) else OUTCOME
    write_whole(opt / name, json.dumps(asdict(record)).encode())


def write_whole(path: Path, content: bytes) -> None:
    """Put *content* at *path* in one step, for all to read, and onto the disk.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    part = path.with_name(f"{path.name}.mien-new")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let what was renamed or removed in *folder* reach the disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
