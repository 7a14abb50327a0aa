"""Draws the pictures of the face model's card."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.face.architecture_search import CHOSEN, Candidate
from convert.face.data import USAGE_ROWS, FaceData
from convert.face.evaluate import FaceEvaluation, FaceLogits, truth_of
from convert.face.plots import draw_class_maps, draw_mean_faces, mean_faces
from convert.plots.comparisons import draw_search
from convert.plots.confusion import draw_confusion, draw_reliability
from convert.plots.curves import draw_curves
from convert.plots.datasets import draw_class_counts
from convert.plots.style import percent
from convert.training.loop import History
from convert.training.recipe import FaceRecipe
from edge.emotions import EMOTIONS
from edge.perception.face_heads import class_map
from edge.perception.interpreter import Model
from edge.perception.manifest import ClassMaps


def draw_results(
    data: FaceData, evaluation: FaceEvaluation, private: FaceLogits, out: Path
) -> None:
    """What was taken for what, and how far the probabilities can be trusted, on PrivateTest."""
    among = truth_of(data, data.rows("PrivateTest")).among_seven
    voted = among >= 0
    scores = evaluation.fer2013.scores
    draw_confusion(
        scores.confusion,
        EMOTIONS,
        out / "face-confusion.png",
        "The face net: what it takes for what\n"
        f"fer2013 head, int8, FER2013 PrivateTest, {scores.rows:,} rows by FER2013 label. "
        f"Accuracy {percent(scores.accuracy)}",
    )
    readings = {
        name: heads.blend(private.fer2013, private.ferplus)
        for name, heads in (
            ("temperature 1", replace(evaluation.heads, temperature=1.0)),
            ("calibrated", evaluation.heads),
        )
    }
    draw_reliability(
        {name: (each[voted], among[voted]) for name, each in readings.items()},
        out / "face-reliability.png",
        "How far the shown probabilities can be trusted\n"
        f"Blend of both heads, int8, FER2013 PrivateTest, {int(voted.sum()):,} rows by FER+ majority",
    )


def draw_training(history: History, recipe: FaceRecipe, out: Path) -> None:
    """Loss and accuracy of each epoch; the loss per weight, so that stages can be compared."""
    trained = recipe.stages
    if len(history) == recipe.done_epochs:  # those before were not trained here
        trained = (recipe,)
    stages = [stage.done_epochs for stage in trained]
    # Crops without a face come on top of a batch and have no emotion to be wrong about.
    weight_of = [
        (1 + stage.ferplus_weight) / (1 + (stage.seen_weight > 0) * stage.mistakes_share)
        + stage.seen_weight
        for stage in trained
    ]
    weights = np.repeat(weight_of, stages)
    history = [
        {**row, "loss": row["loss"] / weight} for row, weight in zip(history, weights, strict=True)
    ]
    shaded = "Shaded: the rate falls" if len(stages) == 1 else "By stages of the recipe"
    rows = "PublicTest: 3,589 rows by FER2013 label, 3,199 by FER+ majority"
    if len(stages) == 1 and recipe.knows_public:
        rows = "the third of PublicTest that is held out"
    elif recipe.learn_public:
        shaded += "; the last one\nlearns from two thirds of these rows and is judged on the rest"
    which = "the last stage" if len(trained) < len(recipe.stages) else "the face net"
    draw_curves(
        history,
        out / "face-curves.png",
        f"Training of {which}\nFloat, {rows}. {shaded}",
        names={"fer2013": "FER2013, 7 classes", "ferplus": "FER+, 8 classes"},
        falling_epochs=recipe.falling_epochs if len(stages) == 1 else 0,
        stages=stages,
    )


def draw_data(data: FaceData, out: Path) -> None:
    """How many pictures there are of each emotion, and the mean one."""
    counts = {
        split: {
            emotion: int((data.label[data.rows(split)] == index).sum())
            for index, emotion in enumerate(EMOTIONS)
        }
        for split in USAGE_ROWS
    }
    draw_class_counts(
        counts, out / "face-classes.png", "FER2013: rows of each emotion\n35,887 rows by label"
    )
    draw_mean_faces(data, out / "face-means.png")


def draw_maps(data: FaceData, model: Model, maps: ClassMaps, out: Path) -> None:
    """Where the int8 model finds each emotion, on average."""
    rows = data.rows("PublicTest")
    labels = data.label[rows]
    weights = np.array(maps.weights)
    weights = weights - weights.mean(axis=0)
    features = model.output(maps.output.shape, maps.output.name)
    raw = (data.pixels[rows] ^ 0x80).view(np.int8)[:, None, :, :, None]
    found = [
        class_map(model.run(crop, features)[0], weights[label])
        for crop, label in zip(tqdm(raw, desc="maps"), labels, strict=True)
    ]
    drawn: NDArray[np.float64] = np.array(found)
    draw_class_maps(
        {emotion: drawn[labels == index] for index, emotion in enumerate(EMOTIONS)},
        mean_faces(data),
        out / "face-maps.png",
        "Where the net finds each emotion\n"
        f"Mean class-activation map, int8, PublicTest ({len(rows):,} rows), on the mean face",
    )


def draw_shapes(search: Path, out: Path) -> None:
    """Accuracy against work of the shapes that `python -m convert search` left in *search*."""
    found = [Candidate(**each) for each in json.loads(search.read_text())["candidates"]]
    chosen = next(each for each in found if each.name == CHOSEN)
    alike = [each for each in found if each.optimiser == chosen.optimiser]
    draw_search(
        alike,
        CHOSEN,
        out / "face-search.png",
        f"{len(alike)} shapes of the face net\nFloat, trained alike and briefly on small pictures, "
        "PublicTest. Area of a disc: parameters",
    )
