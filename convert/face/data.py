"""FER2013 pixels with FER+ votes: loading, checking, training targets."""

import lzma
import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from convert.errors import DataError

ROWS = 35_887
USAGE_ROWS = {"Training": 28_709, "PublicTest": 3_589, "PrivateTest": 3_589}
HELD_OUT_EVERY = 3
"""One in so many PublicTest rows is held out: never trained on."""
OBTAIN = (
    "FER2013 comes from its 2013 challenge page (fer2013.csv), the FER+ votes from the FER+ project "
    "(fer2013new.csv); pack them as models_tflite/FACE_CARD.md describes"
)


@dataclass(frozen=True)
class FaceData:
    """All rows in the official order.

    pixels: uint8 [35887, 48, 48], grey. label: int64 [35887], 0-6 in FER2013 order.
    usage: uint8 [35887], index into `USAGE_ROWS`. all_votes: float32 [35887, 10], the FER+ votes
    counted: neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, no
    face; zero where a row has none. majority: int64 [35887], the FER+ emotion 0-7 by the official
    majority rule, -1 where that drops the row. dup_in_train: bool [35887], a test row whose pixels
    also are a training row.
    """

    pixels: NDArray[np.uint8]
    label: NDArray[np.int64]
    usage: NDArray[np.uint8]
    all_votes: NDArray[np.float32]
    majority: NDArray[np.int64]
    dup_in_train: NDArray[np.bool_]

    @property
    def ferplus(self) -> NDArray[np.float32]:
        """Votes as a distribution over the FER+ emotions, float32 [35887, 8]; zero without votes."""
        votes = self.all_votes[:, :8]
        totals = np.maximum(votes.sum(axis=1, keepdims=True), 1)
        return np.asarray(votes / totals, np.float32)

    @property
    def not_face(self) -> NDArray[np.bool_]:
        """Whether most FER+ voters saw no face: bool [35887]."""
        seen: NDArray[np.bool_] = self.all_votes[:, 9] > 5
        return seen

    def rows(self, split: str) -> NDArray[np.intp]:
        """Row numbers of a split: Training, PublicTest or PrivateTest."""
        return np.flatnonzero(self.usage == list(USAGE_ROWS).index(split))

    def training_rows(self, learn_public: bool) -> NDArray[np.intp]:
        """Those that may be trained on, with those of PublicTest that may if *learn_public* is set."""
        rows = self.rows("Training")
        return np.concatenate([rows, self.public_for_training]) if learn_public else rows

    @property
    def held_out(self) -> NDArray[np.intp]:
        """The third of the PublicTest rows that is held out of training: every emotion by its share."""
        rows = self.rows("PublicTest")
        alike = np.lexsort((self.label[rows], self.majority[rows]))
        return np.sort(rows[alike[::HELD_OUT_EVERY]])

    @property
    def public_for_training(self) -> NDArray[np.intp]:
        """The other PublicTest rows, but those whose pixels also are a row that decides or tests."""
        judged = np.concatenate([self.held_out, self.rows("PrivateTest")])
        seen = {self.pixels[row].tobytes() for row in judged}
        rest = np.setdiff1d(self.rows("PublicTest"), self.held_out)
        return np.array([row for row in rest if self.pixels[row].tobytes() not in seen], np.intp)


def load_face_data(folder: Path) -> FaceData:
    """Read `fer2013_pixels.npy.xz` and `fer2013_labels.npz` from *folder* and check every count.

    Raises:
        DataError: a file is missing or does not hold what it should.
    """
    pixel_file, label_file = folder / "fer2013_pixels.npy.xz", folder / "fer2013_labels.npz"
    for file in (pixel_file, label_file):
        if not file.is_file():
            raise DataError(f"{file} is not there. {OBTAIN}.")
    try:
        with lzma.open(pixel_file) as stream:
            pixels = np.load(stream)
        labels = np.load(label_file)
        label, usage, votes = labels["label"], labels["usage"], labels["ferplus_votes"]
        majority, votes_ok = labels["ferplus_majority"], labels["ferplus_ok"]
        dup = labels["dup_in_train"]
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        lzma.LZMAError,
        zlib.error,
        BadZipFile,
    ) as error:
        raise DataError(
            f"{folder} does not hold FER2013 as expected ({error}). {OBTAIN}."
        ) from error
    if pixels.shape != (ROWS, 48, 48) or pixels.dtype != np.uint8:
        raise DataError(
            f"{pixel_file} holds {pixels.dtype} {pixels.shape}, not uint8 ({ROWS}, 48, 48)."
        )
    further = {"label": (), "usage": (), "ferplus_majority": (), "ferplus_votes": (10,)}
    for name, values in zip(further, (label, usage, majority, votes), strict=True):
        wanted = (ROWS, *further[name])
        if values.shape != wanted:
            raise DataError(f"{label_file}: {name} has the shape {values.shape}, not {wanted}.")
    for name, values, least, most in (
        ("label", label, 0, 6),
        ("ferplus_majority", majority, -1, 7),
    ):
        if values.min() < least or values.max() > most:
            raise DataError(
                f"{label_file}: {name} goes from {values.min()} to {values.max()}; {least} to "
                f"{most} is what it may. {OBTAIN}."
            )
    for index, (name, count) in enumerate(USAGE_ROWS.items()):
        if int((usage == index).sum()) != count:
            raise DataError(
                f"{label_file} has {int((usage == index).sum())} {name} rows, not {count}."
            )
    votes = votes.astype(np.float32)
    votes[~_as_mask(votes_ok)] = 0
    return FaceData(
        pixels,
        label.astype(np.int64),
        usage,
        votes,
        majority.astype(np.int64),
        _as_mask(dup),
    )


def labels_by_majority(data: FaceData) -> NDArray[np.float64]:
    """What FER2013 calls the training rows of each FER+ majority: shares [8, 7], rows sum to 1."""
    rows = data.rows("Training")
    counts = np.zeros((8, 7))
    voted = rows[data.majority[rows] >= 0]
    np.add.at(counts, (data.majority[voted], data.label[voted]), 1)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _as_mask(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Accept a boolean mask of all rows or a list of row numbers."""
    if values.shape == (ROWS,):
        return values.astype(bool)
    mask = np.zeros(ROWS, bool)
    mask[values.astype(np.intp)] = True
    return mask
