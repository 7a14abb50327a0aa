from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from convert.errors import ConversionError, DataError
from convert.quantize.samples import load_samples, rows_in, spread
from edge.perception.spectrogram import FrontEnd

GRAY = (1, 4, 6, 1)


def save(file: Path, values: object, kind: str = "float32") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, np.asarray(values, kind))


@given(st.integers(0, 3000), st.integers(1, 600))
def test_takes_samples_evenly_and_never_twice(count: int, limit: int) -> None:
    taken = spread(count, limit)
    assert len(taken) == min(count, limit) == len(set(taken))
    assert taken == sorted(taken) and all(0 <= index < count for index in taken)
    gaps = np.diff([*taken, count])
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


def test_turns_a_photograph_upright(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 255]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image.save(tmp_path / "a.png", exif=exif)
    samples = load_samples(tmp_path, (1, 1, 2, 1), None, 5)
    assert samples.values[0].ravel().tolist() == [1, -1]


def test_keeps_what_is_bright_in_images_of_16_bits(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 51 * 257, 65_535]], np.uint16)).save(tmp_path / "a.png")
    taken = load_samples(tmp_path, (1, 1, 3, 1), (0.0, 255.0), 5).values[0]
    assert taken.ravel().tolist() == [0, 51, 255]


def test_refuses_images_whose_values_could_mean_anything(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0.0, 1.0]], np.float32)).save(tmp_path / "a.tif")
    Image.fromarray(np.array([[0, 70_000]], np.int32)).save(tmp_path / "b.tif")
    with pytest.raises(DataError, match=r"2 files.*neither of 8 nor of 16 bits"):
        load_samples(tmp_path, (1, 1, 2, 1), None, 5)


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((4, 6, 1), 1), ((1, 4, 6, 1), 1), ((9, 4, 6, 1), 9), ((4, 6), None), ((), None)],
)
def test_tells_a_sample_from_a_batch(shape: tuple[int, ...], rows: int | None) -> None:
    assert rows_in(shape, GRAY) == rows


def test_reads_every_class_folder_when_there_are_too_many(tmp_path: Path) -> None:
    for value, name in enumerate(("angry", "happy", "sad")):
        save(tmp_path / name / "all.npy", np.full((10, 4, 6, 1), value))
    values = load_samples(tmp_path, GRAY, None, 6).values
    assert [int(sample[0, 0, 0, 0]) for sample in values] == [0, 0, 1, 1, 2, 2]


def test_covers_what_arrays_span_unless_told_a_range(tmp_path: Path) -> None:
    save(tmp_path / "a.npy", np.linspace(-3, 5, 24).reshape(GRAY))
    free = load_samples(tmp_path, GRAY, None, 5)
    assert (free.low, free.high, free.outside) == (-3, 5, 0)
    told = load_samples(tmp_path, GRAY, (-1.0, 1.0), 5)
    assert (told.low, told.high) == (-1, 1)
    assert told.values[0].min() == -1 and told.values[0].max() == 1
    assert told.outside == pytest.approx(18 / 24)


def test_names_files_of_no_use_and_goes_on(tmp_path: Path) -> None:
    save(tmp_path / "good.npy", np.arange(24).reshape(GRAY))
    save(tmp_path / "nan.npy", np.full(GRAY, np.nan))
    save(tmp_path / "wrong.npy", np.zeros((4, 7, 1)))
    save(tmp_path / "empty.npy", np.zeros((0, 4, 6, 1)))
    save(tmp_path / "words.npy", ["a"], "U1")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "torn.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "sub" / "torn.png").write_bytes(b"\x89PNG")
    (tmp_path / "notes.txt").write_text("not a sample, not counted")
    samples = load_samples(tmp_path, GRAY, None, 50)
    assert len(samples.values) == 1
    reasons = {skipped.file: skipped.reason for skipped in samples.skipped}
    arrays = {f"{name}.npy" for name in ("nan", "wrong", "empty", "words", "sub/torn")}
    assert set(reasons) == arrays | {"sub/torn.png"}
    assert "[4, 7, 1], the model needs [1, 4, 6, 1]" in reasons["wrong.npy"]
    assert "NaN" in reasons["nan.npy"]


@pytest.mark.parametrize(
    ("input_range", "limit", "words"),
    [((1.0, -1.0), 5, "no range"), ((0.0, float("nan")), 5, "no range"), (None, 0, "--limit 0")],
)
def test_refuses_senseless_options(
    tmp_path: Path, input_range: tuple[float, float] | None, limit: int, words: str
) -> None:
    with pytest.raises(ConversionError, match=words):
        load_samples(tmp_path, GRAY, input_range, limit)


def test_says_which_shape_is_needed_when_nothing_fits(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        load_samples(tmp_path / "none", GRAY, None, 5)
    with pytest.raises(DataError, match=r"no samples; .*\[1, 4, 6, 1\]"):
        load_samples(tmp_path, GRAY, None, 5)
    (tmp_path / "IMG_1.HEIC").touch()
    with pytest.raises(DataError, match=r"no samples \(only \.heic\); .*as \.png or \.jpg"):
        load_samples(tmp_path, GRAY, None, 5)
    save(tmp_path / "a.npy", np.zeros((3, 3)))
    with pytest.raises(DataError, match=r"None of the 1 files.*needs \[1, 4, 6, 1\]"):
        load_samples(tmp_path, GRAY, None, 5)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(GRAY), "same value 0 everywhere"),
        (np.array([{"a": 1}], object), r"no \.npy array that can be read"),  # never unpickled
    ],
)
def test_refuses_samples_of_one_value_and_pickles(
    array: NDArray[Any], words: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(DataError, match=words):
        load_samples(tmp_path, GRAY, None, 5)


def test_refuses_images_and_sounds_that_the_model_cannot_take(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match="an image does not fit"):
        load_samples(tmp_path, (1, 128), None, 5)
    samples = load_samples(tmp_path, GRAY, None, 5)
    assert "a voice net of input [1, 64, 149, 1] alone" in samples.skipped[0].reason


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_makes_the_front_ends_features_of_a_sound(tmp_path: Path, suffix: str) -> None:
    soundfile = pytest.importorskip("soundfile")
    front_end = FrontEnd()
    t_s = np.arange(2 * 8_000) / 8_000
    soundfile.write(tmp_path / f"tone.{suffix}", 0.3 * np.sin(2 * np.pi * 440 * t_s), 8_000)
    samples = load_samples(tmp_path, (1, front_end.bands, front_end.frames, 1), None, 5)
    image = samples.values[0][0, :, :, 0]
    assert (samples.low, samples.high) == (front_end.low, front_end.high)
    # Two seconds lie in the middle of three, in the band around 440 Hz.
    assert image[:, 75].argmax() == image.mean(axis=1).argmax() < front_end.bands // 3
    assert image[:, 5].max() < image[:, 75].max()


def test_takes_no_silence_out_of_an_empty_sound(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    front_end = FrontEnd()
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 8_000)
    with pytest.raises(DataError, match="a sound of no length"):
        load_samples(tmp_path, (1, front_end.bands, front_end.frames, 1), None, 5)
