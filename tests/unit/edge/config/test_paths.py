"""Where Mien looks for its files, from a checkout and from a wheel."""

from pathlib import Path

import pytest

from edge.config.paths import MODELS, fetched_folder, made_folder, models_folder, restore_models


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


@pytest.mark.parametrize("folder", ["~nobody-of-that-name/nets", "x" * 5_000])
def test_a_folder_that_cannot_be_is_taken_as_it_stands(folder: str) -> None:
    assert models_folder(folder) == Path(folder)
    assert fetched_folder(folder).name == "fetched"


def test_models_of_ones_own_are_not_brought_back_from_the_release(tmp_path: Path) -> None:
    (tmp_path / "same").symlink_to(MODELS)
    assert str(tmp_path) in restore_models(tmp_path)
    assert restore_models(tmp_path / "same") == restore_models(MODELS)
    assert "put the models" not in restore_models(MODELS)
