"""Things that another user has put into a folder that both may write to."""

import os
from pathlib import Path

import pytest

NOBODY = 65534


def belongs_to_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give *path* itself, be it a link, to another user; who is not root becomes another one."""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    else:
        monkeypatch.setattr("edge.process.written_files.os.geteuid", lambda: NOBODY)
    return path
