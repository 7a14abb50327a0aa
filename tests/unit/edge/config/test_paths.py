"""Where Mien looks for its files, from a checkout and from a wheel."""

from pathlib import Path

import pytest

from edge.config.paths import made_folder


def test_a_wheel_keeps_what_it_makes_at_home_and_a_checkout_in_var(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site, home = tmp_path / "site-packages", tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert made_folder(site, in_checkout=True) == site / "var"
    assert made_folder(site, in_checkout=False) == home / ".local/share/mien"
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert made_folder(site, in_checkout=False) == Path("/data/mien")
