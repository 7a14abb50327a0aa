"""From FER2013 to a published int8 face model."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convert.atomic_files import write_json
from convert.errors import DataError
from convert.face.card import (
    disagreement_table,
    face_card,
    face_metrics,
    print_face,
    sources_of,
)
from convert.face.data import FaceData, labels_by_majority, load_face_data
from convert.face.evaluate import (
    FaceEvaluation,
    FaceLogits,
    LabelledFaces,
    best_mix,
    compare_mixes,
    evaluate_logits,
    logits_of,
    ten_crop_logits_of,
    truth_of,
)
from convert.face.extra import load_faces, net_input
from convert.face.figures import (
    draw_data,
    draw_maps,
    draw_results,
    draw_shapes,
    draw_training,
)
from convert.face.framing import measure_framing
from convert.face.lessons import Lessons, load_lessons
from convert.face.mistakes import load_mistakes
from convert.face.net import DeviceFaceNet, FaceNet
from convert.face.targets import votes_predict
from convert.face.train import (
    build_face_net,
    calibration_crops,
    check_lessons,
    check_mistakes,
    float_logits,
    load_face_net,
    train_face,
)
from convert.int8.export import convert_int8
from convert.int8.macs import count_macs
from convert.publish import describe_tensor, make_entry, manifest_of, publish, size_line
from convert.training.recipe import FaceRecipe, load_recipe
from convert.training.weights import save_weights
from edge.errors import ModelError
from edge.perception.face_heads import FERPLUS, FaceHeads, blend_weights
from edge.perception.face_net import heads_of
from edge.perception.interpreter import Model
from edge.perception.manifest import (
    ClassMaps,
    Entry,
    Geometry,
    SecondHead,
    Seen,
    check_hash,
    load_manifest,
)

CALIBRATION_CROPS = 500
LEAST_ROWS = 100
"""A source with fewer labelled faces has no say."""
_HELD_OUT = "held out"
_TEST = "PrivateTest"


def make_face(
    folder: Path,
    recipe_file: Path,
    out: Path,
    work: Path,
    detectors: Path,
    lessons_file: Path | None = None,
    deciding: Sequence[Path] = (),
    before: Path | None = None,
    mistakes_file: Path | None = None,
) -> None:
    """Run the whole way; every step prints what it found.

    *deciding* are packs whose labelled faces decide on the blend beside the held-out rows; *before* are
    the weights that the stages before the last one gave; *mistakes_file* has crops without a face.
    """
    manifest_of(out)  # refuses a damaged one before hours of work
    recipe = load_recipe(recipe_file, FaceRecipe)
    data = load_face_data(folder)
    sources = _sources(deciding)
    lessons = load_lessons(lessons_file, len(data.pixels)) if lessons_file else None
    mistakes = load_mistakes(mistakes_file) if mistakes_file else None
    check_lessons(recipe, lessons)
    check_mistakes(recipe, mistakes)
    geometry = measure_framing(data, detectors, recipe.seed)
    start = recipe_file.parent / recipe.start if recipe.start else None
    net, history = train_face(data, recipe, work, "face.pt", start, lessons, before, mistakes)
    write_json(history, work / "history.json")
    file = work / "face_int8.tflite"
    # Integers -128..127 stand for (grey - 128) / 128, so the device feeds grey - 128.
    crops = calibration_crops(data, CALIBRATION_CROPS, recipe.seed, mistakes)
    convert_int8(DeviceFaceNet(net), crops, -1.0, 127 / 128, file)
    _finish(data, recipe_file, recipe, net, file, geometry, sources, lessons, out)
    save_weights(net, out / "face_float.npz")
    draw_training(history, recipe, out / "pictures")


def choose_blend(folder: Path, models: Path, deciding: Sequence[Path]) -> None:
    """Choose blend, offsets and temperature of the published net anew, and publish it with them.

    Raises:
        DataError: data or the float weights are missing, or a pack has nobody who may decide.
        ModelError: the model is missing or damaged.
    """
    entry = load_manifest(models).face
    recipe_file, file = models / entry.recipe, models / entry.file
    check_hash(file, entry.sha256)
    recipe = load_recipe(recipe_file, FaceRecipe)
    net = load_face_net(recipe, models / "face_float.npz")
    data = load_face_data(folder)
    if entry.geometry is None:
        raise ModelError(f"The face model in {models} does not say how its crops are framed.")
    _finish(data, recipe_file, recipe, net, file, entry.geometry, _sources(deciding), None, models)


def _finish(
    data: FaceData,
    recipe_file: Path,
    recipe: FaceRecipe,
    net: FaceNet,
    file: Path,
    geometry: Geometry,
    sources: Sequence[tuple[str, NDArray[np.uint8], NDArray[np.int64]]],
    lessons: Lessons | None,
    out: Path,
) -> None:
    """Choose how the int8 model in *file* is read, measure it, and publish it to *out*."""
    model = Model(file)
    int8 = {name: logits_of(model, data.pixels[rows]) for name, rows in _judged(data).items()}
    others = _read(model, sources)
    mixes = compare_mixes(int8[_HELD_OUT], truth_of(data, data.held_out), others)
    mix = best_mix(mixes)
    evaluation = _evaluate(data, int8, mix.heads, others)
    floats = {name: float_logits(net, data.pixels[rows]) for name, rows in _judged(data).items()}
    floating = _evaluate(data, floats, mix.heads, others)
    macs = count_macs(build_face_net(recipe), torch.zeros(1, 1, 48, 48))
    metrics = face_metrics(evaluation, floating)
    entry = make_entry(
        file,
        temperature=evaluation.shown.temperature,
        class_prior=evaluation.class_prior.tolist(),
        macs=macs,
        metrics=metrics,
        data=sources_of(recipe),
        recipe="face_recipe.toml",
        geometry=geometry,
    )
    entry = _with_heads(entry, model, net, mix.heads)
    parameters = sum(weights.numel() for weights in net.parameters())
    size = size_line(file, parameters, macs)
    card = face_card(recipe, evaluation, mixes, metrics, size, lessons)
    publish("face", file, recipe_file, entry, card, out)
    figures = out / "pictures"
    figures.mkdir(exist_ok=True)
    draw_results(data, evaluation, int8[_TEST], figures)
    draw_data(data, figures)
    if entry.class_maps is not None:
        draw_maps(data, model, entry.class_maps, figures)
    if (out / "face_search.json").is_file():
        draw_shapes(out / "face_search.json", figures)
    print_face(evaluation, mixes, metrics)


def evaluate_published(
    entry: Entry,
    models: Path,
    folder: Path,
    deciding: Sequence[Path] = (),
    ten_crops: bool = False,
) -> None:
    """Print every table again from the .tflite and the manifest's blend of the heads.

    *ten_crops*: and how the heads do on the mean of ten crops, as papers on FER2013 report.
    """
    data = load_face_data(folder)
    sources = _sources(deciding)
    model = Model(models / entry.file)
    int8 = {name: logits_of(model, data.pixels[rows]) for name, rows in _judged(data).items()}
    others = _read(model, sources)
    mixes = compare_mixes(int8[_HELD_OUT], truth_of(data, data.held_out), others)
    evaluation = _evaluate(data, int8, replace(heads_of(entry), temperature=1.0), others)
    print_face(evaluation, mixes, face_metrics(evaluation, None))
    if ten_crops:
        said, truth = (
            ten_crop_logits_of(model, data.pixels[data.rows(_TEST)]),
            truth_of(data, data.rows(_TEST)),
        )
        judged = truth.ferplus >= 0
        for name, right in (
            ("FER2013 labels", said.fer2013.argmax(axis=1) == truth.fer2013),
            ("FER+ majority", said.ferplus[judged].argmax(axis=1) == truth.ferplus[judged]),
        ):
            print(f"Ten crops, {name}, {_TEST}, int8: {right.mean():.1%} of {len(right):,} rows.")
    print("\nWhat FER2013 calls the training rows of each FER+ majority:\n")
    print(disagreement_table(labels_by_majority(data)))
    for split, share in votes_predict(data, "Training", "PublicTest").items():
        print(f"\nThe votes predict the label of {share:.1%} of the {split} rows.")


def _seen_head(model: Model) -> Seen | None:
    """The output that tells whether there is a face, where the model has it."""
    found = [output for output in model.outputs if output.name == "seen"]
    return Seen(output=describe_tensor(found[0])) if found else None


def _sources(packs: Sequence[Path]) -> list[tuple[str, NDArray[np.uint8], NDArray[np.int64]]]:
    """Name, crops and labels of each source in *packs* with enough labelled faces; no strangers."""
    found: dict[str, tuple[list[NDArray[np.uint8]], list[NDArray[np.int64]]]] = {}
    for file in dict.fromkeys(packs):
        pack = load_faces(file)
        deciding = list(pack.deciding())
        if not deciding:
            raise DataError(
                f"{file} has no labelled face that may decide: all are strangers' or have no label. "
                "Leave it out of --deciding."
            )
        for source, rows in deciding:
            crops, truth = found.setdefault(source, ([], []))
            crops.append(net_input(pack.pixels[rows]))
            truth.append(pack.label[rows])
    joined = [(name, np.concatenate(a), np.concatenate(b)) for name, (a, b) in found.items()]
    for name, _, labels in joined:
        if len(labels) < LEAST_ROWS:
            print(f"{name} has only {len(labels)} labelled faces, fewer than {LEAST_ROWS}: no say")
    return [each for each in joined if len(each[2]) >= LEAST_ROWS]


def _read(
    model: Model, sources: Sequence[tuple[str, NDArray[np.uint8], NDArray[np.int64]]]
) -> list[LabelledFaces]:
    return [LabelledFaces(name, logits_of(model, crops), truth) for name, crops, truth in sources]


def _judged(data: FaceData) -> dict[str, NDArray[np.intp]]:
    """The rows that decide and those that test."""
    return {_HELD_OUT: data.held_out, _TEST: data.rows(_TEST)}


def _evaluate(
    data: FaceData,
    logits: dict[str, FaceLogits],
    blend: FaceHeads,
    others: Sequence[LabelledFaces],
) -> FaceEvaluation:
    return evaluate_logits(
        logits[_HELD_OUT],
        truth_of(data, data.held_out),
        logits[_TEST],
        truth_of(data, data.rows(_TEST)),
        blend,
        others,
    )


def _with_heads(entry: Entry, model: Model, net: nn.Module, blend: FaceHeads) -> Entry:
    """Add the second head, how both are blended, and what class maps are drawn with."""
    ferplus = model.output((1, len(FERPLUS)), "ferplus")
    (features,) = (output for output in model.outputs if len(output.shape) == 4)
    rows = {
        head: net.get_parameter(f"{head}.weight").detach().double().numpy()
        for head in ("fer2013", "ferplus")
    }
    weights = blend_weights(rows["fer2013"], rows["ferplus"], blend.ferplus_share)
    return entry.model_copy(
        update={
            "seen": _seen_head(model),
            "ferplus": SecondHead(
                output=describe_tensor(ferplus),
                labels=FERPLUS,
                share=blend.ferplus_share,
                offsets=blend.offsets,
            ),
            "class_maps": ClassMaps(
                output=describe_tensor(features),
                weights=tuple(tuple(round(float(w), 4) for w in row) for row in weights),
            ),
        }
    )
