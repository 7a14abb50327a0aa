import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from edge.emotions import EMOTIONS
from edge.perception.face_heads import FERPLUS, FaceHeads, blend_weights, class_map

logits = st.floats(-20, 20)
Sevens = hnp.arrays(np.float64, 7, elements=logits)
Eights = hnp.arrays(np.float64, 8, elements=logits)


@given(Sevens, Eights, st.floats(0, 1), st.floats(0.3, 3))
def test_blend_is_a_distribution(
    fer2013: NDArray[np.float64], ferplus: NDArray[np.float64], share: float, temperature: float
) -> None:
    blended = FaceHeads(share, temperature).blend(fer2013, ferplus)
    assert blended.shape == (7,)
    assert blended.sum() == pytest.approx(1)
    assert (blended >= 0).all()


def test_ferplus_alone_speaks_by_miens_names() -> None:
    for emotion in EMOTIONS:
        ferplus = np.where(np.array(FERPLUS) == emotion, 5.0, 0.0)
        blended = FaceHeads(1.0, 1.0).blend(np.zeros(7), ferplus)
        assert EMOTIONS[int(blended.argmax())] == emotion


def test_contempt_is_left_out_and_changes_nothing() -> None:
    ferplus = np.array([1.0, 0.5, 0.2, 0.1, 0.3, 0.0, 0.4, 0.0])
    sneering = ferplus.copy()
    sneering[FERPLUS.index("contempt")] = 9.0
    heads = FaceHeads(0.7, 1.3)
    np.testing.assert_allclose(
        heads.blend(np.zeros(7), ferplus), heads.blend(np.zeros(7), sneering)
    )


def test_fer2013_alone_is_plain_softmax() -> None:
    fer2013 = np.array([0.3, -1, 2, 0.5, 0, 1, -2])
    expected = np.exp(fer2013 / 2) / np.exp(fer2013 / 2).sum()
    np.testing.assert_allclose(FaceHeads(0.0, 2.0).blend(fer2013, np.ones(8)), expected)


@given(Sevens, Eights, st.floats(0.3, 3))
def test_offsets_take_back_how_often_the_net_has_learned_an_emotion(
    fer2013: NDArray[np.float64], ferplus: NDArray[np.float64], temperature: float
) -> None:
    learned = np.array([0.1, 0.02, 0.08, 0.25, 0.15, 0.12, 0.28])
    plain = FaceHeads(0.5, temperature).blend(fer2013, ferplus)
    fair = FaceHeads(0.5, temperature, tuple(-np.log(learned))).blend(fer2013, ferplus)
    expected = plain / learned ** (1 / temperature)
    np.testing.assert_allclose(fair, expected / expected.sum(), rtol=1e-6)


def test_many_rows_are_blended_as_each_alone() -> None:
    random = np.random.default_rng(1)
    fer2013, ferplus = random.normal(size=(5, 7)), random.normal(size=(5, 8))
    heads = FaceHeads(0.4, 0.8)
    alone = [heads.blend(a, b) for a, b in zip(fer2013, ferplus, strict=True)]
    np.testing.assert_allclose(heads.blend(fer2013, ferplus), alone)


def test_mean_of_the_class_map_is_what_the_heads_say() -> None:
    random = np.random.default_rng(2)
    features, fer2013, ferplus = (
        random.normal(size=(6, 6, 16)),
        random.normal(size=(7, 16)),
        random.normal(size=(8, 16)),
    )
    weights = blend_weights(fer2013, ferplus, 0.25)
    mean = features.mean(axis=(0, 1))
    for index, emotion in enumerate(EMOTIONS):
        logit = 0.75 * fer2013[index] @ mean + 0.25 * ferplus[FERPLUS.index(emotion)] @ mean
        assert class_map(features, weights[index]).mean() == pytest.approx(logit)
