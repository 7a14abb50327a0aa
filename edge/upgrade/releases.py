"""The releases on the disk: what each puts into the system, and which is in force.

A release has a folder `system` that mirrors /: units, rules and the default settings. They are put in
place when it is switched in, and those that only the other one has are taken away.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge.upgrade.record import sync_folder, write_whole

SETTINGS: Final = Path("etc/mien/config.toml")
"""Of a person once it was changed: replaced only while it is as a release has put it there."""


class Releases:
    """Those under *opt*, for the system at *root*."""

    def __init__(self, opt: Path, root: Path) -> None:
        self.opt, self.root = opt, root

    def folder(self, name: str) -> Path:
        """Where the release *name* lies."""
        return self.opt / "releases" / name

    def named(self, link: str) -> str:
        """The release that the link "current" or "previous" leads to; "" if it leads nowhere."""
        try:
            name = os.path.basename(os.readlink(self.opt / link))
        except OSError:
            return ""
        return name if self.folder(name).is_dir() else ""

    def point(self, link: str, name: str) -> None:
        """Turn a link in one step.

        Raises:
            OSError: it cannot be.
        """
        part = self.opt / f".{link}-next"
        part.unlink(missing_ok=True)
        part.symlink_to(f"releases/{name}")
        os.replace(part, self.opt / link)
        sync_folder(self.opt)

    def switch(self, name: str, other: str) -> None:
        """Put *name* in force in the place of *other* ("" for none): its files, then the link.

        Doing it again, or after it was cut off, is as doing it once.

        Raises:
            OSError: a file cannot be written.
        """
        if other:
            self._adopt(other, name)
        own = set(self._files(name))
        for file in own:
            if file != SETTINGS or self._may_replace_settings(other):
                self._put(self.folder(name) / "system" / file, self.root / file)
        for file in set(self._files(other)) - own - {SETTINGS}:
            (self.root / file).unlink(missing_ok=True)
        self.point("current", name)

    def remove_others(self, *kept: str) -> None:
        """Remove every release, whole or not, but those *kept*."""
        for folder in (self.opt / "releases").iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def remove(self, name: str) -> None:
        """Remove one release, unless it is in force."""
        if name and name != self.named("current"):
            shutil.rmtree(self.folder(name), ignore_errors=True)

    def free(self, name: str) -> None:
        """Make room by removing the environment of a release that is given up, in force or not."""
        shutil.rmtree(self.folder(name) / "venv", ignore_errors=True)

    def _adopt(self, old: str, new: str) -> None:
        """Give a release from before there was `system` what is in force now, to go back to."""
        folder = self.folder(old) / "system"
        if folder.is_dir() or not folder.parent.is_dir():
            return
        part = folder.with_name(".system-part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for file in self._files(new):
            if file != SETTINGS and (self.root / file).is_file():
                self._put(self.root / file, part / file)
        part.rename(folder)
        sync_folder(folder.parent)

    def _files(self, name: str) -> Iterator[Path]:
        folder = self.folder(name) / "system"
        if not name:
            return
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(folder)

    def _may_replace_settings(self, other: str) -> bool:
        present = self.root / SETTINGS
        default = self.folder(other) / "system" / SETTINGS
        if not present.exists():
            return True
        return bool(other) and default.is_file() and default.read_bytes() == present.read_bytes()

    def _put(self, source: Path, target: Path) -> None:
        content = source.read_bytes()
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.read_bytes() != content:
            write_whole(target, content)


def is_full(error: OSError) -> bool:
    """Whether there is no room on the disk."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
