"""Made-up corpora for the tests of the voice training."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.training.recipe import VoiceRecipe
from convert.voice.data import Noise, Recording, VoiceData
from convert.voice.spectra_cache import MARGIN_FRAMES
from edge.perception.spectrogram import FrontEnd

FRONT_END = FrontEnd(window_samples=16_000, bands=32)
RECIPE = VoiceRecipe(
    epochs=2,
    falling_epochs=1,
    common_epochs=1,
    batch=16,
    clips_per_epoch=32,
    average_decay=0.5,
    widths=(4, 4, 6, 8),
    folds=((1,), (2,), (3,)),
    deciding_actors=1,
    held_out_speakers=("nemo_B",),
    shares={"ravdess": 0.5, "nemo": 0.5},
    views={"ravdess": 1, "nemo": 1, "tess": 1},
    front_end=FRONT_END,
)


def recordings_of(corpus: str, speakers: list[str], labels: range) -> list[Recording]:
    """Two takes of each label by each speaker."""
    return [
        Recording(corpus, f"{speaker}_{label}_{take}", speaker, label)
        for speaker in speakers
        for label in labels
        for take in range(2)
    ]


class SpokenData(VoiceData):
    """A tone a label, and noise."""

    def sounds(self, recordings: Sequence[Recording]) -> list[NDArray[np.float32]]:
        """The tone of each clip's label."""
        time_s = np.arange(20_000) / 16_000
        tones = [
            np.sin(2 * np.pi * 200 * (recording.label + 1) * time_s) for recording in recordings
        ]
        return [(0.3 * tone).astype(np.float32) for tone in tones]

    def noise_sounds(self, folds: Sequence[int]) -> list[NDArray[np.float32]]:
        """Hiss; another one for each recording."""
        chosen = [noise for noise in self.noises if noise.fold in folds]
        seeds = [self.noises.index(noise) for noise in chosen]
        hiss = [np.random.default_rng(seed).standard_normal(20_000) for seed in seeds]
        return [(0.01 * each).astype(np.float32) for each in hiss]


DATA = SpokenData(
    Path("nowhere"),
    (
        *recordings_of("ravdess", ["ravdess_01", "ravdess_02", "ravdess_03"], range(7)),
        *recordings_of("nemo", ["nemo_A", "nemo_B"], range(6)),
        *recordings_of("tess", ["tess_A"], range(7)),
    ),
    tuple(Noise("noise", f"{fold}", fold) for fold in range(1, 6)),
)


def made_up_views(corpus: str) -> NDArray[np.float16]:
    """One band of each clip is loud: its label's."""
    recordings = DATA.of(corpus)
    frames = FRONT_END.frames + 2 * MARGIN_FRAMES
    views = np.full((len(recordings), 2, FRONT_END.bands, frames), -80, np.float16)
    for row, recording in enumerate(recordings):
        views[row, :, 4 * recording.label : 4 * recording.label + 3] = -20
    return views
