"""Trains the face net on FER2013 with FER+ votes."""

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convert.atomic_files import claim
from convert.errors import RecipeError
from convert.face.augment import blend_pairs, plain_views, random_views
from convert.face.data import FaceData
from convert.face.evaluate import FaceLogits
from convert.face.lessons import Lessons
from convert.face.net import FaceNet, FaceOutputs, grow
from convert.face.targets import FaceTargets, balanced, make_targets
from convert.metrics import fit_temperature
from convert.training.loop import History, Schedule, cross_entropy, train
from convert.training.recipe import FaceRecipe
from convert.training.weights import load_weights, stored_names
from edge.perception.probability import softmax

_FREE = {"epochs", "falling_epochs", "stop_after", "mild_epochs", "first", "first_share"}
"""How long to train is the schedule's, which knows when a checkpoint can be gone on from; what comes
before or after has no part in these epochs."""


_SEEN_DOUBT: Final = 0.01
"""Chance that a crop is not what it is said to be."""


def build_face_net(recipe: FaceRecipe) -> FaceNet:
    """The untrained net of a recipe."""
    return FaceNet(
        recipe.widths, recipe.blocks, recipe.dropout, recipe.separable, seen=recipe.seen_weight > 0
    )


def load_face_net(recipe: FaceRecipe, weights: Path) -> FaceNet:
    """The net of *recipe* with published *weights*; they may be from before it had the head `seen`.

    Raises:
        DataError: they are missing, damaged, or of a net of another shape.
    """
    net = build_face_net(recipe)
    if net.seen is not None and "seen.weight" not in stored_names(weights):
        net = build_face_net(recipe.model_copy(update={"seen_weight": 0.0}))
    load_weights(net, weights)
    return net


def train_face(
    data: FaceData,
    recipe: FaceRecipe,
    work: Path,
    name: str = "face.pt",
    start: Path | None = None,
    lessons: Lessons | None = None,
    before: Path | None = None,
    mistakes: NDArray[np.uint8] | None = None,
) -> tuple[FaceNet, History]:
    """Train by *recipe*, choosing nothing on the test rows; checkpoints go to *work*.

    It begins with the weights in *start*, if there are any, or as the net of `recipe.first`, which
    is trained before, unless its weights are in *before*; unless *work* holds a checkpoint.

    Once `teacher_from` epochs are done, the average of the net's own weights teaches: every
    `teacher_every` epochs it reads all training rows plainly and mirrored, and its pseudo-labels become
    `teacher_share` of every target (self-distillation from a mean teacher, Tarvainen & Valpola
    2017). *lessons* of teachers trained before are `lesson_share` of every target, and bring faces
    that have no other. *mistakes*, uint8 [n, 48, 48], show no face; so many of them as `mistakes_share`
    says come with every batch, and have no target but that.

    Raises:
        RecipeError: a checkpoint in *work* is damaged or of another recipe, or there is *before*, but
            no earlier stage.

    Returns:
        The averaged net, and per epoch its loss and its accuracy by both label sets on the
        PublicTest rows, or on the held-out ones if it may know the others; epochs of `recipe.first`
        that were trained here come first.
    """
    check_lessons(recipe, lessons)
    check_mistakes(recipe, mistakes)
    if before is not None and recipe.first is None:
        raise RecipeError(
            "The recipe has one stage, and so none before it: leave --before out, or name the weights "
            "as start in the recipe."
        )
    return _train_stages(data, recipe, work, name, start, lessons, before, mistakes)


def _train_stages(
    data: FaceData,
    recipe: FaceRecipe,
    work: Path,
    name: str,
    start: Path | None,
    lessons: Lessons | None,
    before: Path | None = None,
    mistakes: NDArray[np.uint8] | None = None,
) -> tuple[FaceNet, History]:
    """The first stage before this one, if there is any; as `train_face`."""
    small, earlier = None, list[dict[str, float]]()
    if recipe.first is not None and before is not None:
        small = load_face_net(recipe.first, before)
    elif recipe.first is not None:
        small, earlier = _train_stages(
            data, recipe.first, work, f"first.{name}", start, lessons, None, mistakes
        )
    torch.manual_seed(recipe.seed)
    untrained = build_face_net(recipe)
    if small is not None:
        grow(small, untrained)
        begun = {
            name: value.clone()
            for name, value in untrained.state_dict().items()
            # A head that is new began with chance, which is nothing to go back to.
            if untrained.seen is None or small.seen is not None or not name.startswith("seen.")
        }
    elif start is not None:
        load_weights(untrained, start)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = data.training_rows(recipe.learn_public)
    rows = rows[~data.not_face[rows]]
    pixels = data.pixels[rows]
    labeled = make_targets(data, recipe.label_share, recipe.majority_share).of(rows)
    if recipe.lesson_share and lessons is not None:
        labeled = lessons.beside(labeled, rows, recipe.lesson_share)
        pixels = np.concatenate([pixels, lessons.pixels])
    gray = torch.from_numpy(pixels[:, None]).to(device)
    often = torch.from_numpy(balanced(labeled, recipe.balance))
    nothing = gray[:0]
    if recipe.seen_weight and mistakes is not None:
        nothing = torch.from_numpy(mistakes[:, None]).to(device)
    beside = round(recipe.batch * recipe.mistakes_share) if len(nothing) else 0
    steps = len(pixels) // recipe.batch
    by_term: dict[int, tuple[Tensor, Tensor]] = {}

    def targets_of(epoch: int, teacher: nn.Module) -> tuple[Tensor, Tensor]:
        due = max(0, epoch - recipe.teacher_from) // recipe.teacher_every
        term = due if epoch >= recipe.teacher_from else -1
        if term not in by_term:
            by_term.clear()
            targets = labeled
            if term >= 0:
                targets = labeled.distilled(
                    pseudo_label(teacher, gray, labeled), recipe.teacher_share
                )
            by_term[term] = (
                torch.from_numpy(targets.fer2013).to(device),
                torch.from_numpy(targets.ferplus).to(device),
            )
        return by_term[term]

    def batches(epoch: int, average: nn.Module) -> Iterator[tuple[Tensor, tuple[Tensor, ...]]]:
        targets = targets_of(epoch, average)
        generator = torch.Generator().manual_seed(recipe.seed * 1_000 + epoch)
        order = torch.randperm(len(pixels), generator=generator)
        if recipe.balance:
            order = torch.multinomial(often, len(pixels), replacement=True, generator=generator)
        size_px = recipe.early_size_px if epoch < recipe.early_epochs else 48
        mild = epoch >= recipe.epochs - recipe.mild_epochs
        strength = recipe.mild_strength if mild else 1.0
        mixup_share = 0.0 if mild else recipe.mixup_share
        for step in range(steps):
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch].to(device)
            crops = gray[chosen]
            wanted = (
                *(each[chosen] for each in targets),
                torch.ones(len(chosen), 1, device=device),
            )
            if beside:
                others = torch.randint(len(nothing), (beside,), generator=generator).to(device)
                crops = torch.cat([crops, nothing[others]])
                # Rows of zeros: where there is no face there is no emotion to be wrong about.
                wanted = tuple(
                    torch.cat([each, each.new_zeros(beside, each.shape[1])]) for each in wanted
                )
            views = random_views(crops, size_px, generator, strength, wide=recipe.wide)
            views, blended = blend_pairs(views, wanted, mixup_share, generator)
            yield views.contiguous(memory_format=torch.channels_last), blended

    validation = data.held_out if recipe.knows_public else data.rows("PublicTest")
    label, majority = data.label[validation], data.majority[validation]

    def validate(net: nn.Module) -> dict[str, float]:
        logits = float_logits(net, data.pixels[validation])
        judged = majority >= 0
        return {
            "fer2013": float((logits.fer2013.argmax(axis=1) == label).mean()),
            "ferplus": float((logits.ferplus.argmax(axis=1) == majority)[judged].mean()),
        }

    schedule = Schedule(
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        peak_rate=recipe.peak_rate,
        weight_decay=recipe.weight_decay,
        average_decay=recipe.average_decay,
        falling_epochs=recipe.falling_epochs,
        optimiser=recipe.optimiser,
        precision=recipe.precision,
    )
    loss = partial(face_loss, ferplus_weight=recipe.ferplus_weight, seen_weight=recipe.seen_weight)
    net = untrained.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    checkpoint = work / name
    taught = lessons.digest if recipe.lesson_share and lessons is not None else ""
    against = (
        hashlib.sha256(mistakes.tobytes()).hexdigest() if beside and mistakes is not None else ""
    )
    begun_with = "" if before is None else hashlib.sha256(before.read_bytes()).hexdigest()
    claimed = _Taught(**recipe.model_dump(), lessons=taught, mistakes=against, before=begun_with)
    claim(claimed, _FREE, checkpoint, checkpoint.with_suffix(".recipe.json"), aside="it")
    trained, history = train(net, batches, loss, schedule, validate, checkpoint, recipe.stop_after)
    if recipe.first_share:
        mix_weights(trained, begun, recipe.first_share)
        said = ", ".join(f"{kind} {value:.4f}" for kind, value in validate(trained).items())
        print(
            f"with {recipe.first_share:.0%} of the weights that it began with: {said}", flush=True
        )
    later = [{**row, "epoch": row["epoch"] + len(earlier)} for row in history]
    return trained.cpu(), earlier + later


class _Taught(FaceRecipe):
    """A recipe, and by whose lessons, mistakes and weights it was followed."""

    lessons: str = ""
    mistakes: str = ""
    before: str = ""


def check_lessons(recipe: FaceRecipe, lessons: Lessons | None) -> None:
    """See before hours of work that *lessons* are given if, and only if, *recipe* is to take them.

    Raises:
        RecipeError: they are not.
    """
    taken = any(stage.lesson_share for stage in recipe.stages)
    if taken and lessons is None:
        raise RecipeError(
            "The recipe has a lesson_share: name the lessons of its teachers with --lessons, or take "
            "it out."
        )
    if lessons is not None and not taken:
        raise RecipeError("The recipe takes no lessons: set lesson_share, or leave --lessons out.")


def check_mistakes(recipe: FaceRecipe, mistakes: NDArray[np.uint8] | None) -> None:
    """See before hours of work that *mistakes* are given if, and only if, *recipe* is to take them.

    Raises:
        RecipeError: they are not.
    """
    taken = any(stage.seen_weight for stage in recipe.stages)
    if taken and mistakes is None:
        raise RecipeError(
            "The recipe has a seen_weight: name crops without a face with --mistakes, or take it out."
        )
    if mistakes is not None and not taken:
        raise RecipeError("The recipe takes no mistakes: set seen_weight, or leave --mistakes out.")


def mix_weights(net: nn.Module, other: dict[str, Tensor], share: float) -> None:
    """Put *share* of the weights *other* into *net*, the rest, and what *other* lacks, staying its own.

    Between two nets of one training the loss is lower than at either (Wortsman et al. 2022, "Model
    soups").
    """
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.is_floating_point() and name in other:
                value.lerp_(other[name].to(value), share)


def face_loss(
    given: FaceOutputs,
    targets: tuple[Tensor, ...],
    ferplus_weight: float = 1.0,
    seen_weight: float = 0.0,
) -> Tensor:
    """Weighted sum of the heads' cross-entropies.

    targets: [rows, 7] and [rows, 8] of the emotions, in which a row of zeros adds nothing, and [rows, 1],
    whether there is a face.
    """
    loss = cross_entropy(given.fer2013, targets[0])
    loss = loss + ferplus_weight * cross_entropy(given.ferplus, targets[1])
    if given.seen is not None:
        wanted = targets[2] * (1 - 2 * _SEEN_DOUBT) + _SEEN_DOUBT
        seen = nn.functional.binary_cross_entropy_with_logits(given.seen.float(), wanted)
        loss = loss + seen_weight * seen
    return loss


def pseudo_label(net: nn.Module, gray: Tensor, labeled: FaceTargets) -> FaceTargets:
    """What *net* predicts of each crop (uint8 [rows, 1, 48, 48]) and its mirror image together.

    A net that learns from blended and degraded pictures doubts plain ones too much; a temperature,
    fitted to what the rows are *labeled*, gives its pseudo-labels the right sharpness.
    """
    net.eval()
    seven: list[Tensor] = []
    eight: list[Tensor] = []
    with torch.inference_mode():
        for part in plain_views(gray).split(256):
            plain, mirrored = net(part), net(part.flip(3))
            seven.append((plain.fer2013 + mirrored.fer2013) / 2)
            eight.append((plain.ferplus + mirrored.ferplus) / 2)

    def sharpened(parts: list[Tensor], targets: NDArray[np.float32]) -> NDArray[np.float32]:
        logits = torch.cat(parts).cpu().numpy()
        known = targets.sum(axis=1) > 0
        temperature = fit_temperature(logits[known], targets[known])
        return softmax(logits, temperature).astype(np.float32)

    return FaceTargets(sharpened(seven, labeled.fer2013), sharpened(eight, labeled.ferplus))


def calibration_crops(
    data: FaceData, count: int, seed: int, mistakes: NDArray[np.uint8] | None = None
) -> list[NDArray[np.float32]]:
    """Training crops for int8 calibration: float32 [1, 48, 48, 1] each, black and white included.

    Of *mistakes* there are some too, for what the net says of no face.
    """
    random = np.random.default_rng(seed)
    pixels = data.pixels[random.choice(data.rows("Training"), count, replace=False)]
    if mistakes is not None:
        some = random.choice(len(mistakes), min(len(mistakes), count // 4), replace=False)
        pixels = np.concatenate([pixels, mistakes[some]])
    crops = [(one[None, ..., None].astype(np.float32) - 128) / 128 for one in pixels]
    ramp = np.linspace(0, 255, 48 * 48).round().reshape(1, 48, 48, 1).astype(np.float32)
    return [*crops, (ramp - 128) / 128]


def float_logits(net: nn.Module, pixels: NDArray[np.uint8]) -> FaceLogits:
    """Logits of both heads for uint8 crops [rows, 48, 48], by the net in floats."""
    net.eval()
    device = next(net.parameters()).device
    with torch.inference_mode():
        crops = torch.from_numpy(pixels[:, None]).to(device)
        given = [net(part) for part in plain_views(crops).split(512)]
    return FaceLogits(
        torch.cat([each.fer2013 for each in given]).cpu().numpy(),
        torch.cat([each.ferplus for each in given]).cpu().numpy(),
    )
