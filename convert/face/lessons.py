"""What teachers say of faces, as a file: what the net on the device learns from beside the labels."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.errors import DataError
from convert.face.extra import NET_PX
from convert.face.targets import FaceTargets
from edge.emotions import EMOTIONS
from edge.perception.face_heads import FERPLUS
from edge.process.written_files import written_whole


@dataclass(frozen=True, eq=False)
class Lessons:
    """What the teachers say.

    training: of every row of FER2013; zero where they are not asked, which are all rows that choose
    or test. pixels: uint8 [n, 48, 48], faces without a label. extra: of those. teachers: how many.
    """

    training: FaceTargets
    pixels: NDArray[np.uint8]
    extra: FaceTargets
    teachers: int = 1

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, by which a training knows them again."""
        parts = (self.training, self.extra)
        arrays = [self.pixels, *(each for part in parts for each in (part.fer2013, part.ferplus))]
        known = hashlib.sha256()
        for array in arrays:
            known.update(np.ascontiguousarray(array).tobytes())
        return known.hexdigest()

    def beside(self, labeled: FaceTargets, rows: NDArray[np.intp], share: float) -> FaceTargets:
        """Targets of *rows*, *share* of them from the teachers; those of the other faces follow.

        Raises:
            DataError: the teachers were not asked about one of the rows.
        """
        own = self.training.of(rows)
        if not (own.fer2013.sum(axis=1) > 0).all():
            raise DataError(
                "The teachers were not asked about all rows that are trained on: make their lessons of "
                "the same data, with python -m convert face-teachers."
            )
        mixed = labeled.distilled(own, share)
        return FaceTargets(
            np.concatenate([mixed.fer2013, self.extra.fer2013]),
            np.concatenate([mixed.ferplus, self.extra.ferplus]),
        )


def save_lessons(lessons: Lessons, file: Path) -> None:
    """Write them to *file* (.npz), whole or not at all."""
    with written_whole(file) as stream:
        np.savez_compressed(
            stream,
            fer2013=lessons.training.fer2013,
            ferplus=lessons.training.ferplus,
            pixels=lessons.pixels,
            extra_fer2013=lessons.extra.fer2013,
            extra_ferplus=lessons.extra.ferplus,
            teachers=lessons.teachers,
        )


def load_lessons(file: Path, rows: int) -> Lessons:
    """Read what `save_lessons` wrote for data of so many *rows*.

    Raises:
        DataError: it is missing, damaged, or of other data.
    """
    again = "make it with: python -m convert face-teachers"
    try:
        with np.load(file, allow_pickle=False) as stored:
            lessons = Lessons(
                FaceTargets(stored["fer2013"], stored["ferplus"]),
                stored["pixels"],
                FaceTargets(stored["extra_fer2013"], stored["extra_ferplus"]),
                int(stored["teachers"]) if "teachers" in stored else 1,
            )
    except FileNotFoundError as error:
        raise DataError(f"{file} is not there; {again}.") from error
    except Exception as error:  # reading something else as an archive may end with any
        raise DataError(f"{file} holds no lessons of teachers; {again}.") from error
    extra = len(lessons.pixels) if lessons.pixels.ndim else 0
    for said, count in ((lessons.training, rows), (lessons.extra, extra)):
        for each, emotions in ((said.fer2013, EMOTIONS), (said.ferplus, FERPLUS)):
            if each.shape != (count, len(emotions)) or each.dtype != np.float32:
                raise DataError(
                    f"{file} is of other data (it has {each.dtype} {list(each.shape)}, not float32 "
                    f"{[count, len(emotions)]}); {again}."
                )
            if not np.isfinite(each).all():
                raise DataError(f"{file} holds what is no number; {again}.")
    if lessons.pixels.shape != (extra, NET_PX, NET_PX) or lessons.pixels.dtype != np.uint8:
        raise DataError(f"{file} holds faces that are not of {NET_PX}x{NET_PX} pixels; {again}.")
    return lessons
