"""Trains, converts and measures one net a fold, so that every RAVDESS actor is held out once."""

import hashlib
import zlib
from dataclasses import asdict
from pathlib import Path
from zipfile import BadZipFile

from convert.atomic_files import read_json, write_json
from convert.errors import DataError
from convert.int8.export import convert_int8
from convert.metrics import score
from convert.training.recipe import VoiceRecipe
from convert.voice.data import VoiceData
from convert.voice.evaluate import Tuning, answer_all, load_answers, save_answers, tune
from convert.voice.net import DeviceVoiceNet
from convert.voice.runner import VoiceRunner
from convert.voice.splits import load_split
from convert.voice.tables import FoldResult, fold_metrics, folds_table, pooled_metrics
from convert.voice.train import (
    CHECKPOINT,
    calibration_features,
    logits_of,
    train_common,
    train_voice,
)
from edge.emotions import EMOTIONS

MODEL, ANSWERS, RESULT = "voice_int8.tflite", "answers.npz", "result.json"
FOLDS = "folds.json"


def run_fold(data: VoiceData, recipe: VoiceRecipe, work: Path) -> FoldResult:
    """Train, convert and read everything with the net that holds out fold `recipe.fold`.

    All of it is kept in *work*/fold<N>; what is there already is not done again.
    """
    folder = work / f"fold{recipe.fold}"
    kept = _kept(recipe, folder)
    if kept is not None:
        return kept
    training_set = load_split(data, recipe, "train", work)
    (validation_set,) = load_split(data, recipe, "validation", work)
    (test,) = load_split(data, recipe, "test", work)
    begin = train_common(data, recipe, work)
    net, history = train_voice(data, recipe, training_set, validation_set, folder, begin)
    samples = calibration_features(training_set, data, recipe)
    front_end, model = recipe.front_end, folder / MODEL
    convert_int8(DeviceVoiceNet(net), samples, front_end.low, front_end.high, model)
    answers = answer_all(VoiceRunner(model), data, recipe, work)
    guesses = logits_of(net, test.plain())[0].argmax(axis=1)
    floating = score(test.labels, guesses, len(EMOTIONS)).balanced_accuracy
    result = FoldResult(
        recipe,
        model,
        tune(answers),
        answers,
        floating,
        history,
        sum(weights.numel() for weights in net.parameters()),
    )
    save_answers(answers, folder / ANSWERS)
    said = {
        "recipe": recipe.model_dump(mode="json"),
        "sha256": _hash(model),
        "tuning": asdict(result.tuning),
        "floating": floating,
        "parameters": result.parameters,
        "history": history,
        "figures": fold_metrics(result),
    }
    write_json(said, folder / RESULT)
    return result


def run_folds(data: VoiceData, recipe: VoiceRecipe, work: Path) -> list[FoldResult]:
    """Run every fold of *recipe*, print the table, and keep the figures in *work*/folds.json."""
    results = []
    for number in range(1, len(recipe.folds) + 1):
        print(f"fold {number} of {len(recipe.folds)}", flush=True)
        results.append(run_fold(data, recipe.model_copy(update={"fold": number}), work))
    print(folds_table(results))
    said = {
        "folds": [fold_metrics(result) for result in results],
        "pooled": pooled_metrics(results),
    }
    write_json(said, work / FOLDS)
    return results


def kept_folds(recipe: VoiceRecipe, work: Path) -> list[FoldResult]:
    """The folds of *recipe* that *work* holds, if it holds all of them; else none."""
    recipes = [recipe.model_copy(update={"fold": fold}) for fold in range(1, len(recipe.folds) + 1)]
    found = [_kept(each, work / f"fold{each.fold}") for each in recipes]
    return [each for each in found if each is not None] if all(found) else []


def _kept(recipe: VoiceRecipe, folder: Path) -> FoldResult | None:
    """What an earlier run left in *folder*, if it was of this very recipe."""
    if not (folder / RESULT).is_file():
        return None
    try:
        said = read_json(folder / RESULT)
        if said["recipe"] != recipe.model_dump(mode="json"):
            return None
        if said["sha256"] != _hash(folder / MODEL):
            raise DataError(
                f"{folder / MODEL} has changed since it was measured; delete {folder / RESULT}."
            )
        return FoldResult(
            recipe,
            folder / MODEL,
            Tuning(**said["tuning"]),
            load_answers(folder / ANSWERS),
            said["floating"],
            said["history"],
            said["parameters"],
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, zlib.error) as error:
        raise DataError(
            f"{folder} does not hold a whole result ({error}); delete {folder / RESULT} to measure "
            f"again from {CHECKPOINT}."
        ) from error


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
