"""The targets of the face net: both label sets of a row, with their noise taken down."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convert.face.data import FaceData
from edge.emotions import EMOTIONS

Rows = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FaceTargets:
    """Targets of some rows; every distribution sums to 1.

    fer2013: float32 [rows, 7]. ferplus: float32 [rows, 8], zero where a row has no votes.
    """

    fer2013: Rows
    ferplus: Rows

    def of(self, rows: NDArray[np.intp]) -> "FaceTargets":
        """Those of some of the rows."""
        return replace(self, fer2013=self.fer2013[rows], ferplus=self.ferplus[rows])

    def distilled(self, teacher: "FaceTargets", share: float) -> "FaceTargets":
        """Replace *share* of each target by the *teacher*'s pseudo-labels; missing votes stay missing."""
        voted = (self.ferplus.sum(axis=1, keepdims=True) > 0).astype(np.float32)
        return replace(
            self,
            fer2013=(1 - share) * self.fer2013 + share * teacher.fer2013,
            ferplus=((1 - share) * self.ferplus + share * teacher.ferplus) * voted,
        )


def balanced(targets: FaceTargets, balance: float) -> Rows:
    """How often to show each row, [rows], mean 1: its emotions' shares to the power of -*balance*.

    Rows of which nobody knows the votes go by their FER2013 target alone.
    """
    known = (targets.ferplus.sum(axis=1) > 0).astype(np.float32)
    wanted = np.zeros(len(known), np.float32)
    for rows, part in ((targets.fer2013, 1 - known / 2), (targets.ferplus, known / 2)):
        share = np.maximum(rows.sum(axis=0) / max(float(rows.sum()), 1e-9), 1e-3)
        wanted += part * (rows @ (share**-balance).astype(np.float32))
    return np.asarray(wanted / wanted.mean(), np.float32)


def make_targets(data: FaceData, label_share: float, majority_share: float = 0.0) -> FaceTargets:
    """Targets of all rows, with votes turned to FER2013 labels as fitted on training rows alone.

    A FER2013 label is one annotator's noisy word; the ten FER+ votes of the same row say how likely
    each label was. The `fer2013` target is *label_share* of the label itself and else the label
    distribution that the votes predict, which has the same mean and far less noise. The `ferplus`
    target is the votes, but *majority_share* of it the emotion of the majority, where there is one:
    what most see is what the net is judged by, and is not always what it expects most votes for.
    """
    one_hot = np.eye(len(EMOTIONS), dtype=np.float32)[data.label]
    voted = data.ferplus.sum(axis=1) > 0
    training = data.rows("Training")
    predicted = _labels_from_votes(data, training[voted[training]])
    predicted[~voted] = one_hot[~voted]
    mixed: Rows = (label_share * one_hot + (1 - label_share) * predicted).astype(np.float32)
    most = np.eye(data.ferplus.shape[1], dtype=np.float32)[data.majority]
    share = np.where(voted & (data.majority >= 0), majority_share, 0)[:, None].astype(np.float32)
    return FaceTargets(mixed, (1 - share) * data.ferplus + share * most)


def votes_predict(data: FaceData, *splits: str) -> dict[str, float]:
    """By split, how often the label that the votes predict is the row's own, 0-1.

    Of the rows that have votes.
    """
    predicted = make_targets(data, 0.0).fer2013.argmax(axis=1)
    right = predicted == data.label
    voted = data.ferplus.sum(axis=1) > 0
    shares = {}
    for split in splits:
        rows = data.rows(split)
        shares[split] = float(right[rows][voted[rows]].mean())
    return shares


def _labels_from_votes(data: FaceData, rows: NDArray[np.intp]) -> Rows:
    """Multinomial logistic regression from votes to labels, fitted on *rows*, applied to all."""
    votes = data.all_votes / np.maximum(data.all_votes.sum(axis=1, keepdims=True), 1)
    most = votes == votes.max(axis=1, keepdims=True)
    inputs = torch.from_numpy(
        np.concatenate([votes, np.sqrt(votes), most], axis=1).astype(np.float32)
    )
    labels = torch.from_numpy(data.label)
    model = nn.Linear(inputs.shape[1], len(EMOTIONS))
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=100)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
        value = value + 1e-4 * model.weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.inference_mode():
        predicted: Rows = model(inputs).softmax(dim=1).numpy()
    return predicted.copy()
