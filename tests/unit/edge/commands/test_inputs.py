"""Whatever is named as a place to write to, what a command reads from stays as it is."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from edge.demo.command import main as make_demo
from tests.fakes.clips import beep, make_clip
from tests.fakes.command import Mien

NAMES: dict[str, Callable[[Path, Path], object]] = {
    "itself": lambda name, file: None,
    "symlink": lambda name, file: name.symlink_to(file),
    "hard link": lambda name, file: name.hardlink_to(file),
}


def under_another_name(file: Path, kind: str) -> Path:
    name = file.with_name(f"other{file.suffix}") if kind != "itself" else file
    NAMES[kind](name, file)
    return Path(os.path.relpath(name)) if kind == "itself" else name


@pytest.mark.parametrize("kind", NAMES)
def test_explain_keeps_the_photograph(tmp_path: Path, mien: Mien, kind: str) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (64, 48)).save(photo)
    before = photo.read_bytes()
    out = under_another_name(photo, kind)
    done = mien("explain", photo, "--out", out)
    assert done.code == 2
    assert "is read from, and is not written over" in done.err
    assert photo.read_bytes() == before


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("flag", ["--events", "--display", "MIEN_CALIBRATION__FILE", "unix:"])
def test_run_and_calibrate_keep_the_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mien: Mien, kind: str, flag: str
) -> None:
    made = make_clip(tmp_path / "made.wav", sound=beep(0.2, 0.1))
    clip = made.rename(tmp_path / "clip.gif")  # what it is told by its content
    before = clip.read_bytes()
    out = str(under_another_name(clip, kind))
    command = ["run", "--no-face", "--seconds", "0.1", "--display", "none"]
    if flag == "MIEN_CALIBRATION__FILE":
        monkeypatch.setenv(flag, out)
        command = ["calibrate", "--no-face"]
    else:
        command += ["--events", f"unix:{out}"] if flag == "unix:" else [flag, out]
    done = mien(*command, "--clip", clip)
    assert done.code == 2
    assert "is read from and not written over" in done.err
    assert clip.read_bytes() == before


def test_a_calibration_is_not_written_over_the_settings_nor_deleted_with_them(
    tmp_path: Path, mien: Mien
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[calibration]\nfile = "{config}"\n')
    before = config.read_text()
    for flag in ("--reset", "--no-voice"):
        assert mien("calibrate", flag, "--config", config).code == 2
        assert config.read_text() == before


def test_the_demo_keeps_its_portrait(tmp_path: Path) -> None:
    portrait = tmp_path / "portrait.png"
    Image.new("RGB", (512, 512)).save(portrait)
    before = portrait.read_bytes()
    assert make_demo(["--portrait", str(portrait), "--out", str(portrait)]) == 2
    assert portrait.read_bytes() == before
