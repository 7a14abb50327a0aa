from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.emotions import EMOTIONS
from edge.fusion import Fusion, FusionOptions, Reading, softened
from edge.messages import Belief, Evidence, Face, FaceReading, NoFace, Probabilities, VoiceReading

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


def test_nobody_is_shown_after_a_second_and_a_half_without_face_and_voice() -> None:
    fusion = Fusion()
    first = fusion.update([], 0)
    assert (first.shown, first.somebody) == ("nobody", False)
    watch(fusion, "happy", 0, 2, 16)
    still = fusion.update([NoFace(3.5)], 3.5)
    assert (still.shown, still.somebody) == ("happy", True)
    gone = fusion.update([NoFace(3.51)], 3.51)
    assert (gone.shown, gone.somebody) == ("nobody", False)
    assert watch(fusion, "happy", 4, 0.0625, 16)[-1].shown == "unsure"


def test_face_is_present_for_a_second_after_it_was_seen_unless_a_frame_without_it_comes() -> None:
    looks = [replace(face("sad", 1, quality=0.7), gaze=(0.5, -0.25)), face("sad", 0.5)]
    stories: list[tuple[float, list[Reading], bool]] = [
        (2.0, [], True),
        (2.01, [], False),
        (1.1, [NoFace(1.1)], False),
        (1.1, [face("sad", 0.9), NoFace(1.1)], True),
    ]
    for t_s, readings, present in stories:
        fusion = Fusion()
        fusion.update(looks[:1], 1)
        mood = fusion.update(readings, t_s)
        assert mood.face.present is present
        assert (mood.face.quality != 0) is present
    fusion = Fusion()
    both = fusion.update(looks, 1)
    assert both.gaze == (0.5, -0.25)
    assert both.face.quality == pytest.approx(0.85)
    assert fusion.update([], 2.01).gaze == (0, 0)


def test_voice_is_present_for_a_second_after_it_was_heard() -> None:
    fusion = Fusion()
    fusion.update([voice("sad", 1)], 1)
    assert fusion.update([], 2.0).voice == Evidence(True, 1.0, 1.0)
    late = fusion.update([], 2.01).voice
    assert (late.present, late.quality) == (False, 0.0)


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
    # A sense that has said nothing for a second leaves the other all its say.
    both = fusion.update([voice("sad", 2)], 2).probabilities
    np.testing.assert_allclose(both, 0.7 * clear("happy") + 0.3 * clear("sad"))
    alone = fusion.update([voice("sad", 2.01)], 2.01).probabilities
    np.testing.assert_allclose(alone, clear("sad"))
    np.testing.assert_allclose(fusion.update([], 3.02).probabilities, PRIOR)


PRIOR = np.array([0.13, 0.09, 0.09, 0.2, 0.14, 0.13, 0.22])
"""As docs/how-it-works.md gives it: angry, disgust, fear, happy, sad, surprise, neutral."""

SAYS = 3.44574
"""For happy over neutral, a reading of 90 % happy: log of (0.92 x 0.9 + 0.08 / 7) over (0.92 x 0.1 / 6
+ 0.08 / 7), 8 % of all readings being of no use."""


def said_for_happy(mood: Belief) -> float:
    """The evidence in a belief, in parts of what one reading of weight 1.3 says at most."""
    happy, neutral = mood.probabilities[EMOTIONS.index("happy")], mood.probabilities[-1]
    return float((np.log(happy / neutral) - np.log(0.2 / 0.22)) / (1.3 * SAYS))


def test_before_anything_is_known_the_belief_is_the_prior() -> None:
    np.testing.assert_allclose(Fusion().update([], 0).probabilities, PRIOR)
    counted = Fusion(FusionOptions(weights="70-30", prior=PRIOR * 300))
    np.testing.assert_allclose(counted.update([], 0).probabilities, PRIOR)


# A first reading covers half of what its sense remembers, 0.28 s (face) or 1.2 s (voice), as does one
# after a longer gap; the next covers the time between. Quality slows it down and makes it say less.
@pytest.mark.parametrize(
    ("readings", "said"),
    [
        ([face("happy", 5)], 0.39347),  # 1 - exp(-0.5)
        ([voice("happy", 5)], 0.39347),
        ([face("happy", 5, quality=0.5)], 0.11060),  # 0.5 (1 - exp(-0.25))
        ([face("happy", 5, quality=7.0)], 0.39347),
        ([face("happy", 5, quality=-7.0)], 0.0),
        ([face("happy", 5), face("happy", 5.07)], 0.52763),  # 1 - exp(-0.5 - 0.07 / 0.28)
        ([face("happy", 5), face("happy", 5.28)], 0.63212),  # 1 - exp(-0.5 - 0.5)
        ([voice("happy", 5), voice("happy", 5.3)], 0.52763),  # 1 - exp(-0.5 - 0.3 / 1.2)
        ([voice("happy", 5), voice("happy", 6.2)], 0.63212),
        ([face("happy", 5), face("happy", 4)], 0.39347),  # what comes too late covers no time
        ([face("happy", 5), face("happy", 4), face("happy", 5.07)], 0.52763),
    ],
)
def test_readings_say_as_much_as_the_time_and_quality_that_they_cover(
    readings: list[Reading], said: float
) -> None:
    fusion = Fusion()
    for reading in readings:
        mood = fusion.update([reading], reading.t_s)
    assert said_for_happy(mood) == pytest.approx(said, abs=2e-5)


@pytest.mark.parametrize(("reading", "remembers_s"), [(face, 0.28), (voice, 1.2)])
def test_silent_sense_is_remembered_for_a_while_and_then_fades_to_a_third_in_two_seconds(
    reading: Callable[[str, float], Reading], remembers_s: float
) -> None:
    fusion = Fusion()
    fusion.update([reading("happy", 5)], 5)
    for after_s, said in ((0.0, 0.39347), (1.0, 0.23865), (0.5, 0.23865), (2.0, 0.14475)):
        mood = fusion.update([], 5 + remembers_s + after_s)  # 0.39347 exp(-after_s / 2)
        assert said_for_happy(mood) == pytest.approx(said, abs=2e-5)


def test_bad_frame_does_not_wipe_out_what_was_clearly_seen() -> None:
    fusion = Fusion()
    before = said_for_happy(watch(fusion, "happy", 0, 2, 15)[-1])
    t_s = 2 + 1 / 15
    blurred = fusion.update([face("neutral", t_s, quality=0.05)], t_s)
    # 1.2 % of the memory, 0.05 x 0.0667 s of 0.28 s, not the 21 % of a clear frame.
    assert said_for_happy(blurred) == pytest.approx(before, abs=0.013)


def test_what_a_net_says_of_everybody_says_half_as_much_as_it_seems() -> None:
    prior = np.array([0.02, 0.02, 0.02, 0.5, 0.2, 0.12, 0.12])
    expected = [0.0814, 0.0814, 0.0814, 0.3214, 0.1714, 0.1314, 0.1314]  # half-way to a seventh
    np.testing.assert_allclose(softened(prior * 30), expected, atol=1e-4)
    fusion = Fusion(FusionOptions(face_class_prior=prior, voice_class_prior=prior))
    for reading in (
        FaceReading(1, softened(prior), 1.0, FACE),
        VoiceReading(1, softened(prior), 1),
    ):
        np.testing.assert_allclose(fusion.update([reading], 1).probabilities, PRIOR)


def test_share_of_a_sense_is_its_part_of_the_evidence() -> None:
    both = Fusion().update([face("sad", 1), VoiceReading(1, clear("sad"), 0.5)], 1)
    assert both.face.share == pytest.approx(0.78058, abs=1e-4)  # 0.39347 to 0.1106
    assert both.voice.share == pytest.approx(0.21942, abs=1e-4)
    alone = watch(Fusion(), "happy", 0, 2, 15)[-1]
    assert (alone.face.share, alone.voice.share) == (1.0, 0.0)
    assert Fusion().update([face("sad", 1, quality=0.2)], 1).face.share == 1.0
    hardly = Fusion().update([face("sad", 1, quality=0.01)], 1)
    assert (hardly.face.share, hardly.voice.share) == (0.0, 0.0)


def leaning(**parts: float) -> Probabilities:
    """A reading with those probabilities and the rest for fear; alone in "70-30" it is the belief."""
    probabilities = np.zeros(7)
    for name, part in parts.items():
        probabilities[EMOTIONS.index(name)] = part
    probabilities[EMOTIONS.index("fear")] += 1 - probabilities.sum()
    return probabilities


def shown(*looks: Probabilities, step_s: float = 0.125) -> list[str]:
    fusion = Fusion(FusionOptions(weights="70-30"))
    return [
        fusion.update([FaceReading(step * step_s, look, 1.0, FACE)], step * step_s).shown
        for step, look in enumerate(looks)
    ]


HAPPY = leaning(happy=0.5, sad=0.25)


def test_another_emotion_is_shown_when_it_leads_by_five_points_in_two_readings() -> None:
    near, far = leaning(happy=0.42, sad=0.45), leaning(happy=0.39, sad=0.45)
    assert shown(HAPPY, HAPPY, near, near, near, near) == ["unsure"] + ["happy"] * 5
    assert shown(HAPPY, HAPPY, far, far, HAPPY) == ["unsure", "happy", "happy", "sad", "sad"]
    assert shown(HAPPY, HAPPY, far, HAPPY, far, HAPPY) == ["unsure"] + ["happy"] * 5
    assert shown(HAPPY, HAPPY, near, near, near, far)[-1] == "sad"
    # From "unsure", any leader above the floor is clear enough.
    assert shown(leaning(sad=0.36, happy=0.34), leaning(sad=0.36, happy=0.34)) == ["unsure", "sad"]


def test_leader_is_not_counted_twice_for_one_reading() -> None:
    fusion = Fusion(FusionOptions(weights="70-30"))
    said = [fusion.update([FaceReading(0, HAPPY, 1.0, FACE)] * once, 0).shown for once in (1, 0, 0)]
    assert said == ["unsure"] * 3
    assert fusion.update([FaceReading(0.1, HAPPY, 1.0, FACE)], 0.1).shown == "happy"


def test_shows_unsure_once_nothing_has_reached_35_percent_for_six_tenths_of_a_second() -> None:
    enough, under = leaning(happy=0.35, sad=0.33), leaning(happy=0.34, sad=0.33)
    assert shown(enough, enough) == ["unsure", "happy"]
    said = shown(HAPPY, HAPPY, *[under] * 6)
    assert said == ["unsure", *["happy"] * 6, "unsure"]  # 5 x 0.125 s is the first over 0.6
    # One clear look between begins the time anew.
    assert shown(HAPPY, HAPPY, under, under, under, HAPPY, under, under, under)[-1] == "happy"
    assert shown(HAPPY, HAPPY, under, under, under, step_s=0.3)[-2:] == ["happy", "unsure"]
