"""Which recordings and which noise are the training, the validation and the test set."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from convert.errors import DataError
from convert.training.recipe import VoiceRecipe
from convert.voice.augment import add_noise
from convert.voice.data import NOISE_FOLDS, Recording, VoiceData, actors
from convert.voice.mix import Features, plain_features, windows_of
from convert.voice.spectra_cache import Views, load_views, noise_spectra
from convert.voice.window import plain_view
from edge.perception.spectrogram import FrontEnd, Spectrogram

Split = Literal["train", "validation", "test", "elsewhere"]
"""train; validation: RAVDESS actors; test: RAVDESS actors of the fold held out; elsewhere: unseen
speakers of other corpora, on whom nothing is decided."""
Rows = dict[str, NDArray[np.intp]]
"""Corpus -> indices into `VoiceData.of(corpus)`."""


@dataclass(frozen=True)
class Corpus:
    """Views of some recordings of one corpus."""

    name: str
    views: Views
    recordings: tuple[Recording, ...]
    rows: NDArray[np.intp]
    """Which recordings (and rows of `views`) are meant."""
    front_end: FrontEnd

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Label of each of `rows`."""
        return np.array([self.recordings[row].label for row in self.rows], np.int64)

    @cached_property
    def by_label(self) -> list[NDArray[np.intp]]:
        """`rows` of each emotion that occurs."""
        return [self.rows[self.labels == label] for label in np.unique(self.labels)]

    def plain(self) -> Features:
        """Their features as recorded: float32 [rows, bands, frames, 1]."""
        return plain_features(np.asarray(self.views[self.rows, 0]), self.front_end)[..., None]


def rows_of(data: VoiceData, recipe: VoiceRecipe, split: Split) -> Rows:
    """Rows of each corpus in *split*; no speaker is in two splits."""
    test = actors(data, recipe.held_out_actors)
    validation = actors(data, recipe.validation_actors)
    if test & validation:
        raise DataError(
            f"{', '.join(sorted(test & validation))} would be in both validation and test."
        )

    def split_of(recording: Recording) -> Split:
        if recording.speaker in test:
            return "test"
        if recording.speaker in validation:
            return "validation"
        elsewhere = any(fnmatch(recording.speaker, pattern) for pattern in recipe.held_out_speakers)
        return "elsewhere" if elsewhere else "train"

    return {
        corpus: np.flatnonzero([split_of(recording) == split for recording in data.of(corpus)])
        for corpus in recipe.shares
    }


def random_rows(data: VoiceData, recipe: VoiceRecipe, split: Split) -> Rows:
    """Of every five recordings of an emotion in a corpus one is the test, whoever speaks.

    The same speakers are on both sides: for comparison with others' figures only.
    """
    random = np.random.default_rng([recipe.seed, 80])
    chosen: Rows = {}
    for corpus in recipe.shares:
        labels = np.array([recording.label for recording in data.of(corpus)])
        tested = np.zeros(len(labels), bool)
        for label in np.unique(labels):
            rows = random.permutation(np.flatnonzero(labels == label))
            tested[rows[: round(len(rows) / 5)]] = True
        chosen[corpus] = np.flatnonzero(tested if split == "test" else ~tested)
    return chosen


def load_rows(data: VoiceData, recipe: VoiceRecipe, rows: Rows, work: Path) -> list[Corpus]:
    """Views of those rows, corpora without any left out; the views are kept in *work*/views."""
    front_end, seed = recipe.front_end, recipe.seed
    return [
        Corpus(
            name,
            load_views(data, name, front_end, recipe.views[name], seed, work / "views"),
            data.of(name),
            chosen,
            front_end,
        )
        for name, chosen in rows.items()
        if len(chosen)
    ]


def load_split(data: VoiceData, recipe: VoiceRecipe, split: Split, work: Path) -> list[Corpus]:
    """Views of the recordings of one split (see `rows_of`), corpora without any left out."""
    return load_rows(data, recipe, rows_of(data, recipe, split), work)


def noise_folds(recipe: VoiceRecipe, split: Split) -> tuple[int, ...]:
    """Folds of the background of a split: one is the test, the next validation, the rest training."""
    tested = (recipe.fold - 1) % NOISE_FOLDS + 1
    validation = tested % NOISE_FOLDS + 1
    if split == "train":
        return tuple(sorted(set(range(1, NOISE_FOLDS + 1)) - {tested, validation}))
    return (validation,) if split == "validation" else (tested,)


def noise_windows(data: VoiceData, recipe: VoiceRecipe, split: Split) -> list[Features]:
    """Windows of each recording of background: float32 [windows, bands, frames, 1] each.

    A window every half second, as the device cuts them.
    """
    front_end = recipe.front_end
    spectra = noise_spectra(data, front_end, noise_folds(recipe, split))
    return [windows_of(spectrum, front_end)[..., None] for spectrum in spectra]


def noisy_features(
    data: VoiceData, recipe: VoiceRecipe, recordings: Iterable[Recording], snr_db: float
) -> Features:
    """Recordings over held-out background: float32 [n, bands, frames, 1].

    The sounds themselves are mixed, as they would be in a room; which noise is fixed by the seed.
    """
    chosen = list(recordings)
    length = recipe.front_end.window_samples
    spectrogram, random = Spectrogram(recipe.front_end), np.random.default_rng([recipe.seed, 5])
    noises = data.noise_sounds(noise_folds(recipe, "test"))
    windows = []
    for sound in data.sounds(chosen):
        noise = noises[int(random.integers(len(noises)))]
        stretch = np.resize(np.roll(noise, -int(random.integers(len(noise)))), length)
        mixed = add_noise(plain_view(sound, length), stretch, snr_db)
        windows.append(spectrogram.features(mixed).T)
    return np.stack(windows)[..., None]
