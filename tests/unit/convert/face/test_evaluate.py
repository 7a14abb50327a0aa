from dataclasses import replace

import numpy as np
import pytest

from convert.face.evaluate import (
    FaceLogits,
    SplitTruth,
    best_share,
    compare_mixes,
    evaluate_logits,
)
from edge.perception.face_heads import FERPLUS


def split(rows: int, seed: int, ferplus_strength: float = 4.0) -> tuple[FaceLogits, SplitTruth]:
    """Voters agree with the FER+ head; the labels follow the FER2013 head half of the time."""
    random = np.random.default_rng(seed)
    voted = random.integers(0, 7, rows)
    ferplus = random.normal(size=(rows, 8)).astype(np.float32)
    ferplus[np.arange(rows), voted] += ferplus_strength
    label = random.integers(0, 7, rows)
    fer2013 = random.normal(size=(rows, 7)).astype(np.float32)
    fer2013[np.arange(rows), label] += 2
    majority = voted.astype(np.int64)
    majority[: rows // 10] = -1
    copies = np.zeros(rows, bool)
    copies[::7] = True
    return FaceLogits(fer2013, ferplus), SplitTruth(label.astype(np.int64), majority, copies)


def test_blend_that_agrees_best_with_the_voters_is_shown() -> None:
    logits, truth = split(900, 0)
    mixes = compare_mixes(logits, truth)
    assert [mix.share for mix in mixes] == sorted(mix.share for mix in mixes)
    assert best_share(mixes) >= 0.75
    assert mixes[-1].ferplus.accuracy > mixes[0].ferplus.accuracy
    assert mixes[0].fer2013.accuracy > mixes[-1].fer2013.accuracy


def test_of_blends_that_the_voters_cannot_tell_apart_the_labels_choose() -> None:
    logits, truth = split(900, 0)
    mixes = compare_mixes(logits, truth)
    best = max(mixes, key=lambda mix: mix.worth)
    chosen = next(mix for mix in mixes if mix.share == best_share(mixes))
    assert chosen.fer2013.accuracy >= best.fer2013.accuracy
    assert best.worth - chosen.worth < 0.02
    even = [replace(mix, ferplus=best.ferplus) for mix in mixes]
    assert best_share(even) == max(mixes, key=lambda mix: mix.fer2013.accuracy).share


def test_dropped_rows_and_contempt_do_not_count_among_the_seven() -> None:
    logits, truth = split(900, 1)
    truth.ferplus[-5:] = FERPLUS.index("contempt")
    assert compare_mixes(logits, truth)[0].ferplus.rows == 900 - 90 - 5


def test_each_reading_is_judged_on_its_own_rows() -> None:
    public, public_truth = split(800, 2)
    private, private_truth = split(700, 3)
    evaluation = evaluate_logits(public, public_truth, private, private_truth, 0.5)
    assert evaluation.fer2013.scores.rows == 700
    assert evaluation.fer2013_fresh.rows == 600
    assert evaluation.ferplus.scores.rows == 630
    assert evaluation.ferplus.scores.recall.shape == (8,)
    assert evaluation.class_prior.sum() == pytest.approx(1)


def test_temperature_mends_an_overconfident_head() -> None:
    public, public_truth = split(3_000, 4)
    private, private_truth = split(3_000, 5)
    loud = [FaceLogits(each.fer2013 * 6, each.ferplus) for each in (public, private)]
    evaluation = evaluate_logits(loud[0], public_truth, loud[1], private_truth, 0.0)
    assert evaluation.fer2013.temperature > 3
    assert evaluation.fer2013.error_after < 0.3 * evaluation.fer2013.error_before
