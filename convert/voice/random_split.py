"""The field's usual protocol, for comparison only: a random split of RAVDESS and TESS."""

from pathlib import Path

import numpy as np

from convert.atomic_files import write_json, written_whole
from convert.errors import RecipeError
from convert.int8.export import convert_int8
from convert.metrics import Scores, confusion_table, score
from convert.training.recipe import VoiceRecipe
from convert.voice.data import VoiceData
from convert.voice.net import DeviceVoiceNet
from convert.voice.runner import VoiceRunner
from convert.voice.splits import load_rows, random_rows
from convert.voice.train import calibration_features, train_voice
from edge.emotions import EMOTIONS

FIELD_SHARES = {"ravdess": 0.7, "tess": 0.3}
LABEL = "random split, leaks speakers"
_EPOCHS, _FALLING_EPOCHS = 12, 10
"""The same voices and sentences are on both sides, so that less is to be learned."""
RESULT = "random.json"


def run_random(data: VoiceData, recipe: VoiceRecipe, work: Path) -> Scores:
    """Train on 80 % of all RAVDESS and TESS clips and on nothing else, test int8 on the rest.

    By the shipped recipe, but shorter and from random weights. Everything is kept in *work*/random,
    the figures in *work*/random.json; an interrupted run goes on.

    Raises:
        RecipeError: the recipe has no RAVDESS or no TESS.
    """
    check_field(recipe)
    ours = recipe.model_copy(
        update={
            "shares": FIELD_SHARES,
            "epochs": _EPOCHS,
            "falling_epochs": _FALLING_EPOCHS,
        }
    )
    training_set = load_rows(data, ours, random_rows(data, ours, "train"), work)
    tested = load_rows(data, ours, random_rows(data, ours, "test"), work)
    folder = work / "random"
    net, history = train_voice(data, ours, training_set, None, folder)
    model, front_end = folder / "voice_int8.tflite", ours.front_end
    if not model.is_file() or model.stat().st_mtime < (folder / "voice.pt").stat().st_mtime:
        samples = calibration_features(training_set, data, ours)
        with written_whole(model) as partial:
            convert_int8(DeviceVoiceNet(net), samples, front_end.low, front_end.high, partial)
    quantized = VoiceRunner(model)
    logits = [quantized.logits(corpus.plain())[0] for corpus in tested]
    truth = [corpus.labels for corpus in tested]
    each = {
        corpus.name: score(labels, rows.argmax(axis=1), len(EMOTIONS))
        for corpus, labels, rows in zip(tested, truth, logits, strict=True)
    }
    guesses = np.concatenate([rows.argmax(axis=1) for rows in logits])
    whole = score(np.concatenate(truth), guesses, len(EMOTIONS))
    print(random_table(whole, each))
    said = {
        "split": LABEL,
        "seed": ours.seed,
        "rows": whole.rows,
        "macro F1": whole.macro_f1,
        "accuracy": whole.accuracy,
        **{f"macro F1 of {name}": scores.macro_f1 for name, scores in each.items()},
        "history": history,
    }
    write_json(said, work / RESULT)
    return whole


def check_field(recipe: VoiceRecipe) -> None:
    """Raise `RecipeError` if the recipe has no RAVDESS or no TESS."""
    if missing := FIELD_SHARES.keys() - recipe.shares.keys():
        raise RecipeError(
            "The random split is of RAVDESS and TESS, but the recipe's shares lack "
            f"{', '.join(sorted(missing))}; add it, with its views."
        )


def random_table(whole: Scores, each: dict[str, Scores]) -> str:
    """The figures of the random split."""
    lines = [f"| {LABEL}, int8 | rows | macro F1 | accuracy |", "|---|---|---|---|"]
    for name, scores in {"RAVDESS + TESS": whole, **each}.items():
        lines.append(
            f"| {name} | {scores.rows:,} | {scores.macro_f1:.1%} | {scores.accuracy:.1%} |"
        )
    return "\n".join(lines) + f"\n\n{confusion_table(whole, EMOTIONS)}\n"
