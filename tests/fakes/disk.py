"""A disk with hardly any room: a real file system in memory, which only root may mount."""

import contextlib
import os
import subprocess
import time
from pathlib import Path
from typing import Final

SIZE: Final = "256k"


class SmallDisk:
    """Can be filled, mounted read-only, and mended."""

    def __init__(self, folder: Path) -> None:
        """Mount it at *folder*, which is made.

        Raises:
            OSError: it cannot be mounted here.
        """
        folder.mkdir()
        self.folder = folder
        self._filler = folder / "filler"
        if not _run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)):
            raise OSError("no file system can be mounted here")

    def fill(self) -> None:
        """Leave no page free."""
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as file:
            for size in (4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    def make_read_only(self, limit_s: float = 10.0) -> None:
        """Refused while a file is open for writing, so it is tried until there is none."""
        end_s = time.monotonic() + limit_s
        while not _run("mount", "-o", "remount,ro", str(self.folder)):
            assert time.monotonic() < end_s, "a file stays open for writing"
            time.sleep(0.005)

    def mend(self) -> None:
        """Make it writable, with room."""
        _run("mount", "-o", "remount,rw", str(self.folder))
        self._filler.unlink()

    def close(self) -> None:
        """Take it away."""
        _run("umount", "--lazy", str(self.folder))


def obstacle() -> str:
    """Why none can be mounted here; "" if it can."""
    return "" if os.geteuid() == 0 else "needs root, to mount a disk with hardly any room"


def _run(*command: str) -> bool:
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    return done.returncode == 0
