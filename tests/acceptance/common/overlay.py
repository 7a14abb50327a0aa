"""Folders laid over each other with an overlay, as a system in a folder is made of them."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.acceptance.common.programs import CannotRunError, RigError


class Layers:
    """Folders that are laid over each other: *lower*, the last on top, below one to write to."""

    def __init__(self, lower: Sequence[Path], scratch: Path) -> None:
        """Plan it.

        Args:
            lower: stay as they are.
            scratch: gets the folders `upper`, `work` and `merged`; all on one file system.
        """
        self.lower, self.scratch = lower, scratch
        self.upper, self.merged = scratch / "upper", scratch / "merged"

    @contextlib.contextmanager
    def mounted(self) -> Iterator[Path]:
        """Where all of it can be seen, as long as the context lasts.

        Raises:
            CannotRunError: the kernel refuses the overlay.
        """
        unmount(self.merged)
        for folder in (self.upper, self.scratch / "work", self.merged):
            folder.mkdir(parents=True, exist_ok=True)
        lower = ":".join(str(folder) for folder in reversed(self.lower))
        options = f"lowerdir={lower},upperdir={self.upper},workdir={self.scratch / 'work'}"
        done = subprocess.run(
            ["mount", "-t", "overlay", "mien-rig", "-o", options, str(self.merged)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if done.returncode != 0:
            raise CannotRunError(f"no overlay can be mounted here ({done.stderr.strip()})")
        try:
            yield self.merged
        finally:
            unmount(self.merged)

    def discard(self) -> None:
        """Delete what was written."""
        unmount(self.merged)
        shutil.rmtree(self.scratch, ignore_errors=True)


def unmount(folder: Path) -> None:
    """Take whatever is mounted at *folder* or below it away.

    Raises:
        RigError: it stays mounted.
    """
    if not folder.is_dir() or not is_mounted(folder):
        return
    for lazily in ((), ("--lazy",)):
        subprocess.run(
            ["umount", "--recursive", *lazily, str(folder)],
            capture_output=True,
            timeout=30,
            check=False,
        )
        if not is_mounted(folder):
            return
    raise RigError(f"{folder} stays mounted; take it away with: umount --recursive {folder}")


def is_mounted(folder: Path, mounts: str | None = None) -> bool:
    """Whether something is mounted at *folder* or below it, by the text of /proc/self/mounts."""
    if mounts is None:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    where = str(folder.resolve())
    points = [line.split(" ")[1].replace("\\040", " ") for line in mounts.splitlines() if line]
    return any(point == where or point.startswith(f"{where}/") for point in points)
