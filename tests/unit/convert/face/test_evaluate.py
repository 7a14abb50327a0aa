from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.face.evaluate import (
    FaceLogits,
    LabelledFaces,
    SplitTruth,
    best_mix,
    compare_mixes,
    evaluate_logits,
)
from edge.emotions import EMOTIONS
from edge.perception.face_heads import FERPLUS, FaceHeads


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
    among = np.array([EMOTIONS.index(name) for name in FERPLUS[:7]])[voted]
    votes = np.eye(7)[among] * 0.8 + 0.2 / 7
    truth = SplitTruth(label.astype(np.int64), majority, copies, votes)
    return FaceLogits(fer2013, ferplus), truth


def test_blend_that_agrees_best_with_the_voters_is_shown() -> None:
    logits, truth = split(900, 0)
    mixes = compare_mixes(logits, truth)
    assert best_mix(mixes).heads.ferplus_share >= 0.75
    first, last = ([mix for mix in mixes if mix.heads.ferplus_share == share] for share in (0, 1))
    assert last[0].ferplus.accuracy > first[0].ferplus.accuracy
    assert first[0].fer2013.accuracy > last[0].fer2013.accuracy


def test_of_blends_that_the_voters_cannot_tell_apart_the_labels_choose() -> None:
    logits, truth = split(900, 0)
    mixes = compare_mixes(logits, truth)
    best = max(mixes, key=lambda mix: mix.worth)
    chosen = best_mix(mixes)
    assert chosen.fer2013.accuracy >= best.fer2013.accuracy
    assert best.worth - chosen.worth < 0.02
    even = [replace(mix, ferplus=best.ferplus) for mix in mixes]
    most = max(mix.fer2013.accuracy + mix.fer2013.balanced_accuracy for mix in mixes)
    found = best_mix(even).fer2013
    assert found.accuracy + found.balanced_accuracy == most


def leaning(rows: int, seed: int) -> tuple[FaceLogits, SplitTruth]:
    """Both heads know the emotion, but have learned the last one from far more faces."""
    logits, truth = split(rows, seed, 2.0)
    logits.fer2013[np.arange(rows), np.maximum(truth.ferplus, 0)] += 2
    logits.fer2013[:, 6] += 2.5
    logits.ferplus[:, FERPLUS.index("neutral")] += 2.5
    return logits, replace(truth, ferplus=_of_eight(truth.ferplus))


def _of_eight(seven: NDArray[np.int64]) -> NDArray[np.int64]:
    order = [FERPLUS.index(name) for name in EMOTIONS]
    return np.where(seven >= 0, np.array(order)[seven], -1)


def test_what_was_learned_of_how_often_emotions_occur_is_taken_back_where_it_misleads() -> None:
    logits, truth = leaning(1_500, 6)
    mixes = compare_mixes(logits, truth)
    chosen = best_mix(mixes)
    assert chosen.strength >= 0.5
    assert chosen.heads.offsets[6] == min(chosen.heads.offsets) < -0.5
    evaluation = evaluate_logits(logits, truth, logits, truth, chosen.heads)
    assert evaluation.class_prior.sum() == pytest.approx(1)
    untaken = FaceHeads(chosen.heads.ferplus_share, 1.0)
    whole = evaluate_logits(logits, truth, logits, truth, untaken).class_prior
    # What is taken back is not divided by again.
    assert evaluation.class_prior[6] < whole[6] - 0.015
    plain = next(
        mix
        for mix in mixes
        if mix.heads.ferplus_share == chosen.heads.ferplus_share and mix.strength == 0
    )
    assert plain.heads.offsets == (0.0,) * 7
    assert chosen.ferplus.balanced_accuracy > plain.ferplus.balanced_accuracy + 0.1


def test_every_source_has_the_same_say_whatever_its_size() -> None:
    logits, truth = leaning(1_500, 7)
    few = np.arange(100)
    resting = LabelledFaces(
        "resting", FaceLogits(logits.fer2013[few], logits.ferplus[few]), np.full(100, 6)
    )
    mixes = compare_mixes(logits, truth, [resting])
    mix = mixes[3]
    alone = (mix.ferplus.accuracy + mix.ferplus.balanced_accuracy) / 2
    other = mix.others["resting"]
    both = (other.accuracy + other.balanced_accuracy) / 2
    assert mix.worth == pytest.approx((alone + both) / 2)
    assert best_mix(mixes).strength < best_mix(compare_mixes(logits, truth)).strength


def test_dropped_rows_and_contempt_do_not_count_among_the_seven() -> None:
    logits, truth = split(900, 1)
    truth.ferplus[-5:] = FERPLUS.index("contempt")
    assert compare_mixes(logits, truth)[0].ferplus.rows == 900 - 90 - 5


def test_each_reading_is_judged_on_its_own_rows() -> None:
    public, public_truth = split(800, 2)
    private, private_truth = split(700, 3)
    evaluation = evaluate_logits(public, public_truth, private, private_truth, FaceHeads(0.5, 1.0))
    assert evaluation.fer2013.scores.rows == 700
    assert evaluation.fer2013_fresh.rows == 600
    assert evaluation.ferplus.scores.rows == 630
    assert evaluation.ferplus.scores.recall.shape == (8,)
    assert evaluation.shown.scores.rows == 630
    assert evaluation.shown_fer2013.rows == 700
    assert evaluation.class_prior.sum() == pytest.approx(1)


def test_temperature_mends_an_overconfident_head() -> None:
    public, public_truth = split(3_000, 4)
    private, private_truth = split(3_000, 5)
    loud = [FaceLogits(each.fer2013 * 6, each.ferplus) for each in (public, private)]
    evaluation = evaluate_logits(loud[0], public_truth, loud[1], private_truth, FaceHeads(0.0, 1.0))
    assert evaluation.fer2013.temperature > 3
    assert evaluation.fer2013.error_after < 0.3 * evaluation.fer2013.error_before


def test_what_is_shown_doubts_as_the_voters_do_and_as_other_sources_tell() -> None:
    logits, truth = split(2_000, 8)
    heads = FaceHeads(1.0, 1.0)
    sure = replace(truth, votes=np.eye(7)[truth.votes.argmax(axis=1)])
    divided = replace(truth, votes=truth.votes * 0.5 + 0.5 / 7)

    def temperature(of: SplitTruth, *others: LabelledFaces) -> float:
        return evaluate_logits(logits, of, logits, of, heads, others).shown.temperature

    assert temperature(sure) < temperature(truth) < temperature(divided)
    clear = LabelledFaces("clear", logits, truth.votes.argmax(axis=1))
    assert temperature(sure) < temperature(divided, clear) < temperature(divided)
