"""Faces and pictures from other sources than FER2013.

A pack of faces is an .npz with crops of 96x96, grey, framed as the face net's input is with room
around it, and who they are; a pack of pictures is a .zip with an `index.json` of boxes.
"""

import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convert.errors import DataError
from edge.emotions import EMOTIONS

Box = tuple[float, float, float, float]
SIDE_PX: Final = 96
"""Of a crop."""
MIDDLE_PX: Final = 64
"""So much of it is framed as the face net's input is."""
NET_PX: Final = 48
"""Side of that input."""
STRANGERS: Final = ("ctu_nir", "london", "canada", "cremad", "omi", "javased_av")
"""Sources that are held out of every training and choice."""
KEPT_EVERY: Final = 5
"""Of the faces without a label, one in so many is never trained on."""
OBTAIN: Final = "pack it as docs/extending.md describes, or name another folder"


@dataclass(frozen=True)
class FacePack:
    """Faces of one pack.

    pixels: uint8 [n, 96, 96], grey. label: int64 [n], 0-6 in FER2013 order, 7 contempt, -1 none.
    source, person: str [n]; the set that a face is from, and who it is (its file, where nobody knows).
    about: str [n]; what else the pack says of it, "age|sex|origin" or a JSON object; "" = nothing.
    picture: str [n]; the file that it was cut from, by which packs know the same one; its person, where
    the pack does not say.
    """

    pixels: NDArray[np.uint8]
    label: NDArray[np.int64]
    source: NDArray[np.str_]
    person: NDArray[np.str_]
    about: NDArray[np.str_]
    picture: NDArray[np.str_]

    def deciding(self) -> Iterator[tuple[str, NDArray[np.intp]]]:
        """Each source that is no stranger, and its rows with one of the seven emotions."""
        known = (self.label >= 0) & (self.label < len(EMOTIONS)) & ~np.isin(self.source, STRANGERS)
        for source in sorted(set(self.source[known].tolist())):
            yield source, np.flatnonzero(known & (self.source == source))

    @property
    def kept_back(self) -> NDArray[np.bool_]:
        """Faces that no net is trained on: one in five, [n]."""
        return np.arange(len(self.label)) % KEPT_EVERY == 0

    @property
    def choosing(self) -> NDArray[np.bool_]:
        """Every other one of those, on which the finder's thresholds are chosen."""
        return np.arange(len(self.label)) % (2 * KEPT_EVERY) == 0

    @property
    def testing(self) -> NDArray[np.bool_]:
        """The rest of those, on which nothing is chosen."""
        return self.kept_back & ~self.choosing


def load_faces(file: Path) -> FacePack:
    """Read a pack of faces.

    Raises:
        DataError: it is missing or holds something else.
    """
    with _reading(file, "faces"), np.load(file, allow_pickle=False) as stored:
        label = np.atleast_1d(stored["label"]).astype(np.int64, casting="same_kind")
        source = stored["source"]
        person = stored["person"] if "person" in stored else stored["path"]
        about = _about(stored, len(label))
        picture = stored.get("path", person)
        pixels = stored["pixels"] if "pixels" in stored else _decode(stored)
    shape = (len(label), SIDE_PX, SIDE_PX)
    if pixels.shape != shape or pixels.dtype != np.uint8:
        raise DataError(
            f"{file} holds {pixels.dtype} crops of {list(pixels.shape)}, not uint8 of {list(shape)}; "
            f"{OBTAIN}."
        )
    if not (
        label.ndim == 1
        and label.shape == source.shape == person.shape == about.shape == picture.shape
    ):
        raise DataError(f"{file} does not tell label, source and person of each crop; {OBTAIN}.")
    if len(label) and not -1 <= label.min() <= label.max() <= 7:
        raise DataError(f"{file} has labels that are not from -1 to 7; {OBTAIN}.")
    return FacePack(pixels, label, source, person, about, picture)


def _about(stored: Mapping[str, NDArray[Any]], count: int) -> NDArray[np.str_]:
    """`extra` of each face, or what `note` says where that is empty."""
    nothing = np.full(count, "")
    extra, note = stored.get("extra", nothing), stored.get("note", nothing)
    return np.where(extra == "", note, extra)


def net_input(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of crops [n, 96, 96], framed as the face net takes it: uint8 [n, 48, 48]."""
    import cv2

    border = (SIDE_PX - MIDDLE_PX) // 2
    middle = pixels[:, border:-border, border:-border]
    small = [cv2.resize(one, (NET_PX, NET_PX), interpolation=cv2.INTER_AREA) for one in middle]
    return np.array(small, np.uint8).reshape(-1, NET_PX, NET_PX)


def load_crops(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Read a pack of clips: crops uint8 [n, 96, 96], and the number of the clip that each is from.

    Raises:
        DataError: it is missing or holds something else.
    """
    with _reading(file, "clips"), np.load(file, allow_pickle=False) as stored:
        pixels, clip = _decode(stored), stored["clip"].astype(np.intp)
        if pixels.shape != (*clip.shape, SIDE_PX, SIDE_PX):
            raise ValueError(f"crops of {pixels.shape} for clips of {clip.shape}")
    return pixels, clip


def _decode(stored: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    import cv2

    data, offset = stored["jpeg"], stored["offset"]
    grey = [cv2.imdecode(data[begin:end], cv2.IMREAD_GRAYSCALE) for begin, end in pairwise(offset)]
    return np.array(grey, np.uint8)


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a pack.

    image: uint8 [height, width, 3], RGB. kind: what is on it. boxes: x, y, width and height of the
    faces that are known, in pixels. most: how many faces it has at most, with those that are not known.
    """

    name: str
    image: NDArray[np.uint8]
    kind: str
    boxes: tuple[Box, ...]
    most: int


def read_pictures(file: Path) -> Iterator[Picture]:
    """The pictures of a pack, one after the other.

    Raises:
        DataError: it is missing or holds something else.
    """
    import cv2

    with _reading(file, "pictures"), zipfile.ZipFile(file) as pack:
        index = {Path(name).name: name for name in pack.namelist()}
        for row in json.loads(pack.read(index["index.json"])):
            data = np.frombuffer(pack.read(index[row["name"]]), np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_COLOR)
            if image is None:
                raise ValueError(f"{row['name']} is no picture")
            boxes = tuple(_box(row["name"], *box) for box in row["boxes_xywh"])
            rgb = np.ascontiguousarray(image[:, :, ::-1], np.uint8)
            yield Picture(str(row["name"]), rgb, str(row["kind"]), boxes, int(row["n_max"]))


@contextmanager
def _reading(file: Path, what: str) -> Iterator[None]:
    """Raise `DataError` where *file* turns out to be no pack of that."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{file} is not there; {OBTAIN}.") from error
    except Exception as error:  # reading something else as an archive may end with any
        said = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
        raise DataError(f"{file} is no pack of {what} ({said}); {OBTAIN}.") from error


def _box(name: str, x: float, y: float, width: float, height: float) -> Box:
    box = (float(x), float(y), float(width), float(height))
    if not (all(map(math.isfinite, box)) and box[2] > 0 and box[3] > 0):
        raise ValueError(f"{name} has a box that is none")
    return box
