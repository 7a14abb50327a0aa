"""Trains the voice net on acted speech, split by speaker."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convert.atomic_files import claim, write_json
from convert.errors import RecipeError
from convert.metrics import score
from convert.training.loop import History, Schedule, cross_entropy, train
from convert.training.recipe import VoiceRecipe
from convert.voice.data import VoiceData
from convert.voice.mix import Features, Mixer
from convert.voice.net import VoiceLogits, VoiceNet
from convert.voice.runner import NetLogits
from convert.voice.spectra_cache import made_spectra, noise_spectra
from convert.voice.splits import Corpus, load_split, noise_folds, noise_windows
from edge.emotions import EMOTIONS

_MASK_BANDS, _MASK_FRAMES = 10, 24
"""Widest stripe that SpecAugment (Park et al. 2019) blanks."""
CHECKPOINT = "voice.pt"
CALIBRATION_WINDOWS = 400
_HISTORY, _RECIPE = "history.json", "recipe.json"
_FREE = {"epochs", "falling_epochs"}
"""How long to train is the schedule's, which knows when a checkpoint can be gone on from."""

Validate = Callable[[nn.Module], dict[str, float]]
"""Averaged net -> figures for the history."""

Batch = tuple[Features, NDArray[np.float32], NDArray[np.float32]]
"""Features [n, bands, frames], soft targets of the emotions [n, 7], of a voice [n]."""


def build_voice_net(recipe: VoiceRecipe) -> VoiceNet:
    """The untrained net of a recipe."""
    bands = recipe.front_end.bands
    return VoiceNet(recipe.widths, recipe.blocks, recipe.dropout, len(EMOTIONS), bands)


def train_common(data: VoiceData, recipe: VoiceRecipe, work: Path) -> nn.Module | None:
    """The net that every fold begins with; trained on no RAVDESS actor and no recorded noise.

    Kept in *work*/common. None if the recipe has no other corpora or no epochs for them.
    """
    others = {name: share for name, share in recipe.shares.items() if name != "ravdess"}
    if not others or not recipe.common_epochs:
        return None
    ours = recipe.model_copy(
        update={
            "shares": others,
            "epochs": recipe.common_epochs,
            "falling_epochs": max(1, recipe.common_epochs - 2),
            "fold": 1,
        }
    )
    training_set = load_split(data, ours, "train", work)
    made = made_spectra(recipe.front_end, recipe.seed)
    return _train(ours, training_set, Mixer(recipe.front_end, made, made), None, work / "common")[0]


def train_voice(
    data: VoiceData,
    recipe: VoiceRecipe,
    training_set: Sequence[Corpus],
    validation_set: Corpus | None,
    work: Path,
    begin: nn.Module | None = None,
) -> tuple[nn.Module, History]:
    """Train by *recipe*; `voice.pt` and `history.json` go to *work*.

    Args:
        data: for the background.
        recipe: how.
        training_set: views to train on.
        validation_set: what the history's `accuracy` (balanced) is of; None = of nothing.
        work: a run that finds its checkpoint here goes on from there.
        begin: the net to begin with; None = random weights.

    Returns:
        The averaged net, and per epoch its loss, its balanced accuracy on *validation_set*, and how well
        it tells *validation_set* from the background of the validation fold (`heard`, balanced accuracy).
    """
    front_end = recipe.front_end
    background = noise_spectra(data, front_end, noise_folds(recipe, "train"))
    mixer = Mixer(front_end, background, made_spectra(front_end, recipe.seed))
    validate: Validate | None = None
    if validation_set is not None:
        speech, labels = validation_set.plain(), validation_set.labels
        silence = np.concatenate(noise_windows(data, recipe, "validation"))

        def validate(net: nn.Module) -> dict[str, float]:
            emotions, heard = logits_of(net, speech)
            _, noise = logits_of(net, silence)
            return {
                "accuracy": score(labels, emotions.argmax(axis=1), len(EMOTIONS)).balanced_accuracy,
                "heard": float(((heard > 0).mean() + (noise <= 0).mean()) / 2),
            }

    trained, history = _train(recipe, training_set, mixer, validate, work, begin)
    write_json(history, work / _HISTORY)
    return trained, history


def _train(
    recipe: VoiceRecipe,
    training_set: Sequence[Corpus],
    mixer: Mixer,
    validate: Validate | None,
    work: Path,
    begin: nn.Module | None = None,
) -> tuple[nn.Module, History]:
    steps = recipe.clips_per_epoch // recipe.batch
    if not steps:
        raise RecipeError(
            f"clips_per_epoch is {recipe.clips_per_epoch}, but a batch has {recipe.batch} windows; "
            "set clips_per_epoch to at least one batch in the recipe."
        )
    if not training_set:
        raise RecipeError(
            "The recipe leaves no clip to learn from; set shorter held_out_speakers and folds."
        )

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)

    def batches(epoch: int, _: nn.Module) -> Iterator[tuple[Tensor, tuple[Tensor, Tensor]]]:
        random = np.random.default_rng([recipe.seed, epoch])
        for _step in range(steps):
            features, emotions, heard = draw(training_set, mixer, recipe, random)
            inputs = torch.from_numpy(features[:, None]).to(device)
            yield (
                inputs.contiguous(memory_format=torch.channels_last),
                (torch.from_numpy(emotions).to(device), torch.from_numpy(heard).to(device)),
            )

    def loss(given: VoiceLogits, targets: tuple[Tensor, Tensor]) -> Tensor:
        emotions, heard = targets
        voice = nn.functional.binary_cross_entropy_with_logits(given.heard[:, 0], heard)
        return cross_entropy(given.emotions, emotions) + recipe.heard_weight * voice

    schedule = Schedule(
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        peak_rate=recipe.peak_rate,
        weight_decay=recipe.weight_decay,
        average_decay=recipe.average_decay,
        rising_epochs=1,
        falling_epochs=recipe.falling_epochs,
        optimiser=recipe.optimiser,
    )
    claim(recipe, _FREE, work / CHECKPOINT, work / _RECIPE, aside=work)
    net = build_voice_net(recipe)
    if begin is not None:
        net.load_state_dict(begin.state_dict())
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    watch = validate or (lambda _: {})
    trained, history = train(net, batches, loss, schedule, watch, work / CHECKPOINT)
    return trained.cpu(), history


def draw(
    training_set: Sequence[Corpus], mixer: Mixer, recipe: VoiceRecipe, random: np.random.Generator
) -> Batch:
    """One training batch.

    A corpus is drawn by its share, then one of *its* emotions, then a clip of that emotion, so
    that no corpus says anything about which of its emotions to expect. Background without a voice
    is undecided between the emotions.
    """
    quiet = int(random.binomial(recipe.batch, recipe.noise_share))
    spoken = recipe.batch - quiet
    share = np.array([recipe.shares[corpus.name] for corpus in training_set])
    views = []
    targets = np.full((recipe.batch, len(EMOTIONS)), 1 / len(EMOTIONS), np.float32)
    plain = random.random(spoken) < recipe.plain_share
    for place, index in enumerate(random.choice(len(training_set), spoken, p=share / share.sum())):
        corpus = training_set[index]
        group = corpus.by_label[random.integers(len(corpus.by_label))]
        row = group[random.integers(len(group))]
        view = 0 if plain[place] else random.integers(corpus.views.shape[1])
        views.append(corpus.views[row, view])
        targets[place] *= recipe.smoothing
        targets[place, corpus.recordings[row].label] += 1 - recipe.smoothing
    speech = mixer.speech(views, plain, random)
    if recipe.mixup:
        weight = random.beta(recipe.mixup, recipe.mixup, spoken).astype(np.float32)
        other = random.permutation(spoken)
        speech += (1 - weight[:, None, None]) * (speech[other] - speech)
        targets[:spoken] += (1 - weight[:, None]) * (targets[other] - targets[:spoken])
    features = np.concatenate([speech, mixer.background(quiet, random)])
    for window in features:
        _blank_stripes(window, recipe, random)
    heard = np.zeros(recipe.batch, np.float32)
    heard[:spoken] = 1
    return features, targets, heard


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
    training_set: Sequence[Corpus],
    data: VoiceData,
    recipe: VoiceRecipe,
    count: int = CALIBRATION_WINDOWS,
) -> list[NDArray[np.float32]]:
    """Windows of training for int8 calibration: float32 [1, bands, frames, 1] each.

    Clips of all corpora in turn, at their own speed and in their own room, half of them over
    background and through another microphone; then background alone. None is blended or blanked.
    """
    front_end = recipe.front_end
    random = np.random.default_rng([recipe.seed, 11])
    background = noise_spectra(data, front_end, noise_folds(recipe, "train"))
    mixer = Mixer(front_end, background, made_spectra(front_end, recipe.seed))
    views, quiet = [], max(1, count // 8)
    for index in range(count - quiet):
        corpus = training_set[index % len(training_set)]
        views.append(corpus.views[random.choice(corpus.rows), 0])
    plain = random.random(len(views)) < 0.5
    windows = np.concatenate([mixer.speech(views, plain, random), mixer.background(quiet, random)])
    return [window[None, ..., None] for window in windows]


def logits_of(net: nn.Module, features: Features) -> NetLogits:
    """Logits of features [n, bands, frames, 1] by the net in floats."""
    net.eval()
    device = next(net.parameters()).device
    with torch.inference_mode():
        parts = torch.from_numpy(features).permute(0, 3, 1, 2).split(256)
        given = [net(part.to(device)) for part in parts]
    emotions = torch.cat([each.emotions for each in given]).cpu().numpy()
    heard = torch.cat([each.heard[:, 0] for each in given]).cpu().numpy()
    return emotions, heard
