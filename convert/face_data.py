"""FER2013 pixels with FER+ votes: loading, checking, training targets."""

import lzma
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.problems import DataError
from edge.emotions import EMOTIONS

ROWS = 35_887
USAGE_ROWS = {"Training": 28_709, "PublicTest": 3_589, "PrivateTest": 3_589}
OBTAIN = (
    "FER2013 comes from its 2013 challenge page (fer2013.csv), the FER+ votes from the FER+ project "
    "(fer2013new.csv); pack them as models_tflite/FACE_CARD.md describes"
)

# FER+ vote columns: neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF.
# Contempt has no place among the seven; its few votes go to disgust, its nearest relative in appearance.
_FERPLUS_TO_SEVEN = {
    0: "neutral",
    1: "happy",
    2: "surprise",
    3: "sad",
    4: "angry",
    5: "disgust",
    6: "fear",
    7: "disgust",
}


@dataclass(frozen=True)
class FaceData:
    """All rows in the official order.

    pixels: uint8 [35887, 48, 48], grey. label: int64 [35887], 0-6 in FER2013 order.
    usage: uint8 [35887], index into `USAGE_ROWS`. votes: float32 [35887, 7], FER+ votes as a
    distribution over the seven emotions (all zero where a row has none).
    not_face: bool [35887], most FER+ voters saw no face. dup_in_train: bool [35887], a test row
    whose pixels also are a training row.
    """

    pixels: NDArray[np.uint8]
    label: NDArray[np.int64]
    usage: NDArray[np.uint8]
    votes: NDArray[np.float32]
    not_face: NDArray[np.bool_]
    dup_in_train: NDArray[np.bool_]

    def rows(self, split: str) -> NDArray[np.intp]:
        """Row numbers of a split: Training, PublicTest or PrivateTest."""
        return np.flatnonzero(self.usage == list(USAGE_ROWS).index(split))


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
        label, usage, raw = labels["label"], labels["usage"], labels["ferplus_votes"]
        votes_ok, dup = labels["ferplus_ok"], labels["dup_in_train"]
    except (OSError, ValueError, KeyError, lzma.LZMAError, EOFError) as error:
        raise DataError(
            f"{folder} does not hold FER2013 as expected ({error}). {OBTAIN}."
        ) from error
    if pixels.shape != (ROWS, 48, 48) or pixels.dtype != np.uint8:
        raise DataError(
            f"{pixel_file} holds {pixels.dtype} {pixels.shape}, not uint8 ({ROWS}, 48, 48)."
        )
    for index, (name, count) in enumerate(USAGE_ROWS.items()):
        if int((usage == index).sum()) != count:
            raise DataError(
                f"{label_file} has {int((usage == index).sum())} {name} rows, not {count}."
            )
    votes = np.zeros((ROWS, len(EMOTIONS)), np.float32)
    for column, emotion in _FERPLUS_TO_SEVEN.items():
        votes[:, EMOTIONS.index(emotion)] += raw[:, column]
    votes[~_as_mask(votes_ok)] = 0
    total = votes.sum(axis=1, keepdims=True)
    votes /= np.maximum(total, 1)
    not_face = (raw[:, 9] > 5) & _as_mask(votes_ok)
    return FaceData(pixels, label.astype(np.int64), usage, votes, not_face, _as_mask(dup))


def soft_targets(data: FaceData, ferplus_share: float) -> NDArray[np.float32]:
    """Mix each row's FER2013 label with its FER+ votes: float32 [rows, 7], rows sum to 1.

    ferplus_share: 0 = labels alone, 1 = votes alone. Rows without votes keep their label.
    """
    one_hot = np.eye(len(EMOTIONS), dtype=np.float32)[data.label]
    share = ferplus_share * (data.votes.sum(axis=1, keepdims=True) > 0)
    mixed: NDArray[np.float32] = ((1 - share) * one_hot + share * data.votes).astype(np.float32)
    return mixed


def _as_mask(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Accept a boolean mask of all rows or a list of row numbers."""
    if values.shape == (ROWS,):
        return values.astype(bool)
    mask = np.zeros(ROWS, bool)
    mask[values.astype(np.intp)] = True
    return mask
