"""What the tests of Mien itself share."""

import os
import sys
from pathlib import Path

import pytest

from edge.config import paths
from tests.fakes.command import Ended, Mien


@pytest.fixture
def mien(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Mien:
    """`mien` in this process, without the settings of this machine."""
    from edge import cli  # no other test is to wait for it

    for name in [name for name in os.environ if name.startswith("MIEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(paths, "SYSTEM_CONFIG", tmp_path / "none.toml")

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["mien", *map(str, arguments)])
        with pytest.raises(SystemExit) as ending:
            cli.main()
        return Ended(int(ending.value.code or 0), *capsys.readouterr())

    return run
