from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.emotions import EMOTIONS
from edge.fusion import Fusion, FusionOptions, Reading
from edge.messages import Belief, Face, FaceReading, NoFace, Probabilities, VoiceReading

FACE = Face(
    100, 100, 80, 80, (120, 130), (160, 130), (140, 150), (140, 165), (105, 135), (175, 135), 0.9
)

masses = st.lists(st.floats(1e-9, 1.0), min_size=7, max_size=7)
distributions = masses.map(lambda values: np.array(values) / sum(values))
qualities = st.floats(0, 1)


def clear(emotion: str, confidence: float = 0.9) -> Probabilities:
    probabilities = np.full(7, (1 - confidence) / 6)
    probabilities[EMOTIONS.index(emotion)] = confidence
    return probabilities


def face(emotion: str, t_s: float, confidence: float = 0.9, quality: float = 1.0) -> FaceReading:
    return FaceReading(t_s, clear(emotion, confidence), quality, FACE)


def voice(emotion: str, t_s: float, confidence: float = 0.9) -> VoiceReading:
    return VoiceReading(t_s, clear(emotion, confidence), 1.0)


def watch(
    fusion: Fusion, emotion: str, start_s: float, seconds: float, rate_hz: float
) -> list[Belief]:
    count = round(seconds * rate_hz)
    times = [start_s + step / rate_hz for step in range(1, count + 1)]
    return [fusion.update([face(emotion, t)], t) for t in times]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(distributions, qualities, st.booleans(), st.floats(0, 2)), max_size=20))
def test_belief_is_always_a_distribution(
    steps: list[tuple[Probabilities, float, bool, float]],
) -> None:
    both: tuple[Literal["bayes", "70-30"], ...] = ("bayes", "70-30")
    for weights in both:
        fusion, t_s = Fusion(FusionOptions(weights=weights)), 0.0
        for probabilities, quality, is_face, wait_s in steps:
            t_s += wait_s
            reading: Reading = (
                FaceReading(t_s, probabilities, quality, FACE)
                if is_face
                else VoiceReading(t_s, probabilities, quality)
            )
            mood = fusion.update([reading], t_s)
            assert np.isfinite(mood.probabilities).all()
            assert (mood.probabilities >= 0).all()
            assert mood.probabilities.sum() == pytest.approx(1)
            assert -1 <= mood.valence <= 1
            assert -1 <= mood.arousal <= 1
            assert mood.face.share + mood.voice.share == pytest.approx(1) or mood.face.share == 0


@settings(max_examples=25, deadline=None)
@given(distributions, st.sampled_from(EMOTIONS))
def test_relaxes_to_the_prior_without_readings(prior: Probabilities, emotion: str) -> None:
    fusion = Fusion(FusionOptions(prior=prior))
    watch(fusion, emotion, 0, 2, 15)
    distances = [
        float(abs(fusion.update([], 2 + step).probabilities - prior).sum()) for step in range(1, 31)
    ]
    assert distances[-1] < 1e-3
    assert distances[0] > distances[5]


@given(distributions, distributions, qualities, qualities)
def test_order_of_simultaneous_readings_does_not_matter(
    first: Probabilities, second: Probabilities, one: float, other: float
) -> None:
    readings: list[Reading] = [FaceReading(1, first, one, FACE), VoiceReading(1, second, other)]
    together, reversed_, apart = Fusion(), Fusion(), Fusion()
    for fusion in (together, reversed_, apart):
        fusion.update([face("sad", 0.9)], 0.9)
    a = together.update(readings, 1)
    b = reversed_.update(readings[::-1], 1)
    apart.update(readings[1:], 1)
    c = apart.update(readings[:1], 1)
    np.testing.assert_allclose(a.probabilities, b.probabilities)
    np.testing.assert_allclose(a.probabilities, c.probabilities)


@given(st.lists(distributions, min_size=1, max_size=10))
def test_missing_voice_changes_nothing(looks: list[Probabilities]) -> None:
    never, worthless = Fusion(), Fusion()
    for step, probabilities in enumerate(looks):
        t_s = step / 15
        reading = FaceReading(t_s, probabilities, 1.0, FACE)
        a = never.update([reading], t_s)
        b = worthless.update([reading, VoiceReading(t_s, clear("angry"), 0.0)], t_s)
        np.testing.assert_allclose(a.probabilities, b.probabilities)


def test_missing_sense_leaves_the_other_all_its_say() -> None:
    alone = watch(Fusion(), "happy", 0, 2, 15)[-1]
    assert alone.shown == "happy"
    assert (alone.face.share, alone.voice.share) == (1.0, 0.0)


@pytest.mark.parametrize("rate_hz", [10, 15, 30])
@pytest.mark.parametrize("before", EMOTIONS)
@pytest.mark.parametrize("after", EMOTIONS)
def test_clean_change_of_expression_shows_within_half_a_second(
    before: str, after: str, rate_hz: int
) -> None:
    fusion = Fusion()
    assert watch(fusion, before, 0, 3, rate_hz)[-1].shown == before
    assert watch(fusion, after, 3, 0.5, rate_hz)[-1].shown == after


@pytest.mark.parametrize("rate_hz", [2, 5, 15, 30])
@settings(max_examples=25, deadline=None)
@given(st.sampled_from(EMOTIONS), st.sampled_from(EMOTIONS), st.floats(0.5, 1.0))
def test_one_wrong_frame_never_flips_the_shown_emotion(
    rate_hz: int, right: str, wrong: str, confidence: float
) -> None:
    fusion, step_s = Fusion(), 1 / rate_hz
    before = watch(fusion, right, 0, 3, rate_hz)[-1]
    t_s = 3 + step_s
    flashed = fusion.update([face(wrong, t_s, confidence)], t_s)
    quiet = fusion.update([], t_s + step_s / 2)
    back = watch(fusion, right, t_s, 1, rate_hz)
    assert {before.shown, flashed.shown, quiet.shown, *(mood.shown for mood in back)} == {right}


def test_thirty_frames_a_second_convince_no_more_than_ten() -> None:
    slow = watch(Fusion(), "sad", 0, 3, 10)[-1].probabilities
    fast = watch(Fusion(), "sad", 0, 3, 30)[-1].probabilities
    np.testing.assert_allclose(slow, fast, atol=0.03)


def test_voice_tips_an_ambiguous_face() -> None:
    look = np.full(7, 0.02)
    look[EMOTIONS.index("sad")] = look[EMOTIONS.index("angry")] = 0.45
    seen, both = Fusion(), Fusion()
    for step in range(45):
        t_s = step / 15
        reading = FaceReading(t_s, look, 1.0, FACE)
        alone = seen.update([reading], t_s)
        heard = [voice("angry", t_s)] if step % 8 == 0 else []
        joined = both.update([reading, *heard], t_s)
    angry, sad = EMOTIONS.index("angry"), EMOTIONS.index("sad")
    assert joined.probabilities[angry] > 2 * joined.probabilities[sad]
    assert joined.probabilities[angry] > alone.probabilities[angry]
    assert joined.voice.share > 0


def test_worse_quality_moves_the_belief_less() -> None:
    happy = EMOTIONS.index("happy")
    beliefs = []
    for quality in (0.0, 0.3, 1.0):
        fusion = Fusion()
        for step in range(15):
            mood = fusion.update([face("happy", step / 15, quality=quality)], step / 15)
        beliefs.append(mood.probabilities[happy])
    assert beliefs == sorted(beliefs)
    assert beliefs[0] == pytest.approx(0.2)


def test_shows_unsure_when_nothing_stands_out() -> None:
    fusion = Fusion(FusionOptions(prior=np.full(7, 1 / 7)))
    for step in range(30):
        mood = fusion.update([FaceReading(step / 15, np.full(7, 1 / 7), 1.0, FACE)], step / 15)
    assert mood.shown == "unsure"


def test_shows_nobody_once_face_and_voice_are_gone() -> None:
    fusion = Fusion()
    assert fusion.update([], 0).shown == "nobody"
    watch(fusion, "happy", 0, 2, 15)
    assert fusion.update([NoFace(2.5)], 2.5).shown == "happy"
    gone = fusion.update([NoFace(4)], 4)
    assert gone.shown == "nobody"
    assert not gone.face.present


def test_voice_alone_is_somebody() -> None:
    fusion = Fusion()
    for step in range(10):
        mood = fusion.update([NoFace(step / 2), voice("angry", step / 2)], step / 2)
    assert mood.shown == "angry"
    assert mood.voice.present
    assert not mood.face.present


def test_classic_sum_is_seventy_parts_face_and_thirty_voice() -> None:
    fusion = Fusion(FusionOptions(weights="70-30"))
    mood = fusion.update([face("happy", 1), voice("sad", 1)], 1)
    np.testing.assert_allclose(mood.probabilities, 0.7 * clear("happy") + 0.3 * clear("sad"))
    alone = fusion.update([voice("sad", 3)], 3)
    np.testing.assert_allclose(alone.probabilities, clear("sad"))
