from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("matplotlib")

from convert.plots.style import DPI, WIDTH_IN, emotion_color, sheet
from edge.emotions import COLORS


def test_draws_the_same_bytes_for_the_same_data_and_notes_nothing_in_them(tmp_path: Path) -> None:
    for name in ("one.png", "again.png"):
        with sheet(tmp_path / name, "One", 1.0) as figure:
            figure.subplots().plot([1, 2])
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    with Image.open(tmp_path / "one.png") as image:
        assert not image.info.keys() - {"transparency"}


def test_makes_room_for_further_lines_of_the_title(tmp_path: Path) -> None:
    for name, title in (("one.png", "One"), ("three.png", "One\ntwo\nthree")):
        with sheet(tmp_path / name, title, 1.0) as figure:
            figure.subplots()
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "three.png") as three:
        assert three.height > one.height + 40
        assert three.width == one.width == WIDTH_IN * DPI


def test_refuses_a_sheet_that_does_not_say_what_it_shows(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="title"), sheet(tmp_path / "out.png", " ", 1.0):
        pass
    assert not list(tmp_path.iterdir())


def test_colors_an_emotion_alike_by_either_name_and_unlike_any_other() -> None:
    assert emotion_color("happiness") == emotion_color("happy")
    named = {emotion_color(label) for label in (*COLORS, "contempt", "unknown")}
    assert len(named) == len(COLORS) + 2
