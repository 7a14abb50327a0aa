from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")

from convert.errors import DataError
from convert.voice import spectra_cache
from convert.voice.data import Noise, Recording, VoiceData
from convert.voice.mix import plain_features
from convert.voice.spectra_cache import MARGIN_FRAMES, load_views, made_spectra, noise_spectra
from convert.voice.window import plain_view
from edge.perception.spectrogram import FrontEnd, Spectrogram

FRONT_END = FrontEnd(window_samples=8_000, bands=16)
FRAMES = FRONT_END.frames + 2 * MARGIN_FRAMES


def sound_of(recording: Recording) -> NDArray[np.float32]:
    random = np.random.default_rng(int(recording.file))
    return (random.standard_normal(30_000) * 0.1).astype(np.float32)


class SpokenData(VoiceData):
    """Made-up sound, and a count of how often it was asked for."""

    asked = 0

    def sounds(self, recordings: Sequence[Recording]) -> list[NDArray[np.float32]]:
        SpokenData.asked += len(recordings)
        return [sound_of(recording) for recording in recordings]

    def noise_sounds(self, folds: Sequence[int]) -> list[NDArray[np.float32]]:
        chosen = [noise for noise in self.noises if noise.fold in folds]
        return [np.full(3_000, noise.fold / 10, np.float32) for noise in chosen]


def data(count: int = 5) -> SpokenData:
    recordings = tuple(
        Recording("nemo", str(number), "nemo_A", number % 3) for number in range(count)
    )
    return SpokenData(Path("nowhere"), recordings, (Noise("n", "a", 1), Noise("n", "b", 2)))


def views(folder: Path, count: int = 2, seed: int = 1, recordings: int = 5) -> spectra_cache.Views:
    return load_views(data(recordings), "nemo", FRONT_END, count, seed, folder, workers=0)


def test_first_view_is_the_plain_recording_as_the_device_sees_it(tmp_path: Path) -> None:
    made = views(tmp_path)
    assert made.shape == (5, 3, FRONT_END.bands, FRAMES)
    features = plain_features(np.asarray(made[:, 0]), FRONT_END)
    for row, recording in zip(features, data().recordings, strict=True):
        window = plain_view(sound_of(recording), FRONT_END.window_samples)
        expected = Spectrogram(FRONT_END).features(window).T
        assert np.abs(row - expected).max() < 0.03, "more than a step of int8"


def test_random_views_differ_from_the_plain_one_and_each_other(tmp_path: Path) -> None:
    for plain, first, second in views(tmp_path).astype(float):
        assert np.abs(plain - first).mean() > 1
        assert np.abs(first - second).mean() > 1


def test_views_are_computed_once_and_then_kept(tmp_path: Path) -> None:
    first = np.array(views(tmp_path))
    before = SpokenData.asked
    np.testing.assert_array_equal(views(tmp_path), first)
    assert SpokenData.asked == before
    views(tmp_path, seed=2)
    assert SpokenData.asked > before, "views of another seed were taken for these"


def test_an_interrupted_run_leaves_nothing_that_looks_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(spectra_cache, "_views_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        views(tmp_path)
    assert not list(tmp_path.glob("*.npy"))
    monkeypatch.undo()
    assert np.isfinite(views(tmp_path)).all()


def test_kept_views_that_were_cut_short_are_named(tmp_path: Path) -> None:
    views(tmp_path)
    (kept,) = tmp_path.glob("*.npy")
    kept.write_bytes(kept.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"\.npy is damaged .*; delete it"):
        views(tmp_path)


def test_a_worker_that_is_ended_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = MagicMock()
    pool.return_value.__enter__.return_value.map.side_effect = BrokenProcessPool
    monkeypatch.setattr(spectra_cache, "ProcessPoolExecutor", pool)
    with pytest.raises(DataError, match=r"want of memory.*run the same command again"):
        load_views(data(), "nemo", FRONT_END, 2, 1, tmp_path, workers=1)


def test_a_recordings_views_do_not_depend_on_its_neighbors(tmp_path: Path) -> None:
    few, many = views(tmp_path, recordings=3), views(tmp_path, recordings=5)
    np.testing.assert_array_equal(few, many[:3])


def test_digital_silence_has_finite_decibels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_: SpokenData, recordings: Sequence[Recording]) -> list[NDArray[np.float32]]:
        return [np.zeros(4_000, np.float32) for _ in recordings]

    monkeypatch.setattr(SpokenData, "sounds", silent)
    assert np.isfinite(views(tmp_path)).all()


def test_noise_of_other_folds_is_not_among_the_spectra() -> None:
    both = noise_spectra(data(), FRONT_END, (1, 2))
    (second,) = noise_spectra(data(), FRONT_END, (2,))
    np.testing.assert_array_equal(both[1], second)
    assert second.shape[0] == FRONT_END.bands
    assert second.shape[1] >= FRONT_END.frames, "too short for a window"


def test_made_spectra_last_at_least_a_window_and_repeat_with_their_seed() -> None:
    long = replace(FRONT_END, window_samples=16_000)
    first, again, other = (made_spectra(long, seed, 2) for seed in (1, 1, 2))
    assert all(each.shape[1] >= long.frames for each in first)
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
