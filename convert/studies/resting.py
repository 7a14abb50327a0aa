"""Whether it helps to know how somebody looks at rest: tried on people who were kept out.

Three readings of the same faces are compared: the net's own; its log-probabilities less what the
person's resting face makes of them; and a small linear head that adds to them what the difference of
the net's features between now and rest tells. Both latter ones are fitted on other people.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from convert.face.extra import net_input
from convert.studies.strangers import CLIPS, clips, stills
from edge.emotions import EMOTIONS
from edge.perception.face_net import FaceNet
from edge.perception.manifest import load_manifest

NEUTRAL: Final = EMOTIONS.index("neutral")
SOURCES: Final = ("ctu_nir", CLIPS)
"""They show one person at rest, again at rest and otherwise. The nets have learned from none of them;
a head that was fitted on them would make them strangers no more."""
FOLDS: Final = 5
RIDGE: Final = (0.003, 0.03, 0.3, 3.0)
"""Penalties of the head's weights, of which the best on a fold of its own people is taken."""
FRAMES: Final = 6
"""Of a clip, spread evenly over it."""
RESAMPLED: Final = 1000


@dataclass(frozen=True, eq=False)
class Looks:
    """Faces of people of whom a resting face is known.

    logits: log-probabilities [n, 7]. away: features less those at rest [n, c]. rest: log-probabilities
    of the resting face [n, 7]. truth [n], person [n], source [n].
    """

    logits: NDArray[np.float64]
    away: NDArray[np.float64]
    rest: NDArray[np.float64]
    truth: NDArray[np.int64]
    person: NDArray[np.str_]
    source: NDArray[np.str_]

    def of(self, rows: NDArray[Any]) -> "Looks":
        """Some of them."""
        return Looks(
            self.logits[rows],
            self.away[rows],
            self.rest[rows],
            self.truth[rows],
            self.person[rows],
            self.source[rows],
        )


Reader = Callable[[Looks], NDArray[np.int64]]


def compare_resting(data: Path, models: Path, seed: int = 1) -> None:
    """Print how the three readings do on people that were kept out of the fit.

    Args:
        data: folder with `face_extra`.
        models: folder of the shipped models.
        seed: parts people into folds.

    Raises:
        DataError: a pack is missing.
        ModelError: a model is.
    """
    looks = _looks(data / "face_extra", FaceNet(models, load_manifest(models).face))
    people = np.unique(looks.person)
    print(f"{len(looks.truth):,} faces of {len(people)} people of whom a resting face is known.\n")
    print(
        "| kept out | faces | the net | less the resting face | features away from rest | gained |"
    )
    print("|---|---|---|---|---|---|")
    random = np.random.default_rng(seed)
    folds = {person: index % FOLDS for index, person in enumerate(random.permutation(people))}
    fold = np.array([folds[person] for person in looks.person])
    _print_row(f"people, in {FOLDS} folds", looks, fold, random)
    for source in SOURCES:
        chosen = (looks.source == source).astype(int)
        _print_row(f"`{source}`", looks, chosen, random, only=1)
    print(
        "\nBalanced over the emotions of each source, mean of the sources; gained by the features, 95 %"
    )
    print(f"by {RESAMPLED:,} draws of people.")


def _looks(folder: Path, net: FaceNet) -> Looks:
    by_person: dict[tuple[str, str], list[tuple[int, NDArray[np.uint8]]]] = defaultdict(list)
    for source, crops, truth, persons in stills(folder):
        if source in SOURCES:
            for crop, label, person in zip(crops, truth, persons, strict=True):
                by_person[source, str(person)].append((int(label), crop[None]))
    for emotion, actor, crops in clips(folder):
        chosen = np.linspace(0, len(crops) - 1, FRAMES).round().astype(int)
        by_person[CLIPS, actor].append((emotion, crops[chosen]))
    rows: list[tuple[Any, ...]] = []
    for (source, person), shown in by_person.items():
        read = [_read(net, crops) for _, crops in shown]
        resting = [index for index, (label, _) in enumerate(shown) if label == NEUTRAL]
        for index, (label, _) in enumerate(shown):
            others = [each for each in resting if each != index]
            if not others:
                continue
            log_p, features = read[index]
            rest_p = np.mean([read[each][0] for each in others], axis=0)
            rest_features = np.mean([read[each][1] for each in others], axis=0)
            rows.append(
                (log_p, features - rest_features, rest_p, label, f"{source}/{person}", source)
            )
    log_p, away, rest, truth, who, where = (np.array(column) for column in zip(*rows, strict=True))
    return Looks(log_p, away.astype(np.float64), rest, truth.astype(np.int64), who, where)


def _read(
    net: FaceNet, crops: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean log-probabilities [7] and mean features [c] of crops of 96."""
    said = [
        (np.log(net.read(crop)), net.features(crop).mean(axis=(0, 1))) for crop in net_input(crops)
    ]
    return np.mean([each[0] for each in said], axis=0), np.mean([each[1] for each in said], axis=0)


def _balanced(guess: NDArray[np.int64], looks: Looks) -> float:
    """Mean over the sources of the mean recall of the emotions that each has."""
    values = []
    for source in sorted(set(looks.source.tolist())):
        rows = looks.source == source
        truth, right = looks.truth[rows], guess[rows] == looks.truth[rows]
        values.append(np.mean([right[truth == each].mean() for each in np.unique(truth)]))
    return float(np.mean(values))


def _plain(looks: Looks) -> NDArray[np.int64]:
    return np.asarray(looks.logits.argmax(axis=1))


def shifted(known: Looks) -> Reader:
    """The log-probabilities less so much of those at rest as does best on *known*."""
    strengths = np.linspace(0, 1, 11)

    def read(strength: float, looks: Looks) -> NDArray[np.int64]:
        rest = np.zeros(len(EMOTIONS))
        rest[NEUTRAL] = 1  # what is at rest is to be neutral
        corrected = looks.logits - strength * (looks.rest - np.log(0.04 + 0.72 * rest))
        return np.asarray(corrected.argmax(axis=1))

    best = max(strengths, key=lambda each: _balanced(read(float(each), known), known))
    return lambda looks: read(float(best), looks)


def led(known: Looks, seed: int) -> Reader:
    """A linear head on how far features are from rest, fitted on *known*; rows of one person together."""
    people = np.unique(known.person)
    random = np.random.default_rng(seed)
    deciding = np.isin(known.person, random.permutation(people)[: max(1, len(people) // 5)])
    if deciding.all() or not deciding.any():
        deciding = np.arange(len(known.truth)) % 5 == 0
    tried = {
        ridge: _balanced(_head(known.of(~deciding), ridge)(known.of(deciding)), known.of(deciding))
        for ridge in RIDGE
    }
    return _head(known, max(tried, key=lambda each: tried[each]))


def _head(known: Looks, ridge: float) -> Reader:
    scale = known.away.std(axis=0) + 1e-6
    away = torch.from_numpy(known.away / scale)
    logits, truth = torch.from_numpy(known.logits), torch.from_numpy(known.truth)
    counts = np.bincount(known.truth, minlength=len(EMOTIONS))
    often = torch.from_numpy(1 / np.maximum(counts, 1))[truth]
    weights = torch.zeros(away.shape[1], len(EMOTIONS), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(EMOTIONS), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        said = logits + away @ weights + bias
        value = (often * cross_entropy(said, truth, reduction="none")).sum() / often.sum()
        value = value + ridge * weights.square().sum() + 0.01 * bias.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    fitted, shift = weights.detach().numpy(), bias.detach().numpy()
    return lambda looks: np.asarray(
        (looks.logits + looks.away / scale @ fitted + shift).argmax(axis=1)
    )


def _print_row(
    name: str,
    looks: Looks,
    fold: NDArray[Any],
    random: np.random.Generator,
    only: int | None = None,
) -> None:
    guesses = {kind: np.full(len(looks.truth), -1) for kind in ("net", "shifted", "led")}
    for kept_out in sorted(set(fold.tolist())) if only is None else [only]:
        rows = fold == kept_out
        known = looks.of(~rows)
        for kind, reader in (("net", _plain), ("shifted", shifted(known)), ("led", led(known, 1))):
            guesses[kind][rows] = reader(looks.of(rows))
    judged = np.flatnonzero(guesses["net"] >= 0)
    tested = looks.of(judged)
    scores = {kind: _balanced(guess[judged], tested) for kind, guess in guesses.items()}
    low, high = _interval(guesses["net"][judged], guesses["led"][judged], tested, random)
    gained = (scores["led"] - scores["net"]) * 100
    print(
        f"| {name} | {len(judged):,} | {scores['net']:.1%} | {scores['shifted']:.1%} | "
        f"{scores['led']:.1%} | {gained:+.1f} ({low:+.1f} to {high:+.1f}) |",
        flush=True,
    )


def _interval(
    before: NDArray[np.int64], after: NDArray[np.int64], looks: Looks, random: np.random.Generator
) -> Sequence[float]:
    """Points gained, 95 %, by drawing people again and again."""
    rows_of = [np.flatnonzero(looks.person == person) for person in np.unique(looks.person)]
    gained = []
    for _ in range(RESAMPLED):
        rows = np.concatenate(
            [rows_of[each] for each in random.integers(len(rows_of), size=len(rows_of))]
        )
        drawn = looks.of(rows)
        gained.append(_balanced(after[rows], drawn) - _balanced(before[rows], drawn))
    return tuple(float(each) * 100 for each in np.percentile(gained, [2.5, 97.5]))
