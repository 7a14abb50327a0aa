from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge.diagnostics.explain import draw_explanation, explain, save_explanation
from edge.diagnostics.photograph import read_photo
from edge.emotions import COLORS, EMOTIONS
from edge.errors import OutputError, SensorError
from edge.messages import Face, Frame
from edge.perception.manifest import Geometry

HAPPY = np.array([0.02, 0.01, 0.03, 0.8, 0.04, 0.05, 0.05])


class FakeNet:
    """Sees happiness in the lower half of the crop, whatever it shows."""

    geometry = Geometry(
        width_px=48, height_px=48, right_eye=(15, 19), left_eye=(33, 19), mouth=(24, 37)
    )
    asked: str | None = None

    def read(self, crop: NDArray[np.uint8]) -> NDArray[np.float64]:
        assert crop.shape == (48, 48)
        return HAPPY

    def explain(self, crop: NDArray[np.uint8], emotion: str) -> NDArray[np.float64]:
        self.asked = emotion
        where = np.full((6, 6), -1.0)
        where[3:] = 4.0
        return where


class FakeFinder:
    def __init__(self, *widths_px: float) -> None:
        self.widths_px = widths_px

    def find(self, frame: Frame) -> list[Face]:
        return [
            Face(
                40 * n, 40, width, width,
                (40 * n + 10, 60), (40 * n + 30, 60), (40 * n + 20, 70), (40 * n + 20, 80),
                (40 * n, 60), (40 * n + 40, 60), 0.9,
            )
            for n, width in enumerate(self.widths_px, start=1)
        ]  # fmt: skip

    def close(self) -> None:
        """Nothing is held."""


def photo() -> Frame:
    image = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    return Frame(image, 0.0)


def test_map_is_about_the_likeliest_emotion_unless_told() -> None:
    net = FakeNet()
    assert explain(photo(), FakeFinder(40), net, None).emotion == "happy"  # type: ignore[arg-type]
    assert explain(photo(), FakeFinder(40), net, "sad").emotion == "sad"  # type: ignore[arg-type]
    assert net.asked == "sad"


def test_picture_without_a_face_is_refused_with_a_remedy() -> None:
    with pytest.raises(SensorError, match=r"No face was found.*at least 40 pixels"):
        explain(photo(), FakeFinder(), FakeNet(), None)  # type: ignore[arg-type]


def test_sheet_is_lit_where_the_net_saw_the_emotion() -> None:
    what = explain(photo(), FakeFinder(40), FakeNet(), None)  # type: ignore[arg-type]
    sheet = np.asarray(draw_explanation(what), float)
    face = sheet[24 : 24 + 384, 24 : 24 + 384]
    warmth = face[..., 0] - face[..., 2]  # happy is amber
    assert warmth[260:].mean() > 40
    assert abs(warmth[:120].mean()) < 5


def test_longest_bar_has_the_color_of_the_likeliest_emotion() -> None:
    what = explain(photo(), FakeFinder(40), FakeNet(), None)  # type: ignore[arg-type]
    bar = np.asarray(draw_explanation(what))[24 + 28, 24 + 384 + 24 :]
    colored = (bar == COLORS["happy"]).all(axis=1).sum()
    assert 0.7 * 300 < colored < 0.85 * 300
    assert what.probabilities[EMOTIONS.index("happy")] == 0.8


@pytest.mark.parametrize("content", [None, b"", b"not a picture at all"])
def test_unreadable_picture_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "photo.jpg"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SensorError, match=r"There is no picture|is no picture that can be read"):
        read_photo(file)


def test_photo_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    picture = Image.new("RGB", (60, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    picture.save(tmp_path / "upright.jpg", exif=exif)
    assert read_photo(tmp_path / "upright.jpg").image.shape == (60, 40, 3)


def test_large_photo_is_made_smaller(tmp_path: Path) -> None:
    Image.new("L", (8192, 1024)).save(tmp_path / "large.png")
    assert read_photo(tmp_path / "large.png").image.shape == (512, 4096, 3)


@pytest.mark.parametrize("name", ["sheet.nonsense", "missing/sheet.png"])
def test_sheet_that_cannot_be_written_is_one_sentence(tmp_path: Path, name: str) -> None:
    what = explain(photo(), FakeFinder(40), FakeNet(), None)  # type: ignore[arg-type]
    with pytest.raises(OutputError, match=r"no ending of a picture|cannot be written"):
        save_explanation(what, tmp_path / name)
