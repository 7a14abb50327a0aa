"""Pictures in files: the latest PNG, the GIF of a run, and the documentation's gallery."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from edge.config.paths import REPO_ROOT
from edge.errors import OutputError
from edge.face import gallery
from edge.face.animation import Animator
from edge.face.draw import draw
from edge.face.gif import GifWriter
from edge.messages import Mood
from edge.outputs.image_file import Picture

HAPPY = Mood(0.0, "happy", np.array([0, 0, 0, 1.0, 0, 0, 0]))
NOBODY = Mood(0.0, "nobody")


def frames(path: Path) -> list[tuple[Image.Image, int]]:
    """Every picture of a GIF and how long it is shown, in ms."""
    with Image.open(path) as opened:
        return [
            (frame.convert("RGB"), frame.info["duration"])
            for frame in ImageSequence.Iterator(opened)
        ]


def test_png_holds_the_latest_picture(tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    output = Picture(path, zoom=2)
    assert not path.exists()
    expected = Animator()
    for t_s in (0.0, 0.1, 0.2):
        output.show(HAPPY, t_s)
        wanted = draw(expected.pose(HAPPY, t_s)).resize((256, 128), Image.Resampling.NEAREST)
        with Image.open(path) as saved:
            assert saved.size == (256, 128)
            assert saved.convert("1").tobytes() == wanted.tobytes()
    output.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["face.png"]


@pytest.mark.parametrize("zoom", [1, 3])
def test_gif_tells_the_run_with_its_times(tmp_path: Path, zoom: int) -> None:
    path = tmp_path / "run.gif"
    output = Picture(path, zoom=zoom)
    expected, drawn = Animator(), []
    for step in range(36):
        t_s = 50 + step / 12
        mood = HAPPY if step < 18 else NOBODY
        output.show(mood, t_s)
        small = draw(expected.pose(mood, t_s)).convert("RGB")
        drawn.append(small.resize((128 * zoom, 64 * zoom), Image.Resampling.NEAREST))
    assert not path.exists()
    output.close()
    output.close()
    got = frames(path)
    assert sum(duration for _, duration in got) == pytest.approx(3000, abs=20)
    # What is seen at the middle of every twelfth of a second is what was drawn for it.
    ends = np.cumsum([duration for _, duration in got])
    for step, picture in enumerate(drawn):
        seen = got[int(np.searchsorted(ends, (step + 0.5) * 1000 / 12))][0]
        assert np.abs(np.asarray(seen, int) - np.asarray(picture, int)).max() < 40
    assert not list(tmp_path.glob("*.part"))


def test_gif_stores_nothing_while_nothing_changes(tmp_path: Path) -> None:
    with (tmp_path / "a.gif").open("wb") as file:
        writer = GifWriter(file, (128, 64))
        assert writer.add(Image.new("RGB", (128, 64)), 0.0)
        assert not writer.add(Image.new("RGB", (128, 64)), 1.0)
        writer.add(Image.new("RGB", (128, 64), "white"), 2.0)
        writer.finish(2.5)
    assert writer.pictures == 2
    assert [duration for _, duration in frames(tmp_path / "a.gif")] == [2000, 500]


def test_gif_ends_at_its_size(tmp_path: Path) -> None:
    path = tmp_path / "run.gif"
    output = Picture(path, most_bytes=6000)
    for step in range(400):
        output.show(HAPPY if step % 20 < 10 else NOBODY, step / 12)
        if path.exists():
            break
    assert path.exists() and path.stat().st_size < 12_000
    output.show(HAPPY, 60.0)
    output.close()
    assert len(frames(path)) > 3


def test_colors_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "colour.gif"
    output = Picture(path, size=(128, 128), mode="RGB", zoom=1)
    for step in range(12):
        output.show(HAPPY, step / 12)
    output.close()
    pixels = np.asarray(frames(path)[-1][0], dtype=int)
    lit = pixels[pixels.max(axis=2) > 150]
    assert (lit[:, 0] > lit[:, 2] + 60).mean() > 0.6


@pytest.mark.parametrize(
    ("name", "words"), [("face.jpg", r"\.png or \.gif"), ("absent/face.png", "folder that exists")]
)
def test_what_can_be_no_picture_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(OutputError, match=words):
        Picture(tmp_path / name)


def test_picture_that_could_not_be_written_is_written_when_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    output = Picture(folder / "face.png")
    folder.rmdir()
    with pytest.raises(OutputError, match="cannot be written"):
        output.show(HAPPY, 0.0)
    folder.mkdir()
    output.show(HAPPY, 0.0)  # the very same face
    assert (folder / "face.png").is_file()
    output.close()


def test_gallery_renders_the_sheet_and_the_tour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gallery, "_SHEET", ("happy", "sad", "nobody"))
    monkeypatch.setattr(gallery, "_TOUR", (("happy", 0.3), ("sad", 0.3)))
    sheet, tour = tmp_path / "faces.png", tmp_path / "tour.gif"
    assert gallery.main(["--out", str(sheet), "--gif", str(tour)]) == 0
    with Image.open(sheet) as picture:
        assert picture.width == 1200
        pixels = np.asarray(picture.convert("RGB"), dtype=int)
    assert pixels.max() > 240  # the faces glow
    assert 0.02 < (pixels.min(axis=2) > 150).mean() < 0.4
    assert 5 <= len(frames(tour)) <= 9
    assert "faces.png" in capsys.readouterr().out


def test_gallery_renders_the_nine_faces_without_names_or_colors(tmp_path: Path) -> None:
    blind = tmp_path / "nine.png"
    assert gallery.main(["--blind", str(blind)]) == 0
    with Image.open(blind) as picture:
        pixels = np.asarray(picture.convert("RGB"), dtype=int)
    rows = (pixels.min(axis=2) > 150).any(axis=1)
    assert (np.diff(rows.astype(int)) == 1).sum() >= 3
    assert np.ptp(pixels, axis=2).max() < 50  # a tint would give an emotion away
    with Image.open(REPO_ROOT / "docs" / "pictures" / "nine.png") as kept:
        assert np.abs(np.asarray(kept.convert("RGB"), dtype=int) - pixels).mean() < 3


def test_gallery_tells_where_it_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gallery, "_SHEET", ("happy",))
    assert gallery.main(["--out", str(tmp_path / "absent" / "faces.png")]) == 5
    assert "folder that exists" in capsys.readouterr().err
