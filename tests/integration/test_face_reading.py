"""The real finder, framing and int8 face net on a real photograph."""

from collections.abc import Iterator
from contextlib import closing
from itertools import product

import cv2
import numpy as np
import pytest

from edge.config.paths import MODELS, REPO_ROOT, fetched_folder
from edge.emotions import EMOTIONS
from edge.messages import FaceReading, Frame, NoFace
from edge.perception.face_finder import FaceFinder
from edge.perception.face_reader import FaceReader
from edge.perception.framing import align
from edge.perception.manifest import load_manifest, open_model
from edge.perception.tile_search import TileSearch

PORTRAIT = REPO_ROOT / "var" / "astronaut.png"
MANIFEST = load_manifest(MODELS)

pytestmark = pytest.mark.skipif(
    not PORTRAIT.is_file()
    or not (fetched_folder() / "face_detection_short_range.tflite").is_file(),
    reason="the portrait and MediaPipe's models are fetched by ./setup.sh test",
)


def portrait(scale: float, degrees: float = 0, t_s: float = 0) -> Frame:
    """The portrait's face in the middle of a grey frame, scaled and turned."""
    picture = cv2.imread(str(PORTRAIT))
    assert picture is not None
    size = (640, 480)
    turn = np.asarray(cv2.getRotationMatrix2D((225, 120), degrees, scale), np.float64)
    turn[:, 2] += np.subtract((size[0] / 2, size[1] / 2), (225, 120))
    image = cv2.warpAffine(
        picture[:, :, ::-1], turn, size, flags=cv2.INTER_AREA, borderValue=(96, 96, 96)
    )
    return Frame(np.ascontiguousarray(image, np.uint8), t_s)


@pytest.fixture
def finder() -> Iterator[FaceFinder]:
    with closing(FaceFinder(fetched_folder())) as opened:
        yield opened


@pytest.mark.parametrize("reach", ["full", "short"])
def test_live_crops_are_framed_as_the_training_crops_are(reach: str) -> None:
    """The mean eye positions agree within 2 px, seen by the eyes that measured the training crops."""
    geometry = MANIFEST.face.geometry
    assert geometry is not None
    found = []
    with (
        closing(FaceFinder(fetched_folder(), reach)) as looking,
        closing(FaceFinder(fetched_folder(), "short", search_width_px=320)) as judge,
    ):
        for number, (scale, degrees) in enumerate(product((0.9, 1.3, 1.9, 2.4), (-15, 0, 15))):
            frame = portrait(scale, degrees, number * 10.0)
            (face,) = looking.find(frame)
            crop = align(frame, face, geometry)
            # As convert/face/framing.py looks at the training crops.
            large = cv2.resize(crop, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
            padded = cv2.copyMakeBorder(large, 64, 64, 64, 64, cv2.BORDER_REPLICATE)
            rgb = np.ascontiguousarray(np.dstack([padded] * 3), np.uint8)
            (seen,) = judge.find(Frame(rgb, number * 10.0))
            found.append([seen.right_eye, seen.left_eye])
    mean = (np.mean(found, axis=0) - 64) / 4
    trained = np.array([geometry.right_eye, geometry.left_eye])
    assert np.abs(mean - trained).max() < 2, f"eyes at {mean} px, trained at {trained}"


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.0])
def test_smile_is_read_as_happy(finder: FaceFinder, scale: float) -> None:
    reading = FaceReader(finder, MODELS, MANIFEST.face).read(portrait(scale))
    assert isinstance(reading, FaceReading)
    assert EMOTIONS[int(reading.probabilities.argmax())] == "happy"
    assert reading.probabilities.sum() == pytest.approx(1)
    assert abs(reading.gaze[0]) < 0.2


def test_face_out_of_focus_or_in_the_dark_counts_for_less_than_a_clear_one(
    finder: FaceFinder,
) -> None:
    clear = portrait(1.5, 0).image
    spoiled = (cv2.GaussianBlur(clear, (0, 0), 5.0), (clear * 0.06).astype(np.uint8))
    qualities = []
    for step, image in enumerate((clear, *spoiled)):
        reader = FaceReader(finder, MODELS, MANIFEST.face)
        reading = reader.read(Frame(np.ascontiguousarray(image, np.uint8), 100.0 + 10 * step))
        assert isinstance(reading, FaceReading)
        qualities.append(reading.quality)
    assert qualities[0] > 0.9
    assert max(qualities[1:]) < 0.9 * qualities[0]


def test_empty_room_has_nobody(finder: FaceFinder) -> None:
    reader = FaceReader(finder, MODELS, MANIFEST.face)
    assert isinstance(reader.read(Frame(np.full((480, 640, 3), 120, np.uint8), 0.0)), NoFace)
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    assert isinstance(reader.read(Frame(noise, 1.0)), NoFace)


def test_every_shipped_model_is_the_one_of_the_manifest() -> None:
    for entry in (MANIFEST.face, MANIFEST.voice):
        model, output = open_model(MODELS, entry)
        assert output.shape == (1, 7)
        assert model.input.dtype == np.int8
        zeros = np.zeros(model.input.shape, np.int8)
        assert np.isfinite(model.run(zeros, output)).all()


def test_face_net_takes_grey_minus_128_without_arithmetic() -> None:
    spec = MANIFEST.face.input
    assert (spec.dtype, spec.zero_point) == ("int8", 0)
    grey = np.arange(256, dtype=np.uint8)
    assert ((grey ^ 0x80).view(np.int8) == grey.astype(int) - 128).all()


@pytest.mark.parametrize(("width_px", "height_px"), [(1600, 1200), (4000, 3000)])
def test_a_face_of_100_pixels_is_found_in_a_large_picture(
    finder: FaceFinder, width_px: int, height_px: int
) -> None:
    near = portrait(1.0)
    (face,) = finder.find(near)
    small = cv2.resize(near.image, None, fx=100 / face.width_px, fy=100 / face.width_px)
    image = np.full((height_px, width_px, 3), 96, np.uint8)
    rows, columns = small.shape[:2]
    top, left = height_px - rows - 77, width_px - columns - 133
    image[top : top + rows, left : left + columns] = small
    (found,) = TileSearch(finder).find(Frame(image, 10.0))
    assert found.width_px == pytest.approx(100, rel=0.2)
    assert found.x_px - left == pytest.approx(face.x_px * 100 / face.width_px, abs=15)
