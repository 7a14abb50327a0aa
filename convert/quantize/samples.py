"""A folder of real inputs -> arrays that a model takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convert.errors import ConversionError, DataError
from convert.quantize.image_input import (
    IMAGES,
    Shape,
    UnknownRangeError,
    fit_image,
    image_layout,
)
from convert.voice.window import plain_view
from edge.perception.spectrogram import FrontEnd, Spectrogram

ARRAYS: Final = frozenset({".npy"})
SOUNDS: Final = frozenset({".wav", ".flac", ".ogg", ".opus"})
IMAGE_RANGE: Final = (-1.0, 1.0)
"""What black and white become unless the caller says otherwise."""

Sample = NDArray[np.float32]


@dataclass(frozen=True)
class Skipped:
    """A file that was of no use."""

    file: str
    reason: str


@dataclass(frozen=True, eq=False)
class Samples:
    """Real inputs of a model."""

    values: list[Sample]
    """Each of the model's input shape."""
    low: float
    """Least value that the input shall stand for ..."""
    high: float
    """... and greatest."""
    skipped: tuple[Skipped, ...]
    outside: float
    """Share of all values that lay outside `low` .. `high` and were clipped."""


class _UselessError(Exception):
    """A file cannot serve as a sample; the message says why."""


def load_samples(
    folder: Path, shape: Shape, input_range: tuple[float, float] | None, limit: int
) -> Samples:
    """Read up to *limit* samples, taken evenly from all that lie in *folder* and below.

    Args:
        folder: with .npy arrays, images, or sounds for a voice net.
        shape: of the model's input, batch of 1 included.
        input_range: the values of black and white, and the ends of the int8 input; None = -1 to 1
            for images, the front end's for sounds, what the values span for arrays.
        limit: most samples to take.

    Raises:
        ConversionError: the range or the limit makes no sense.
        DataError: there is no folder, or no file in it is of use.
    """
    if limit < 1:
        raise ConversionError(f"--limit {limit} leaves no sample; take 100 or more.")
    if input_range is not None and not _is_range(input_range):
        low, high = input_range
        raise ConversionError(
            f"--input-range {low:g} {high:g} is no range; give the lower end first, as in -1 1."
        )
    if not folder.is_dir():
        raise DataError(f"The samples folder {folder} is not there; give a folder of real inputs.")
    reader = _Reader(shape, input_range or IMAGE_RANGE)
    known = IMAGES | ARRAYS | SOUNDS
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f.suffix.lower() in known)
    if not files:
        others = sorted({f.suffix.lower() or f.name for f in folder.rglob("*") if f.is_file()})
        found = f" (only {', '.join(others[:5])})" if others else ""
        raise DataError(
            f"{folder} holds no samples{found}; put .npy arrays, images as .png or .jpg, or (for "
            f"a voice net) .wav or .flac sounds there, each to fit the model's input {list(shape)}."
        )
    values, skipped = [], []
    places, unread = _places(folder, files, reader)
    skipped += unread
    for index in spread(len(places), limit):
        file, row = places[index]
        try:
            values.append(reader.read(file, row))
        except _UselessError as reason:
            skipped.append(Skipped(file.relative_to(folder).as_posix(), str(reason)))
    if not values:
        first = skipped[0]
        raise DataError(
            f"None of the {len(files)} files in {folder} is of use; {first.file}, for one: "
            f"{first.reason}."
        )
    low, high = input_range or _span(values, reader)
    outside = float(np.mean([np.mean((value < low) | (value > high)) for value in values]))
    clipped = [np.clip(value, np.float32(low), np.float32(high)) for value in values]
    return Samples(clipped, low, high, tuple(skipped), outside)


def rows_in(array_shape: Shape, shape: Shape) -> int | None:
    """How many samples an array holds: 1, or those of a batch; None if it does not fit."""
    if array_shape in (shape, shape[1:]):
        return 1
    return array_shape[0] if array_shape[1:] == shape[1:] and len(array_shape) > 0 else None


def spread(count: int, limit: int) -> list[int]:
    """Up to *limit* of the numbers 0 .. count - 1, evenly apart, so that no folder is left out."""
    if count <= limit:
        return list(range(count))
    return [index * count // limit for index in range(limit)]


class _Reader:
    """Reads one sample at a time."""

    def __init__(self, shape: Shape, image_range: tuple[float, float]) -> None:
        self.shape = shape
        self.low, self.high = image_range
        self.spectrogram = Spectrogram(FrontEnd())
        self.kinds: set[str] = set()

    def read(self, file: Path, row: int) -> Sample:
        """One sample of the model's shape, finite."""
        suffix = file.suffix.lower()
        if suffix in ARRAYS:
            sample, kind = self._array(file, row), "array"
        elif suffix in IMAGES:
            sample, kind = self._image(file), "image"
        else:
            sample, kind = self._sound(file), "sound"
        if not np.isfinite(sample).all():
            raise _UselessError("it holds values that are no number (NaN or infinite)")
        self.kinds.add(kind)
        return sample

    def rows(self, file: Path) -> int:
        """How many samples *file* holds."""
        if file.suffix.lower() not in ARRAYS:
            return 1
        array = _load_array(file)
        if not (np.issubdtype(array.dtype, np.number) and np.isrealobj(array)):
            raise _UselessError(f"it holds {array.dtype}, not numbers")
        count = rows_in(array.shape, self.shape)
        if count is None:
            raise _UselessError(
                f"its shape is {list(array.shape)}, the model needs {list(self.shape)} "
                "(or a batch of such samples)"
            )
        if count == 0:
            raise _UselessError("it is a batch of no samples")
        return count

    def _array(self, file: Path, row: int) -> Sample:
        array = _load_array(file)
        part = array if array.shape in (self.shape, self.shape[1:]) else array[row]
        return np.asarray(part, np.float32).reshape(self.shape)

    def _image(self, file: Path) -> Sample:
        if image_layout(self.shape) is None:
            raise _UselessError(
                f"an image does not fit the model's input {list(self.shape)}; give .npy arrays"
            )
        try:
            with Image.open(file) as image:
                return fit_image(image, self.shape, self.low, self.high)
        except UnknownRangeError as error:
            raise _UselessError(str(error)) from error
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise _UselessError("it is no image that can be read") from error

    def _sound(self, file: Path) -> Sample:
        front_end = self.spectrogram.front_end
        wanted = (1, front_end.bands, front_end.frames, 1)
        if self.shape != wanted:
            raise _UselessError(
                f"sounds serve a voice net of input {list(wanted)} alone, this model takes "
                f"{list(self.shape)}; give .npy arrays of its features"
            )
        import soundfile
        import soxr

        try:
            sound, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
        except (OSError, RuntimeError) as error:
            raise _UselessError("it is no sound that can be read") from error
        if len(sound) == 0:
            raise _UselessError("it is a sound of no length")
        mono = np.ascontiguousarray(sound.mean(axis=1), np.float32)
        if rate_hz != front_end.rate_hz:
            mono = soxr.resample(mono, rate_hz, front_end.rate_hz)
        window = plain_view(mono, front_end.window_samples)
        return self.spectrogram.features(window).T.reshape(self.shape).astype(np.float32)


def _places(
    folder: Path, files: Sequence[Path], reader: _Reader
) -> tuple[list[tuple[Path, int]], list[Skipped]]:
    """Every sample as (file, row), and the files that hold none."""
    places: list[tuple[Path, int]] = []
    skipped: list[Skipped] = []
    for file in files:
        try:
            places += [(file, row) for row in range(reader.rows(file))]
        except _UselessError as reason:
            skipped.append(Skipped(file.relative_to(folder).as_posix(), str(reason)))
    return places, skipped


def _load_array(file: Path) -> NDArray[Any]:
    try:
        # The header alone is read until a row is asked for.
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _UselessError("it is no .npy array that can be read") from error
    return np.asarray(array) if array.ndim == 0 else array


def _span(values: Sequence[Sample], reader: _Reader) -> tuple[float, float]:
    """What the input shall stand for when nobody said so."""
    ends: list[float] = []
    if "array" in reader.kinds:
        ends += [min(float(v.min()) for v in values), max(float(v.max()) for v in values)]
    if "image" in reader.kinds:
        ends += IMAGE_RANGE
    if "sound" in reader.kinds:
        front_end = reader.spectrogram.front_end
        ends += [front_end.low, front_end.high]
    low, high = min(ends), max(ends)
    if low == high:
        raise DataError(
            f"All samples hold the same value {low:g} everywhere; int8 ranges need real inputs."
        )
    return low, high


def _is_range(ends: tuple[float, float]) -> bool:
    return bool(np.isfinite(ends).all()) and ends[0] < ends[1]
