"""Larger nets that teach the one on the device: trained apart, asked together.

What several nets with different beginnings say of ten crops of a picture, on average, errs less and
knows better how sure to be than any one of them (Hinton et al. 2015, "Distilling the knowledge in a
neural network"; Lakshminarayanan et al. 2017, "Deep ensembles"). So it is worth learning, also of
faces that nobody has labelled.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from convert.errors import RecipeError
from convert.face.augment import plain_views
from convert.face.data import FaceData
from convert.face.evaluate import CROP_PX, FaceLogits
from convert.face.extra import STRANGERS, load_faces, net_input
from convert.face.lessons import Lessons, save_lessons
from convert.face.targets import FaceTargets, make_targets
from convert.face.train import train_face
from convert.metrics import fit_temperature
from convert.training.recipe import FaceRecipe
from edge.emotions import EMOTIONS
from edge.perception.face_heads import FERPLUS
from edge.perception.probability import softmax
from edge.process.printable import printable

_BATCH: Final = 256


def make_lessons(
    data: FaceData,
    recipe: FaceRecipe,
    seeds: Sequence[int],
    packs: Sequence[Path],
    work: Path,
    others: Sequence[nn.Module] = (),
) -> Path:
    """Train a teacher for each seed, ask them and *others* all, and write down what they say.

    Args:
        data: FER2013 with FER+ votes.
        recipe: of a teacher; only its seed differs.
        seeds: at least one.
        packs: of faces; those with a label and one in five others stay out, for they decide or test.
        work: for checkpoints, from which a later call goes on; `lessons.npz` comes here.
        others: nets trained before, which are asked as well.

    Raises:
        RecipeError: a checkpoint is of another recipe, or the recipe is none for a teacher.
        DataError: a pack is missing or damaged.

    Returns:
        Where they were written.
    """
    if recipe.first is not None or recipe.start or recipe.lesson_share or recipe.seen_weight:
        raise RecipeError(
            "Teachers begin afresh and apart: their recipe has one stage, and neither start nor "
            "lesson_share nor seen_weight."
        )
    faces = _unlabelled(packs)  # before hours of work
    teachers = [*others]
    for seed in seeds:
        print(f"teacher {seed}", flush=True)
        own = recipe.model_copy(update={"seed": seed})
        net, _ = train_face(data, own, work, f"teacher-{seed}.pt")
        teachers.append(net)
    rows = data.training_rows(
        True
    )  # whatever they have learned: the net may learn from all of these
    pixels = np.concatenate([data.pixels[rows], *faces])
    labeled = make_targets(data, recipe.label_share, recipe.majority_share).of(rows)
    said = ask(teachers, pixels, labeled, half=recipe.precision == "bfloat16")
    count, shape = len(rows), (len(data.pixels),)
    training = FaceTargets(
        np.zeros((*shape, len(EMOTIONS)), np.float32), np.zeros((*shape, len(FERPLUS)), np.float32)
    )
    training.fer2013[rows], training.ferplus[rows] = said.fer2013[:count], said.ferplus[:count]
    extra = FaceTargets(said.fer2013[count:], said.ferplus[count:])
    file = work / "lessons.npz"
    save_lessons(Lessons(training, pixels[count:], extra, len(teachers)), file)
    return file


def ask(
    teachers: Sequence[nn.Module],
    pixels: NDArray[np.uint8],
    labeled: FaceTargets,
    half: bool = False,
) -> FaceTargets:
    """The mean of what they say of uint8 crops [n, 48, 48], *half*: computed in bfloat16.

    Each one's sharpness is set to what the first rows are *labeled*: nets that learn from degraded
    pictures doubt plain ones too much.
    """
    known = len(labeled.fer2013)
    seven: list[NDArray[np.float64]] = []
    eight: list[NDArray[np.float64]] = []
    for teacher in teachers:
        logits = ten_crop_logits(teacher, pixels, half)
        for given, truth, said in (
            (logits.fer2013, labeled.fer2013, seven),
            (logits.ferplus, labeled.ferplus, eight),
        ):
            voted = truth.sum(axis=1) > 0
            temperature = fit_temperature(given[:known][voted], truth[voted])
            said.append(softmax(given, temperature))
    return FaceTargets(
        np.mean(seven, axis=0).astype(np.float32), np.mean(eight, axis=0).astype(np.float32)
    )


def ten_crop_logits(net: nn.Module, pixels: NDArray[np.uint8], half: bool = False) -> FaceLogits:
    """Mean logits of both heads over ten crops of each picture, uint8 [n, 48, 48].

    *half*: computed in bfloat16.
    """
    net.eval()
    seven, eight = [], []
    device = next(net.parameters()).device
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
        for start in tqdm(range(0, len(pixels), _BATCH), desc="ten crops", leave=False):
            part = torch.from_numpy(pixels[start : start + _BATCH, None]).to(device)
            given = [net(view) for view in ten_crops(plain_views(part))]
            seven.append(torch.stack([each.fer2013 for each in given]).float().mean(dim=0))
            eight.append(torch.stack([each.ferplus for each in given]).float().mean(dim=0))
    return FaceLogits(
        torch.cat(seven).float().cpu().numpy(), torch.cat(eight).float().cpu().numpy()
    )


def ten_crops(views: Tensor) -> Iterator[Tensor]:
    """Corners and middle of [n, 1, h, w], each as it is and mirrored: ten of [n, 1, 44, 44]."""
    height, width = views.shape[2] - CROP_PX, views.shape[3] - CROP_PX
    corners = [(0, 0), (0, width), (height, 0), (height, width), (height // 2, width // 2)]
    for top, left in corners:
        crop = views[:, :, top : top + CROP_PX, left : left + CROP_PX]
        yield crop
        yield crop.flip(3)


def _unlabelled(files: Sequence[Path]) -> list[NDArray[np.uint8]]:
    """The faces of packs as the net takes them, but for those that are to decide or test.

    A picture that has a label in one pack may be in another without it.
    """
    packs = [load_faces(file) for file in files]
    labelled = np.concatenate(
        [np.array([], str), *(each.picture[each.label >= 0] for each in packs)]
    )
    found = []
    for file, faces in zip(files, packs, strict=True):
        judged = np.isin(faces.source, STRANGERS) | np.isin(faces.picture, labelled)
        left = ~judged & ~faces.kept_back
        if not left.all():
            print(
                f"{printable(file)}: {int((~left).sum()):,} faces that decide or test are left out"
            )
        found.append(net_input(faces.pixels[left]))
    return found
