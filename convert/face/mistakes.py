"""What the face detector half believes to be faces, in pictures that have none.

The net learns from these crops to know a face when it sees one. Whoever retrains it takes pictures
of their own: wallpapers, drawings, textures, rooms; the more of the place where it will stand the better.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from convert.errors import DataError
from convert.face.extra import NET_PX
from edge.messages import Frame
from edge.perception.auto_finder import FAR_SIGN, AutoFinder
from edge.perception.detector_files import DETECTOR_FILES
from edge.perception.face_finder import read_detector
from edge.perception.framing import align
from edge.perception.lite_detector import LiteDetector
from edge.perception.manifest import Geometry
from edge.process.printable import printable
from edge.process.written_files import written_whole

ENDINGS: Final = (".jpg", ".jpeg", ".png", ".webp")
VIEWS: Final = 4
"""Of a picture: the whole of it, then parts of it, some mirrored."""
LEAST_PX, MOST_PX = 200, 900
"""Pixels of a picture's shorter and longer side; others are enlarged or scaled down."""
_LEAST_SCORE: Final = 0.2
"""Of the detector, from close by; the net is to know better than its weakest guesses too."""
_OBTAIN: Final = "make it with: python -m convert face-mistakes"


def find_mistakes(pictures: Path, detectors: Path, geometry: Geometry, out: Path, seed: int) -> int:
    """Search pictures without a face, and write the crops of what was taken for one to *out*.

    Args:
        pictures: folder; everything in it that is a picture is searched.
        detectors: folder of MediaPipe's face detectors.
        geometry: how the crops are framed.
        out: .npz that is written: `crops`, uint8 [n, 48, 48].
        seed: chooses the views.

    Raises:
        DataError: the folder has no picture, or nothing in it looks like a face.
        ModelError: the detector is missing.

    Returns:
        How many crops there are.
    """
    files = pictures_in(pictures)
    crops: list[NDArray[np.uint8]] = []
    unread = 0
    with candidate_finder(detectors, _LEAST_SCORE) as finder:
        for number, each in enumerate(tqdm(files, desc="pictures")):
            image = read_rgb(each)
            if image is None:
                unread += 1
                continue
            for view in views_of(image, np.random.default_rng([seed, number])):
                frame = Frame(view, 0.0)
                crops += [align(frame, face, geometry) for face, _ in finder.candidates(frame)]
    if not crops:
        raise DataError(
            f"In no picture in {pictures} is anything taken for a face; name a folder with more of them."
        )
    if unread:
        print(f"{unread} of {len(files):,} files in {printable(pictures)} could not be read")
    out.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(out) as stream:
        np.savez_compressed(stream, crops=np.array(crops, np.uint8).reshape(-1, NET_PX, NET_PX))
    return len(crops)


@contextmanager
def candidate_finder(detectors: Path, least_score: float) -> Iterator[AutoFinder]:
    """What gives the candidates of a picture, those of *least_score* from close by; it follows nothing.

    Raises:
        ModelError: the detector is missing from the folder *detectors*, or damaged.
    """
    content = read_detector(detectors, "short")
    file = detectors / DETECTOR_FILES["short"].name
    with closing(LiteDetector(file, "short", FAR_SIGN, content=content)) as detector:
        yield AutoFinder(detector.detect, least_score)


def pictures_in(folder: Path) -> list[Path]:
    """Everything in *folder*, however deep, that is called a picture, in order.

    Raises:
        DataError: nothing is.
    """
    files = sorted(each for each in folder.rglob("*") if each.suffix.lower() in ENDINGS)
    if not files:
        raise DataError(f"{folder} holds no picture ({', '.join(ENDINGS)}); name another folder.")
    return files


def load_mistakes(file: Path) -> NDArray[np.uint8]:
    """The crops that `find_mistakes` wrote, uint8 [n, 48, 48].

    Raises:
        DataError: the file is missing or holds something else.
    """
    try:
        with np.load(file, allow_pickle=False) as stored:
            crops: NDArray[np.uint8] = stored["crops"]
    except FileNotFoundError as error:
        raise DataError(f"{file} is not there; {_OBTAIN}.") from error
    except Exception as error:  # reading something else as an archive may end with any
        raise DataError(f"{file} holds no crops without a face; {_OBTAIN}.") from error
    if crops.dtype != np.uint8 or crops.shape[1:] != (NET_PX, NET_PX) or not len(crops):
        raise DataError(
            f"{file} holds {crops.dtype} {list(crops.shape)}, not uint8 [n, {NET_PX}, {NET_PX}]; "
            f"{_OBTAIN}."
        )
    return crops


def read_rgb(file: Path) -> NDArray[np.uint8] | None:
    """RGB, uint8 [height, width, 3], of at most `MOST_PX` a side; what is clear in it is grey."""
    try:
        with Image.open(file) as opened:
            opened.draft("RGB", (MOST_PX, MOST_PX))
            image = opened.convert("RGBA")
            image = image.resize(_size(*image.size))
    except Exception:  # Pillow raises whatever a damaged file leads it to
        return None
    behind = Image.new("RGBA", image.size, (128, 128, 128, 255))
    behind.alpha_composite(image)
    return np.asarray(behind.convert("RGB"), np.uint8)


def _size(width: int, height: int) -> tuple[int, int]:
    scale = min(max(1.0, LEAST_PX / min(width, height)), MOST_PX / max(width, height))
    return max(LEAST_PX // 4, round(width * scale)), max(LEAST_PX // 4, round(height * scale))


def views_of(image: NDArray[np.uint8], random: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """The picture, uint8 [height, width, 3], and parts of it, some mirrored."""
    yield image
    for _ in range(VIEWS - 1):
        yield np.ascontiguousarray(part_of(image, random.uniform(0.35, 0.9), random))


def part_of(
    image: NDArray[np.uint8], share: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """A rectangle of *share* of both sides of a picture, 0-1, somewhere in it; mirrored or not."""
    height, width = image.shape[:2]
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    top, left = random.integers(height - rows + 1), random.integers(width - columns + 1)
    part = image[top : top + rows, left : left + columns]
    return part[:, :: random.choice([-1, 1])]
