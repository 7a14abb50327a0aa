"""Every figure of the face model, measured from its logits on the test rows."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.face.data import FaceData
from convert.metrics import (
    Labels,
    Scores,
    calibration_error,
    fit_temperature,
    score,
)
from edge.emotions import EMOTIONS
from edge.perception.face_heads import FERPLUS, FaceHeads
from edge.perception.interpreter import Model
from edge.perception.probability import softmax

SHARES: Final = tuple(tenth / 10 for tenth in range(11))
"""Weights of the FER+ head that are compared."""
CROP_PX: Final = 44
"""Side of each of ten crops of a picture of 48."""
STRENGTHS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How much of what the net has learned of how often emotions occur is taken back: these are compared."""
_AMONG_SEVEN = np.array([EMOTIONS.index(name) if name in EMOTIONS else -1 for name in FERPLUS])
"""The place among the seven of each FER+ emotion; -1 for contempt."""


@dataclass(frozen=True, eq=False)
class FaceLogits:
    """What both heads say of the rows of one split."""

    fer2013: NDArray[np.float32]
    """[rows, 7]"""
    ferplus: NDArray[np.float32]
    """[rows, 8]"""


@dataclass(frozen=True, eq=False)
class SplitTruth:
    """Both label sets of the rows of one split."""

    fer2013: NDArray[np.int64]
    """[rows], 0-6."""
    ferplus: NDArray[np.int64]
    """[rows], 0-7 by majority; -1 where the official rule drops the row."""
    copies: NDArray[np.bool_]
    """[rows], rows whose pixels also are a training row."""
    votes: NDArray[np.float64]
    """[rows, 7], the FER+ votes among the seven as a distribution; zero where there are none."""

    @property
    def among_seven(self) -> NDArray[np.int64]:
        """The FER+ majority among the seven; -1 where there is none or it is contempt."""
        return np.where(self.ferplus >= 0, _AMONG_SEVEN[self.ferplus], -1)


@dataclass(frozen=True, eq=False)
class LabelledFaces:
    """What both heads say of the faces of one source, and what was seen in them: int64 [rows], 0-6."""

    source: str
    logits: FaceLogits
    truth: NDArray[np.int64]


@dataclass(frozen=True)
class Mix:
    """How well a blend of both heads does on the held-out rows, by either label set, and elsewhere."""

    heads: FaceHeads
    """At temperature 1."""
    strength: float
    """How much of the net's class prior its offsets take back, 0-1."""
    fer2013: Scores
    ferplus: Scores
    """Against the FER+ majority among the seven."""
    others: dict[str, Scores]
    """By source, of faces from elsewhere that have a say."""

    @property
    def worth(self) -> float:
        """Mean of accuracy and balanced accuracy, by the FER+ majority and by every other source."""
        judged = (self.ferplus, *self.others.values())
        return float(np.mean([(each.accuracy + each.balanced_accuracy) / 2 for each in judged]))


@dataclass(frozen=True, eq=False)
class Judged:
    """Scores and calibration of one way to read the net."""

    scores: Scores
    temperature: float
    """Fitted on the held-out rows."""
    error_before: float
    """Expected calibration error at temperature 1."""
    error_after: float


@dataclass(frozen=True, eq=False)
class FaceEvaluation:
    """Figures on FER2013 PrivateTest; whatever is chosen or fitted is so on the held-out rows."""

    fer2013: Judged
    """The FER2013 head against the FER2013 labels."""
    fer2013_fresh: Scores
    """The same without rows whose pixels also are a training row."""
    ferplus: Judged
    """The FER+ head against the FER+ majority, eight classes."""
    shown: Judged
    """The blend that the device shows, against the FER+ majority among the seven."""
    shown_fer2013: Scores
    """The blend against the FER2013 labels."""
    shown_fer2013_error: float
    """Expected calibration error by them."""
    heads: FaceHeads
    """The blend, calibrated."""
    class_prior: NDArray[np.float64]
    """[7], how often the net has learned each emotion, as far as the blend does not take that back."""


def truth_of(data: FaceData, rows: NDArray[np.intp]) -> SplitTruth:
    """Labels of some rows."""
    seven = data.ferplus[rows][:, [FERPLUS.index(name) for name in EMOTIONS]].astype(np.float64)
    votes = seven / np.maximum(seven.sum(axis=1, keepdims=True), 1e-9)
    return SplitTruth(data.label[rows], data.majority[rows], data.dup_in_train[rows], votes)


def logits_of(model: Model, pixels: NDArray[np.uint8]) -> FaceLogits:
    """uint8 [rows, 48, 48] -> logits, one forward pass of the int8 model each."""
    heads = [
        model.output((1, len(EMOTIONS)), "fer2013"),
        model.output((1, len(FERPLUS)), "ferplus"),
    ]
    raw = (pixels ^ 0x80).view(np.int8)[:, None, :, :, None]
    fer2013, ferplus = zip(
        *(model.run_all(crop, heads) for crop in tqdm(raw, desc="int8")), strict=True
    )
    return FaceLogits(np.concatenate(fer2013), np.concatenate(ferplus))


def ten_crop_logits_of(model: Model, pixels: NDArray[np.uint8]) -> FaceLogits:
    """As `logits_of`, the mean over ten crops: corners and middle, as they are and mirrored."""
    side = pixels.shape[1]
    places = (0, side - CROP_PX)
    corners = [*itertools.product(places, places), (places[1] // 2, places[1] // 2)]
    said = []
    for top, left in corners:
        crops = pixels[:, top : top + CROP_PX, left : left + CROP_PX]
        large = np.array([cv2.resize(crop, (side, side)) for crop in crops], np.uint8)
        said += [logits_of(model, large), logits_of(model, np.ascontiguousarray(large[:, :, ::-1]))]
    return FaceLogits(
        np.mean([each.fer2013 for each in said], axis=0),
        np.mean([each.ferplus for each in said], axis=0),
    )


def compare_mixes(
    logits: FaceLogits, truth: SplitTruth, others: Sequence[LabelledFaces] = ()
) -> list[Mix]:
    """Judge each weight of `SHARES` with each of `STRENGTHS`, weights first.

    Args:
        logits: of the held-out rows; how often a blend names each emotion of them is its prior.
        truth: of these rows.
        others: faces from elsewhere that have a say as well.
    """
    voted = truth.among_seven >= 0
    mixes = []
    for share in SHARES:
        prior = FaceHeads(share, 1.0).blend(logits.fer2013, logits.ferplus).mean(axis=0)
        for strength in STRENGTHS:
            heads = FaceHeads(share, 1.0, _taking_back(prior, strength))
            guess = heads.blend(logits.fer2013, logits.ferplus).argmax(axis=1)
            mixes.append(
                Mix(
                    heads,
                    strength,
                    score(truth.fer2013, guess, len(EMOTIONS)),
                    score(truth.among_seven[voted], guess[voted], len(EMOTIONS)),
                    {faces.source: _judge_faces(heads, faces) for faces in others},
                )
            )
    return mixes


def _taking_back(prior: NDArray[np.float64], strength: float) -> tuple[float, ...]:
    """Offsets that divide by the *prior* to the power of *strength*; their mean is 0."""
    offsets = -strength * np.log(prior)
    return tuple(round(float(each), 4) + 0.0 for each in offsets - offsets.mean())


def _judge_faces(heads: FaceHeads, faces: LabelledFaces) -> Scores:
    guess = heads.blend(faces.logits.fer2013, faces.logits.ferplus).argmax(axis=1)
    return score(faces.truth, guess, len(EMOTIONS))


def best_mix(mixes: list[Mix]) -> Mix:
    """The blend that is shown.

    A face in the wild has no label; the consensus of ten people is the nearest thing to one, and
    nearer than the word of one. Accuracy and balanced accuracy count alike: the one speaks for how
    often emotions occur, the other for the rare ones; and so do sources, whatever their size, for the
    person before the device is of none of them. Of those blends that are as good as the best one,
    within a standard error (Breiman et al. 1984), it is the one that agrees best with the other label
    set, accuracy and balanced accuracy again counting alike.
    """
    best = max(mixes, key=lambda mix: mix.worth)
    judged = (best.ferplus, *best.others.values())
    variances = [each.accuracy * (1 - each.accuracy) / each.rows for each in judged]
    standard_error = math.sqrt(sum(variances)) / len(judged)
    as_good = [mix for mix in mixes if mix.worth >= best.worth - standard_error]
    return max(as_good, key=lambda mix: mix.fer2013.accuracy + mix.fer2013.balanced_accuracy)


def evaluate_logits(
    held_out: FaceLogits,
    held_out_truth: SplitTruth,
    private: FaceLogits,
    private_truth: SplitTruth,
    blend: FaceHeads,
    others: Sequence[LabelledFaces] = (),
) -> FaceEvaluation:
    """Judge logits of the held-out rows and of PrivateTest, shown as *blend*, at temperature 1, does.

    The temperature of what is shown is fitted on the held-out rows, by their votes, and on *others*.
    """
    shown_private = np.log(blend.blend(private.fer2013, private.ferplus))
    voted, voted_held_out = private_truth.ferplus >= 0, held_out_truth.ferplus >= 0
    among = private_truth.among_seven
    seven = among >= 0
    temperature = _shown_temperature(held_out, held_out_truth, blend, others)
    fresh = ~private_truth.copies
    head = private.fer2013.argmax(axis=1)
    shown = _judged_at(temperature, shown_private[seven], among[seven], len(EMOTIONS))
    by_label = softmax(shown_private, shown.temperature)
    return FaceEvaluation(
        fer2013=_judge(
            held_out.fer2013, held_out_truth.fer2013, private.fer2013, private_truth.fer2013, 7
        ),
        fer2013_fresh=score(private_truth.fer2013[fresh], head[fresh], len(EMOTIONS)),
        ferplus=_judge(
            held_out.ferplus[voted_held_out],
            held_out_truth.ferplus[voted_held_out],
            private.ferplus[voted],
            private_truth.ferplus[voted],
            len(FERPLUS),
        ),
        shown=shown,
        shown_fer2013=score(private_truth.fer2013, by_label.argmax(axis=1), len(EMOTIONS)),
        shown_fer2013_error=calibration_error(by_label, private_truth.fer2013),
        heads=replace(blend, temperature=shown.temperature),
        class_prior=_left_prior(held_out, replace(blend, temperature=shown.temperature)),
    )


def _shown_temperature(
    held_out: FaceLogits,
    truth: SplitTruth,
    blend: FaceHeads,
    others: Sequence[LabelledFaces],
) -> float:
    """The temperature under which what was seen is likeliest, each source counting alike.

    Of the held-out rows by all votes, not by the majority alone: people are as hard to tell as those on
    whom the voters are divided, and the majority rule leaves these out.
    """
    voted = truth.votes.sum(axis=1) > 0.5
    sources = [(FaceLogits(held_out.fer2013[voted], held_out.ferplus[voted]), truth.votes[voted])]
    sources += [(each.logits, np.eye(len(EMOTIONS))[each.truth]) for each in others]
    logits = [np.log(blend.blend(said.fer2013, said.ferplus)) for said, _ in sources]
    weights = [np.full(len(seen), 1 / len(seen)) for _, seen in sources]
    return fit_temperature(
        np.concatenate(logits),
        np.concatenate([seen for _, seen in sources]),
        np.concatenate(weights),
    )


def _left_prior(held_out: FaceLogits, blend: FaceHeads) -> NDArray[np.float64]:
    """What the fusion has still to divide by: [7], sums to 1."""
    plain = FaceHeads(blend.ferplus_share, blend.temperature)
    often = plain.blend(held_out.fer2013, held_out.ferplus).mean(axis=0)
    left = often * np.exp(np.array(blend.offsets) / blend.temperature)
    return np.asarray(left / left.sum(), np.float64)


def _judge(
    fitted_on: NDArray[np.floating[Any]],
    fitted_truth: Labels,
    logits: NDArray[np.floating[Any]],
    truth: Labels,
    classes: int,
) -> Judged:
    return _judged_at(fit_temperature(fitted_on, fitted_truth), logits, truth, classes)


def _judged_at(
    temperature: float, logits: NDArray[np.floating[Any]], truth: Labels, classes: int
) -> Judged:
    return Judged(
        score(truth, logits.argmax(axis=1), classes),
        temperature,
        calibration_error(softmax(logits, 1.0), truth),
        calibration_error(softmax(logits, temperature), truth),
    )
