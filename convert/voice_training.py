"""Trains the voice net on acted speech, split by speaker."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convert.metrics import score
from convert.problems import DataError
from convert.recipe import VoiceRecipe
from convert.training import Schedule, train
from convert.voice_data import Clip, VoiceData, actors
from convert.voice_net import VoiceNet
from convert.voice_views import Views, load_views, noise_features
from edge.emotions import EMOTIONS

_SILENCE_WINDOWS = 1_000
_MASK_BANDS, _MASK_FRAMES = 10, 24
"""Widest stripe that SpecAugment (Park et al. 2019) blanks."""


@dataclass(frozen=True)
class Corpus:
    """Views of some clips of one corpus."""

    name: str
    views: Views
    clips: tuple[Clip, ...]
    rows: NDArray[np.intp]
    """Which clips (and rows of `views`) are meant."""

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Label of each of `rows`."""
        return np.array([self.clips[row].label for row in self.rows], np.int64)

    @cached_property
    def by_label(self) -> list[NDArray[np.intp]]:
        """`rows` of each emotion that occurs."""
        return [self.rows[self.labels == label] for label in np.unique(self.labels)]

    def plain(self) -> NDArray[np.float32]:
        """Features of the clips as recorded: float32 [rows, bands, frames, 1]."""
        return self.views[self.rows, 0].astype(np.float32)[..., None]


def build_voice_net(recipe: VoiceRecipe) -> VoiceNet:
    """The untrained net of a recipe."""
    bands = recipe.front_end.bands
    return VoiceNet(recipe.widths, recipe.blocks, recipe.dropout, len(EMOTIONS), bands)


def load_trained(recipe: VoiceRecipe, checkpoint: Path) -> nn.Module:
    """The averaged net that `train_voice` left in *checkpoint*, in evaluation mode.

    Raises:
        DataError: the file is missing or of a net of another shape.
    """
    average = torch.optim.swa_utils.AveragedModel(build_voice_net(recipe), use_buffers=True)
    try:
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")
        average.load_state_dict(state["average"])
    except (OSError, KeyError, RuntimeError) as error:
        raise DataError(
            f"{checkpoint} holds no voice net of this recipe: train it anew."
        ) from error
    return average.module.eval()


def split(data: VoiceData, recipe: VoiceRecipe, part: str) -> dict[str, NDArray[np.intp]]:
    """Rows of each corpus (indices into `data.of(corpus)`) in *part*.

    part: "train"; "validation" (actors and speakers that decisions were taken on, or that were
    kept out to see what carries over); "test" (the held-out RAVDESS actors).
    """
    test = actors(data, recipe.held_out_actors)
    deciding = actors(data, recipe.validation_actors) | frozenset(recipe.validation_speakers)
    if test & deciding:
        raise DataError(f"{', '.join(sorted(test & deciding))} would both decide and be tested.")

    def belongs(clip: Clip) -> bool:
        if part == "train":
            return clip.speaker not in test | deciding
        return clip.speaker in (test if part == "test" else deciding)

    return {
        corpus: np.flatnonzero([belongs(clip) for clip in data.of(corpus)])
        for corpus in recipe.shares
    }


def load_part(
    data: VoiceData, recipe: VoiceRecipe, part: str, work: Path, workers: int = 2
) -> list[Corpus]:
    """Views of the clips of one part (see `split`), corpora without any left out."""
    return [
        Corpus(
            corpus,
            load_views(
                data, corpus, recipe.front_end, recipe.views, recipe.seed, work / "views", workers
            ),
            data.of(corpus),
            rows,
        )
        for corpus, rows in split(data, recipe, part).items()
        if len(rows)
    ]


def train_voice(
    data: VoiceData, recipe: VoiceRecipe, work: Path
) -> tuple[nn.Module, list[dict[str, float]]]:
    """Train by *recipe*; features and checkpoints (`voice.pt`) go to *work*.

    Returns:
        The averaged net, and per epoch its loss and its balanced accuracy over the seven emotions
        on the RAVDESS validation actors.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    learned = load_part(data, recipe, "train", work)
    silence = noise_features(data, recipe.front_end, _SILENCE_WINDOWS, recipe.seed)
    steps = recipe.clips_per_epoch // recipe.batch

    def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        random = np.random.default_rng([recipe.seed, epoch])
        for _ in range(steps):
            features, targets = draw(learned, silence, recipe, random)
            inputs = torch.from_numpy(features[:, None]).to(device)
            yield (
                inputs.contiguous(memory_format=torch.channels_last),
                torch.from_numpy(targets).to(device),
            )

    watched = next(c for c in load_part(data, recipe, "validation", work) if c.name == "ravdess")
    watched_features, watched_labels = watched.plain(), watched.labels

    def validate(net: nn.Module) -> float:
        guesses = logits_of(net, watched_features).argmax(axis=1)
        return score(watched_labels, guesses, len(EMOTIONS)).balanced_accuracy

    schedule = Schedule(
        recipe.epochs, steps, recipe.peak_rate, recipe.weight_decay, recipe.average_decay
    )
    net = build_voice_net(recipe).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    work.mkdir(parents=True, exist_ok=True)
    trained, history = train(net, batches, schedule, validate, work / "voice.pt")
    return trained.cpu(), history


def draw(
    learned: list[Corpus],
    silence: NDArray[np.float16],
    recipe: VoiceRecipe,
    random: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One training batch: features [batch, bands, frames], soft targets [batch, 7].

    A corpus is drawn by its share, then one of *its* emotions, then a clip of that emotion, so
    that no corpus says anything about which of its emotions to expect.
    """
    share = np.array([recipe.shares[corpus.name] for corpus in learned])
    chosen = random.choice(len(learned), recipe.batch, p=share / share.sum())
    quiet = random.random(recipe.batch) < recipe.silence_share
    features = np.empty((recipe.batch, *silence.shape[1:]), np.float32)
    targets = np.full((recipe.batch, len(EMOTIONS)), 1 / len(EMOTIONS), np.float32)
    for place, index in enumerate(chosen):
        if quiet[place]:
            features[place] = silence[random.integers(len(silence))]
            continue
        corpus = learned[index]
        group = corpus.by_label[random.integers(len(corpus.by_label))]
        row = group[random.integers(len(group))]
        plain = random.random() < recipe.plain_share
        view = 0 if plain else random.integers(1, corpus.views.shape[1])
        features[place] = corpus.views[row, view]
        targets[place] *= recipe.smoothing
        targets[place, corpus.clips[row].label] += 1 - recipe.smoothing
        _blank_stripes(features[place], recipe, random)
    if recipe.mixup:
        weight = random.beta(recipe.mixup, recipe.mixup, recipe.batch).astype(np.float32)
        other = random.permutation(recipe.batch)
        features += (1 - weight[:, None, None]) * (features[other] - features)
        targets += (1 - weight[:, None]) * (targets[other] - targets)
    return features, targets


def _blank_stripes(
    window: NDArray[np.float32], recipe: VoiceRecipe, random: np.random.Generator
) -> None:
    """Blank one stripe of bands and two of frames, as the floor of the front end looks."""
    bands, frames = window.shape
    front_end = recipe.front_end
    floor = max((front_end.floor_db - front_end.centre_db) / front_end.unit_db, front_end.low)
    width = random.integers(_MASK_BANDS + 1)
    start = random.integers(bands - width + 1)
    window[start : start + width] = floor
    for _ in range(2):
        width = random.integers(_MASK_FRAMES + 1)
        start = random.integers(frames - width + 1)
        window[:, start : start + width] = floor


def calibration_features(
    data: VoiceData, recipe: VoiceRecipe, count: int, seed: int, work: Path
) -> list[NDArray[np.float32]]:
    """Training windows for int8 calibration: float32 [1, bands, frames, 1] each.

    All corpora and plain as well as augmented views are among them, and one window that reaches
    both ends of the fixed range.
    """
    random = np.random.default_rng([seed, 11])
    learned = load_part(data, recipe, "train", work)
    windows = []
    for index in range(count - 1):
        corpus = learned[index % len(learned)]
        row, view = random.choice(corpus.rows), random.integers(corpus.views.shape[1])
        windows.append(corpus.views[row, view].astype(np.float32)[None, ..., None])
    low, high = recipe.front_end.low, recipe.front_end.high
    ramp = np.linspace(low, high, windows[0].size, dtype=np.float32)
    return [*windows, ramp.reshape(windows[0].shape)]


def held_out_features(
    data: VoiceData, recipe: VoiceRecipe, work: Path
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The test: float32 [n, bands, frames, 1] and labels int64 [n] of the held-out actors."""
    (test,) = load_part(data, recipe, "test", work)
    return test.plain(), test.labels


def logits_of(net: nn.Module, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits float32 [n, 7] of features [n, bands, frames, 1]."""
    net.eval()
    device = next(net.parameters()).device
    with torch.inference_mode():
        parts = torch.from_numpy(features).permute(0, 3, 1, 2).split(256)
        logits: NDArray[np.float32] = (
            torch.cat([net(part.to(device)) for part in parts]).cpu().numpy()
        )
    return logits
