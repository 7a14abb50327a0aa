import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calibration.prior import (
    Baseline,
    Calibration,
    SenseReading,
    baseline_of,
    baseline_seen,
    calibrated,
    covered_s,
    factors,
    fingerprint,
    shifted,
)
from edge.config.paths import MODELS
from edge.emotions import EMOTIONS
from edge.fusion import Fusion, FusionOptions, Reading
from edge.messages import FaceReading, Probabilities, VoiceReading
from edge.perception.manifest import load_manifest
from tests.fakes.world import FACE

NEUTRAL = EMOTIONS.index("neutral")
SAD = EMOTIONS.index("sad")
LOOKS_SAD = np.array([0.06, 0.03, 0.06, 0.06, 0.45, 0.06, 0.28])
"""A resting face that the net takes for sad rather than for neutral."""

masses = st.lists(st.floats(1e-6, 1.0), min_size=7, max_size=7)
distributions = masses.map(lambda values: np.array(values) / sum(values))
seconds = st.floats(1, 3600)


def rest(reading: Probabilities, good_s: float = 5.0) -> Baseline:
    return baseline_of(reading[None], np.array([good_s]), "0" * 16)


def faces(
    reading: Probabilities, count: int, rate_hz: float, quality: float = 1.0
) -> list[Reading]:
    return [FaceReading(n / rate_hz, reading, quality, FACE) for n in range(count)]


def shown_after(options: FusionOptions, reading: Probabilities, sense: str = "face") -> str:
    fusion = Fusion(options)
    for tick in range(60):
        t_s = tick / 15
        news: list[Reading] = []
        if sense == "face":
            news = [FaceReading(t_s, reading, 1.0, FACE)]
        elif tick % 7 == 0:
            news = [VoiceReading(t_s, reading, 1.0)]
        mood = fusion.update(news, t_s)
    return mood.shown


def trained() -> FusionOptions:
    """With class frequencies of two training sets, as a manifest has them."""
    return FusionOptions(
        face_class_prior=np.array([0.12, 0.02, 0.1, 0.25, 0.16, 0.12, 0.23]),
        voice_class_prior=np.array([0.15, 0.1, 0.15, 0.15, 0.15, 0.15, 0.15]),
    )


def test_person_with_a_sad_resting_face_is_shown_neutral_once_calibrated() -> None:
    options = trained()
    assert shown_after(options, LOOKS_SAD) == "sad"
    known = Calibration(face=rest(LOOKS_SAD))
    assert shown_after(calibrated(options, known), LOOKS_SAD) == "neutral"


def test_the_same_person_is_still_shown_sad_when_clearly_sad() -> None:
    options = calibrated(trained(), Calibration(face=rest(LOOKS_SAD)))
    sadder = np.array([0.03, 0.02, 0.05, 0.02, 0.75, 0.02, 0.11])
    assert sadder.sum() == pytest.approx(1)
    assert shown_after(options, sadder) == "sad"


@settings(max_examples=40, deadline=None)
@given(distributions, seconds, st.sampled_from(EMOTIONS))
def test_no_calibration_wipes_an_emotion_out(
    reading: Probabilities, good_s: float, emotion: str
) -> None:
    known = Calibration(face=rest(reading, good_s), voice=rest(reading, good_s))
    clear = np.full(7, 0.05 / 6)
    clear[EMOTIONS.index(emotion)] = 0.95
    assert shown_after(calibrated(FusionOptions(), known), clear) == emotion


@given(distributions, distributions, seconds)
def test_shifted_prior_is_a_distribution_in_which_neutral_gets_no_dearer(
    prior: Probabilities, reading: Probabilities, good_s: float
) -> None:
    person = shifted(prior, rest(reading, good_s))
    assert person.sum() == pytest.approx(1)
    assert (person > 0).all()
    assert person[NEUTRAL] <= prior[NEUTRAL] + 1e-12


@given(distributions)
def test_somebody_who_rests_as_neutral_as_can_be_is_left_alone(prior: Probabilities) -> None:
    at_rest = np.full(7, 1e-9)
    at_rest[NEUTRAL] = 1 - 6e-9
    np.testing.assert_allclose(shifted(prior, rest(at_rest)), prior, atol=2e-3)


def test_nothing_known_changes_nothing() -> None:
    options = trained()
    same = calibrated(options, Calibration())
    np.testing.assert_allclose(same.face_class_prior, options.face_class_prior)
    assert not Calibration()
    assert Calibration(voice=rest(LOOKS_SAD))


@given(seconds, seconds)
def test_who_was_seen_longer_is_corrected_more(first: float, second: float) -> None:
    short, long = sorted((first, second))
    prior = np.full(7, 1 / 7)
    assert shifted(prior, rest(LOOKS_SAD, short))[SAD] <= shifted(prior, rest(LOOKS_SAD, long))[SAD]
    assert shifted(prior, rest(LOOKS_SAD, 3600))[SAD] < 0.4


def test_each_sense_has_a_shift_of_its_own() -> None:
    options = trained()
    known = calibrated(options, Calibration(voice=rest(LOOKS_SAD)))
    np.testing.assert_allclose(known.face_class_prior, options.face_class_prior)
    assert known.voice_class_prior[SAD] > options.voice_class_prior[SAD] + 0.05


def test_factors_say_what_counts_less() -> None:
    prior = np.full(7, 1 / 7)
    factor = factors(prior, rest(LOOKS_SAD))
    assert factor[SAD] < 1 < factor[NEUTRAL]
    assert factor[SAD] == min(factor)


def test_one_odd_moment_hardly_moves_the_resting_reading() -> None:
    smile = np.array([0.01, 0.01, 0.01, 0.94, 0.01, 0.01, 0.01])
    steady = baseline_of(np.array([LOOKS_SAD] * 20), np.ones(20), "")
    disturbed = baseline_of(np.array([LOOKS_SAD] * 19 + [smile]), np.ones(20), "")
    np.testing.assert_allclose(steady.reading, LOOKS_SAD)
    assert abs(disturbed.reading - steady.reading).max() < 0.04


def test_a_reading_of_probability_zero_stays_finite() -> None:
    certain = np.array([0.0, 0, 0, 0, 0, 0, 1])
    known = baseline_of(np.array([certain, LOOKS_SAD]), np.ones(2), "")
    assert np.isfinite(known.reading).all()
    assert known.reading.sum() == pytest.approx(1)


@pytest.mark.parametrize("rate_hz", [5, 15, 30])
def test_time_counts_and_not_the_number_of_frames(rate_hz: int) -> None:
    seen: list[SenseReading] = faces(LOOKS_SAD, 5 * rate_hz + 1, rate_hz)  # type: ignore[assignment]
    known = baseline_seen(seen, "")
    assert known is not None
    assert known.seconds == pytest.approx(5)


def test_poor_readings_count_for_less_and_worthless_ones_for_nothing() -> None:
    half: list[SenseReading] = faces(LOOKS_SAD, 51, 10, 0.5)  # type: ignore[assignment]
    known = baseline_seen(half, "")
    assert known is not None
    assert known.seconds == pytest.approx(2.5)
    blurred: list[SenseReading] = faces(LOOKS_SAD, 51, 10, 0.05)  # type: ignore[assignment]
    assert covered_s(blurred).sum() == 0
    assert baseline_seen(blurred, "") is None


def test_a_pause_is_not_taken_for_time_seen() -> None:
    apart = [VoiceReading(t_s, LOOKS_SAD, 1.0) for t_s in (0.0, 60.0, 120.0)]
    np.testing.assert_allclose(covered_s(apart), [0, 1, 1])
    assert baseline_seen(apart[:1], "") is None
    assert baseline_seen([], "") is None


def test_fingerprint_is_of_what_decides_the_answers() -> None:
    entry = load_manifest(MODELS).voice
    same = entry.model_copy(update={"metrics": (), "recipe": "other.toml", "macs": 1})
    assert fingerprint(same) == fingerprint(entry)
    for change in ({"sha256": "0" * 64}, {"temperature": entry.temperature * 1.1}):
        assert fingerprint(entry.model_copy(update=change)) != fingerprint(entry)
