import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("soxr")

from convert.voice.augment import add_noise, made_noise, random_view
from edge.perception.spectrogram import FrontEnd, Spectrogram
from tests.fakes.sounds import burst

LENGTH = 48_000
SPECTROGRAM = Spectrogram(FrontEnd())


@given(st.floats(0, 30))
@settings(max_examples=20, deadline=None)
def test_noise_lies_as_far_below_the_speech_as_asked(snr_db: float) -> None:
    window = burst(LENGTH, 0, LENGTH)
    noise = np.random.default_rng(5).standard_normal(LENGTH).astype(np.float32)
    added = add_noise(window, noise, snr_db) - window
    ratio = float((window.astype(np.float64) ** 2).mean() / (added.astype(np.float64) ** 2).mean())
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=1.0)


def test_silence_stays_silence_when_noise_is_added_to_it() -> None:
    silence = np.zeros(LENGTH, np.float32)
    assert not add_noise(silence, np.ones(LENGTH, np.float32), 10).any()


@given(st.integers(0, 10_000), st.sampled_from([8_000, 30_000, 60_000, 90_000]))
@settings(max_examples=40, deadline=None)
def test_every_view_is_a_sound_that_a_microphone_could_give(seed: int, length: int) -> None:
    sound = burst(length, length // 4, length // 2, seed)
    view = random_view(sound, LENGTH, 1_600, np.random.default_rng(seed))
    assert view.shape == (LENGTH + 3_200,)
    assert view.dtype == np.float32
    assert np.isfinite(view).all()
    assert np.abs(view).max() <= 1
    assert view.any(), "the speech was lost"


def test_views_differ_from_each_other_and_repeat_with_their_seed() -> None:
    sound = burst(50_000, 10_000, 40_000)
    first, again = (random_view(sound, LENGTH, 0, np.random.default_rng(3)) for _ in range(2))
    other = random_view(sound, LENGTH, 0, np.random.default_rng(4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(SPECTROGRAM.features(first) - SPECTROGRAM.features(other)).mean() > 0.05


@pytest.mark.parametrize("seed", range(6))
def test_made_noise_is_steady_sound_without_a_pause(seed: int) -> None:
    noise = made_noise(32_000, np.random.default_rng(seed))
    assert noise.shape == (32_000,)
    assert np.abs(noise).max() == pytest.approx(0.1)
    tenths = (noise.reshape(-1, 1_600) ** 2).mean(axis=1)
    assert tenths.min() > tenths.max() / 300


def test_made_noises_differ_in_color() -> None:
    centers = []
    for seed in range(12):
        noise = made_noise(32_000, np.random.default_rng(seed))
        power = np.abs(np.fft.rfft(noise)) ** 2
        centers.append(float((power * np.arange(len(power))).sum() / power.sum()))
    assert max(centers) > 4 * min(centers)
