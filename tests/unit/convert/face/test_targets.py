import numpy as np
import pytest

pytest.importorskip("torch")

from convert.face.data import FaceData, labels_by_majority
from convert.face.targets import FaceTargets, make_targets, votes_foretell


def made_up(rows: int = 600) -> FaceData:
    """Two kinds of faces; votes tell them apart, labels are wrong for every fourth."""
    random = np.random.default_rng(0)
    kind = random.integers(0, 2, rows)
    label = np.where(random.random(rows) < 0.25, 1 - kind, kind) * 3  # 0 = angry, 3 = happy
    votes = np.zeros((rows, 10), np.float32)
    votes[np.arange(rows), np.where(kind == 0, 4, 1)] = 10  # anger, happiness
    votes[-10:] = 0
    return FaceData(
        pixels=np.zeros((rows, 48, 48), np.uint8),
        label=label.astype(np.int64),
        usage=np.zeros(rows, np.uint8),
        all_votes=votes,
        majority=np.where(kind == 0, 4, 1).astype(np.int64),
        dup_in_train=np.zeros(rows, bool),
    )


def test_targets_are_distributions() -> None:
    targets = make_targets(made_up(), 0.35)
    np.testing.assert_allclose(targets.fer2013.sum(axis=1), 1, atol=1e-5)
    assert (targets.fer2013 >= 0).all()


def test_votes_say_how_far_a_label_can_be_trusted() -> None:
    data = made_up()
    targets = make_targets(data, 0.0)
    angry = data.ferplus[:, 4] == 1
    assert targets.fer2013[angry, 0].mean() == pytest.approx(0.75, abs=0.05)
    assert targets.fer2013[angry, 3].mean() == pytest.approx(0.25, abs=0.05)
    assert targets.fer2013[angry, 0].std() < 0.01  # every row alike: the labels' noise is gone


def test_label_keeps_its_share() -> None:
    data = made_up()
    one_hot = np.eye(7)[data.label]
    kept = make_targets(data, 0.4).fer2013 - 0.6 * make_targets(data, 0.0).fer2013
    np.testing.assert_allclose(kept, 0.4 * one_hot, atol=1e-5)


def test_majority_takes_its_share_of_the_votes_where_there_is_one() -> None:
    data = made_up()
    data.all_votes[0] = [5, 0, 0, 4, 1, 0, 0, 0, 0, 0]
    data.majority[0], data.majority[1] = 0, -1
    targets = make_targets(data, 0.2, majority_share=0.4)
    np.testing.assert_allclose(targets.ferplus[0, :5], [0.7, 0, 0, 0.24, 0.06], atol=1e-6)
    np.testing.assert_array_equal(targets.ferplus[1], data.ferplus[1])
    assert (targets.ferplus[-10:] == 0).all()


def test_row_without_votes_keeps_its_label_and_teaches_no_ferplus() -> None:
    data = made_up()
    targets = make_targets(data, 0.2)
    np.testing.assert_allclose(targets.fer2013[-10:], np.eye(7)[data.label[-10:]], atol=1e-6)
    assert (targets.ferplus[-10:] == 0).all()


def test_teacher_takes_its_share_but_adds_no_votes() -> None:
    rows = FaceTargets(
        np.eye(7, dtype=np.float32)[[0, 1]],
        np.array([np.eye(8)[2], np.zeros(8)], np.float32),
    )
    teacher = FaceTargets(np.full((2, 7), 1 / 7, np.float32), np.full((2, 8), 1 / 8, np.float32))
    taught = rows.taught_by(teacher, 0.3)
    assert taught.fer2013[0, 0] == pytest.approx(0.7 + 0.3 / 7)
    assert taught.ferplus[0].sum() == pytest.approx(1)
    assert (taught.ferplus[1] == 0).all()


def test_rows_that_no_voter_took_for_a_face_are_known() -> None:
    data = made_up()
    data.all_votes[3, 9] = 9
    assert data.not_face[3]
    assert data.not_face.sum() == 1


def test_what_labels_call_the_rows_of_each_majority_is_counted() -> None:
    data = made_up()
    shares = labels_by_majority(data)
    assert shares.shape == (8, 7)
    assert shares[4, 0] == pytest.approx(0.75, abs=0.06)  # anger is mostly called angry
    assert shares[1, 3] == pytest.approx(0.75, abs=0.06)
    assert shares[[4, 1]].sum() == pytest.approx(2)
    assert (shares[0] == 0).all()


def test_votes_foretell_as_many_labels_as_follow_them() -> None:
    assert votes_foretell(made_up(), "Training")["Training"] == pytest.approx(0.75, abs=0.03)


def test_third_of_public_test_is_kept_back_and_tested_pictures_are_not_learned() -> None:
    data = made_up()
    data.usage[200:500] = 1
    data.usage[500:] = 2
    data.pixels[:] = np.arange(600).reshape(-1, 1, 1) % 251
    data.pixels[:, 0, 0] = np.arange(600) // 251
    kept = data.kept_back
    assert len(kept) == 100
    assert set(kept) < set(data.rows("PublicTest"))
    assert len(data.learnable_public) == 200
    assert not set(kept) & set(data.learnable_public)
    share = (data.label[kept] == 3).mean() - (data.label[data.rows("PublicTest")] == 3).mean()
    assert abs(share) < 0.02  # every emotion by its share
    first, second = data.learnable_public[:2]
    data.pixels[first] = data.pixels[550]
    data.pixels[second] = data.pixels[kept[0]]
    assert {first, second} == set(range(200, 500)) - set(kept) - set(data.learnable_public)
