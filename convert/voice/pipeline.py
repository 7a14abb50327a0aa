"""From acted speech to a published int8 voice model, and the tables about it."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from convert.int8.macs import count_macs
from convert.publish import (
    describe_tensor,
    make_entry,
    manifest_of,
    metrics_table,
    publish,
    size_line,
)
from convert.training.recipe import VoiceRecipe, load_recipe
from convert.voice.card import SOURCES, voice_card, voice_metrics
from convert.voice.classic_features import OURS, Compared, compare_features
from convert.voice.cross_validation import kept_folds, run_fold, run_folds
from convert.voice.data import VoiceData, load_voice_data
from convert.voice.evaluate import Tuning, answer_all, emotion_scores
from convert.voice.figures import draw_voice
from convert.voice.random_split import LABEL, check_field, run_random
from convert.voice.runner import VoiceRunner
from convert.voice.tables import FoldResult, folds_table
from convert.voice.train import build_voice_net
from edge.emotions import EMOTIONS
from edge.perception.manifest import Entry, Heard

__all__ = ["compare", "evaluate_published", "folds", "make_voice", "random_split"]


def make_voice(folder: Path, recipe_file: Path, out: Path, work: Path) -> None:
    """Run the whole way; every step prints what it found."""
    manifest_of(out)  # refuses a damaged one before hours of work
    recipe, data = _open(folder, recipe_file)
    result = run_fold(data, recipe, work)
    everyone = kept_folds(recipe, work)
    net, front_end = build_voice_net(recipe), recipe.front_end
    macs = count_macs(net, torch.zeros(1, 1, front_end.bands, front_end.frames))
    metrics = voice_metrics(result, everyone, work)
    entry = make_entry(
        result.model,
        temperature=result.tuning.temperature,
        class_prior=_class_prior(data, recipe).tolist(),
        macs=macs,
        metrics=metrics,
        data=[*(SOURCES[corpus] for corpus in recipe.shares), SOURCES["noise"]],
        recipe="voice_recipe.toml",
        front_end=asdict(front_end),
    )
    model = VoiceRunner(result.model)
    heard = Heard(output=describe_tensor(model.heard), threshold=result.tuning.threshold)
    entry = entry.model_copy(update={"output": describe_tensor(model.emotions), "heard": heard})
    size = size_line(result.model, result.parameters, macs)
    told = voice_card(result, everyone, metrics, size, work)
    publish("voice", result.model, recipe_file, entry, told, out)
    figures = out / "pictures"
    figures.mkdir(exist_ok=True)
    draw_voice(data, result, everyone, work, figures)
    print(metrics_table(metrics))
    print()
    print(folds_table([result]))


def evaluate_published(
    model_file: Path, recipe_file: Path, entry: Entry, folder: Path, work: Path
) -> None:
    """Print the tables again from the .tflite and what its manifest entry says of it."""
    recipe, data = _open(folder, recipe_file)
    threshold = entry.heard.threshold if entry.heard else 0.0
    answers = answer_all(VoiceRunner(model_file), data, recipe, work)
    result = FoldResult(
        recipe, model_file, Tuning(entry.temperature, threshold), answers, None, [], 0
    )
    print(metrics_table(voice_metrics(result, [], work)))
    print()
    print(folds_table([result]))


def folds(folder: Path, recipe_file: Path, work: Path) -> None:
    """Train and measure a net for each fold; print one table."""
    recipe, data = _open(folder, recipe_file)
    run_folds(data, recipe, work)


def random_split(folder: Path, recipe_file: Path, work: Path) -> None:
    """Train and measure by the field's protocol; print one table."""
    recipe, data = _open(folder, recipe_file)
    run_random(data, recipe, work)


def compare(folder: Path, recipe_file: Path, work: Path) -> None:
    """Compare features on the recipe's own fold and on the random split; print one table."""
    recipe, data = _open(folder, recipe_file)
    check_field(recipe)
    by_speaker = emotion_scores(run_fold(data, recipe, work).answers["test"])
    at_random = run_random(data, recipe, work)
    sources = ", ".join(recipe.shares)
    lines = [
        Compared(
            OURS,
            "our net, int8",
            training_set,
            split,
            each.rows,
            each.balanced_accuracy,
            each.macro_f1,
        )
        for training_set, split, each in (
            (sources, f"by speaker, fold {recipe.fold}", by_speaker),
            ("RAVDESS, TESS", LABEL, at_random),
        )
    ]
    compare_features(data, recipe, work, lines)


def _open(folder: Path, recipe_file: Path) -> tuple[VoiceRecipe, VoiceData]:
    recipe = load_recipe(recipe_file, VoiceRecipe)
    return recipe, load_voice_data(folder, tuple(recipe.shares))


def _class_prior(data: VoiceData, recipe: VoiceRecipe) -> NDArray[np.float64]:
    """How often each emotion is drawn: evenly within a corpus, and not all corpora have all."""
    prior = np.zeros(len(EMOTIONS))
    for corpus, share in recipe.shares.items():
        labels = np.unique([recording.label for recording in data.of(corpus)])
        prior[labels] += share / len(labels)
    return np.asarray(prior / prior.sum())
