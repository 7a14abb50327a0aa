"""Which clips and which noise are learned from, decide, and are tested on."""

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
from convert.voice.augment import add_noise, plain_view
from convert.voice.data import NOISE_FOLDS, Clip, VoiceData, actors
from convert.voice.mix import Features, plain_features, windows_of
from convert.voice.spectra_cache import Views, load_views, noise_spectra
from edge.perception.spectrogram import FrontEnd, Spectrogram

Part = Literal["train", "validation", "test", "elsewhere"]
"""train; validation: RAVDESS actors that decide; test: RAVDESS actors of the fold held out;
elsewhere: speakers of other corpora who are kept out of training and decide nothing."""
Rows = dict[str, NDArray[np.intp]]
"""Corpus -> indices into `VoiceData.of(corpus)`."""


@dataclass(frozen=True)
class Corpus:
    """Views of some clips of one corpus."""

    name: str
    views: Views
    clips: tuple[Clip, ...]
    rows: NDArray[np.intp]
    """Which clips (and rows of `views`) are meant."""
    front_end: FrontEnd

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Label of each of `rows`."""
        return np.array([self.clips[row].label for row in self.rows], np.int64)

    @cached_property
    def by_label(self) -> list[NDArray[np.intp]]:
        """`rows` of each emotion that occurs."""
        return [self.rows[self.labels == label] for label in np.unique(self.labels)]

    def plain(self) -> Features:
        """Features of the clips as recorded: float32 [rows, bands, frames, 1]."""
        return plain_features(np.asarray(self.views[self.rows, 0]), self.front_end)[..., None]


def split(data: VoiceData, recipe: VoiceRecipe, part: Part) -> Rows:
    """Rows of each corpus in *part*; no speaker is in two parts."""
    test = actors(data, recipe.held_out_actors)
    deciding = actors(data, recipe.validation_actors)
    if test & deciding:
        raise DataError(f"{', '.join(sorted(test & deciding))} would both decide and be tested.")

    def part_of(clip: Clip) -> Part:
        if clip.speaker in test:
            return "test"
        if clip.speaker in deciding:
            return "validation"
        elsewhere = any(fnmatch(clip.speaker, pattern) for pattern in recipe.held_out_speakers)
        return "elsewhere" if elsewhere else "train"

    return {
        corpus: np.flatnonzero([part_of(clip) == part for clip in data.of(corpus)])
        for corpus in recipe.shares
    }


def random_split(data: VoiceData, recipe: VoiceRecipe, part: Part) -> Rows:
    """Of every five clips of an emotion in a corpus one is the test, whoever speaks.

    The same speakers are on both sides: for comparison with others' figures only.
    """
    random = np.random.default_rng([recipe.seed, 80])
    chosen: Rows = {}
    for corpus in recipe.shares:
        labels = np.array([clip.label for clip in data.of(corpus)])
        tested = np.zeros(len(labels), bool)
        for label in np.unique(labels):
            rows = random.permutation(np.flatnonzero(labels == label))
            tested[rows[: round(len(rows) / 5)]] = True
        chosen[corpus] = np.flatnonzero(tested if part == "test" else ~tested)
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


def load_part(data: VoiceData, recipe: VoiceRecipe, part: Part, work: Path) -> list[Corpus]:
    """Views of the clips of one part (see `split`), corpora without any left out."""
    return load_rows(data, recipe, split(data, recipe, part), work)


def noise_folds(recipe: VoiceRecipe, part: Part) -> tuple[int, ...]:
    """Folds of the background of a part: one is tested on, the next decides, the rest is learned."""
    tested = (recipe.fold - 1) % NOISE_FOLDS + 1
    deciding = tested % NOISE_FOLDS + 1
    if part == "train":
        return tuple(sorted(set(range(1, NOISE_FOLDS + 1)) - {tested, deciding}))
    return (deciding,) if part == "validation" else (tested,)


def noise_clips(data: VoiceData, recipe: VoiceRecipe, part: Part) -> list[Features]:
    """Windows of each recording of background: float32 [windows, bands, frames, 1] each.

    A window every half second, as the device cuts them.
    """
    front_end = recipe.front_end
    spectra = noise_spectra(data, front_end, noise_folds(recipe, part))
    return [windows_of(spectrum, front_end)[..., None] for spectrum in spectra]


def noisy_features(
    data: VoiceData, recipe: VoiceRecipe, clips: Iterable[Clip], snr_db: float
) -> Features:
    """Clips over background that was never learned from: float32 [n, bands, frames, 1].

    The sounds themselves are mixed, as they would be in a room; which noise is fixed by the seed.
    """
    chosen = list(clips)
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
