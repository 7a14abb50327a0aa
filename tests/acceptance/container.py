"""A Debian in a folder: laid over another with an overlay, used by systemd-nspawn without a network."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.acceptance.programs import CannotRunError, RigError, run


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


class Container:
    """systemd-nspawn on one folder."""

    def __init__(
        self, nspawn: str, root: Path, name: str, shown: Mapping[Path, str] | None = None
    ) -> None:
        """Plan it.

        Args:
            nspawn: the program.
            root: where the system lies.
            name: of the container; on this machine only one may have it.
            shown: further folders, and where they can be read in it.
        """
        self._name = name
        # Neither the systemd nor the network of this machine is asked for anything.
        self._command = [
            nspawn, "--quiet", "--register=no", "--keep-unit", "--private-network",
            "--resolv-conf=off", "--timezone=off", "--link-journal=no",
            f"--machine={name}", f"--directory={root}",
        ]  # fmt: skip
        self._command += [f"--bind-ro={folder}:{place}" for folder, place in (shown or {}).items()]

    def call(self, command: Sequence[str], log: Path, limit_s: float) -> str:
        """Run one command in it, without booting; what it said.

        Raises:
            RigError: it failed or took too long.
        """
        return run([*self._command, "--console=pipe", *command], log, limit_s)

    def boot(self, log: Path, limit_s: float) -> None:
        """Start its systemd and wait until it powers off.

        Raises:
            RigError: it failed or took too long.
        """
        try:
            run([*self._command, "--boot"], log, limit_s, terminal=True)
        finally:
            # An empty folder that systemd-nspawn leaves.
            with contextlib.suppress(OSError):
                Path("/run/systemd/nspawn/propagate", self._name).rmdir()
