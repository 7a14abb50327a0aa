import numpy as np
import pytest

pytest.importorskip("torch")

from convert.face.targets import FaceTargets, balanced, make_targets, votes_predict
from tests.fakes.face_rows import face_rows


def test_votes_say_how_far_a_label_can_be_trusted() -> None:
    data = face_rows()
    targets = make_targets(data, 0.0)
    angry = data.ferplus[:, 4] == 1
    assert targets.fer2013[angry, 0].mean() == pytest.approx(0.75, abs=0.05)
    assert targets.fer2013[angry, 3].mean() == pytest.approx(0.25, abs=0.05)
    assert targets.fer2013[angry, 0].std() < 0.01  # every row alike: the labels' noise is gone


def test_label_keeps_its_share() -> None:
    data = face_rows()
    one_hot = np.eye(7)[data.label]
    targets = make_targets(data, 0.4).fer2013
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)
    assert (targets >= 0).all()
    held_out = targets - 0.6 * make_targets(data, 0.0).fer2013
    np.testing.assert_allclose(held_out, 0.4 * one_hot, atol=1e-5)


def test_majority_takes_its_share_of_the_votes_where_there_is_one() -> None:
    data = face_rows()
    data.all_votes[0] = [5, 0, 0, 4, 1, 0, 0, 0, 0, 0]
    data.majority[0], data.majority[1] = 0, -1
    targets = make_targets(data, 0.2, majority_share=0.4)
    np.testing.assert_allclose(targets.ferplus[0, :5], [0.7, 0, 0, 0.24, 0.06], atol=1e-6)
    np.testing.assert_array_equal(targets.ferplus[1], data.ferplus[1])
    assert (targets.ferplus[-10:] == 0).all()


def test_of_some_rows_both_targets_are_taken_in_their_order() -> None:
    seven, eight = np.arange(70, dtype=np.float32), np.arange(80, dtype=np.float32)
    taken = FaceTargets(seven.reshape(10, 7), eight.reshape(10, 8)).of(np.array([7, 0, 3]))
    assert taken.fer2013[:, 0].tolist() == [49, 0, 21]
    assert taken.ferplus[:, 0].tolist() == [56, 0, 24]


def test_row_without_votes_keeps_its_label_and_teaches_no_ferplus() -> None:
    data = face_rows()
    targets = make_targets(data, 0.2)
    np.testing.assert_allclose(targets.fer2013[-10:], np.eye(7)[data.label[-10:]], atol=1e-6)
    assert (targets.ferplus[-10:] == 0).all()


def test_teacher_takes_its_share_but_adds_no_votes() -> None:
    rows = FaceTargets(
        np.eye(7, dtype=np.float32)[[0, 1]],
        np.array([np.eye(8)[2], np.zeros(8)], np.float32),
    )
    teacher = FaceTargets(np.full((2, 7), 1 / 7, np.float32), np.full((2, 8), 1 / 8, np.float32))
    taught = rows.distilled(teacher, 0.3)
    assert taught.fer2013[0, 0] == pytest.approx(0.7 + 0.3 / 7)
    assert taught.ferplus[0].sum() == pytest.approx(1)
    assert (taught.ferplus[1] == 0).all()


def test_votes_predict_as_many_labels_as_follow_them() -> None:
    assert votes_predict(face_rows(), "Training")["Training"] == pytest.approx(0.75, abs=0.03)


def test_rare_emotions_are_shown_more_often_as_far_as_balance_says() -> None:
    rows = np.repeat([0, 3], [10, 90])
    targets = FaceTargets(np.eye(7, dtype=np.float32)[rows], np.zeros((100, 8), np.float32))
    np.testing.assert_allclose(balanced(targets, 0.0), 1)
    alike = balanced(targets, 1.0)
    assert alike[:10].sum() == pytest.approx(alike[10:].sum())
    some = balanced(targets, 0.5)
    assert some[0] / some[-1] == pytest.approx(3)
    assert some.mean() == pytest.approx(1)
