"""Draws the pictures of the voice model's card."""

from collections.abc import Sequence
from pathlib import Path

from convert.plots.comparisons import draw_fold_bars
from convert.plots.confusion import draw_confusion, draw_reliability
from convert.plots.curves import draw_curves
from convert.plots.datasets import draw_class_counts, draw_mean_spectrograms
from convert.plots.style import LEAST_ROWS, percent
from convert.training.recipe import VoiceRecipe
from convert.voice.data import VoiceData
from convert.voice.evaluate import emotion_scores
from convert.voice.splits import load_split
from convert.voice.tables import FoldResult, pooled_answers, pooled_probabilities
from edge.emotions import EMOTIONS

_MEAN_OF = ("ravdess", "nemo")
"""Corpora whose mean spectrograms are drawn; TESS's licence allows nothing derived."""


def draw_voice(
    data: VoiceData, result: FoldResult, everyone: Sequence[FoldResult], work: Path, out: Path
) -> None:
    """Training, results over all folds (if there are all) and the data, into *out*."""
    draw_curves(
        result.history,
        out / "voice-curves.png",
        f"Training of the voice net, fold {result.recipe.fold}\nFloat, deciding actors: balanced "
        "accuracy over seven emotions; voice told from background",
        names={"accuracy": "seven emotions", "heard": "voice or none"},
        falling_epochs=result.recipe.falling_epochs,
    )
    _draw_results(list(everyone) or [result], out)
    _draw_data(data, result.recipe, work, out)


def _draw_results(results: list[FoldResult], out: Path) -> None:
    test = pooled_answers(results, "test")
    scores = emotion_scores(test)
    rows = f"{len(test.truth):,} clips, each by a net that has not heard its actor, int8"
    draw_confusion(
        scores.confusion,
        EMOTIONS,
        out / "voice-confusion.png",
        f"The voice nets: what they take for what\nRAVDESS, {rows}. Balanced accuracy "
        f"{percent(scores.balanced_accuracy)}",
    )
    raw, calibrated = pooled_probabilities(results)
    draw_reliability(
        {"temperature 1": (raw, test.truth), "calibrated": (calibrated, test.truth)},
        out / "voice-reliability.png",
        f"How far the voice's probabilities can be trusted\nRAVDESS, {rows}",
    )
    if len(results) > 1:
        bars = {
            f"fold {result.recipe.fold}": emotion_scores(result.answers["test"]).balanced_accuracy
            for result in results
        }
        draw_fold_bars(
            bars,
            scores.balanced_accuracy,
            out / "voice-folds.png",
            f"How much the speakers differ\nBalanced accuracy, seven emotions. RAVDESS, {rows}",
            chance=1 / len(EMOTIONS),
        )


def _draw_data(data: VoiceData, recipe: VoiceRecipe, work: Path, out: Path) -> None:
    counts = {
        corpus: {
            emotion: sum(recording.label == index for recording in data.of(corpus))
            for index, emotion in enumerate(EMOTIONS)
        }
        for corpus in recipe.shares
    }
    draw_class_counts(counts, out / "voice-classes.png", "Voices: clips of each emotion\nBy corpus")
    for corpus in load_split(data, recipe, "train", work):
        if corpus.name not in _MEAN_OF:
            continue
        labels = corpus.labels
        fewest = min(len(rows) for rows in corpus.by_label)
        if fewest < LEAST_ROWS:
            print(f"{corpus.name}: {fewest} clips of one emotion are too few to draw the mean of")
            continue
        features = corpus.plain()[..., 0]
        draw_mean_spectrograms(
            {
                emotion: features[labels == index]
                for index, emotion in enumerate(EMOTIONS)
                if (labels == index).any()
            },
            out / f"voice-means-{corpus.name}.png",
            f"{corpus.name}: how each emotion differs from the mean of all\n"
            f"Mean log-mel picture of {len(labels):,} training clips",
            front_end=recipe.front_end,
            relative=True,
        )
