import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.perception.spectrogram import FrontEnd, Spectrogram, band_centers_hz, mel_filters

FRONT_END = FrontEnd()
SPECTROGRAM = Spectrogram(FRONT_END)
LENGTH = FRONT_END.window_samples


def voice_like(seed: int) -> NDArray[np.float32]:
    """Noise in bursts: loud and quiet stretches, as speech has."""
    random = np.random.default_rng(seed)
    sound = random.standard_normal(LENGTH) * 0.05
    envelope = np.repeat(random.random(30), LENGTH // 30) ** 3
    return (sound * envelope).astype(np.float32)


def tone(hertz: float, amplitude: float = 0.3) -> NDArray[np.float32]:
    t_s = np.arange(LENGTH) / FRONT_END.rate_hz
    return (amplitude * np.sin(2 * np.pi * hertz * t_s)).astype(np.float32)


def test_gives_one_row_per_frame_and_one_column_per_band() -> None:
    features = SPECTROGRAM.features(voice_like(0))
    assert features.shape == (FRONT_END.frames, FRONT_END.bands) == (149, 64)
    assert features.dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["silence", "full scale", "square", "spike", "huge", "nan", "noise"]),
    st.floats(-1, 1),
    st.integers(0, 2**31),
)
def test_stays_finite_and_in_range_whatever_comes_in(kind: str, dc: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    sound = {
        "silence": np.zeros(LENGTH),
        "full scale": np.ones(LENGTH),
        "square": np.sign(random.standard_normal(LENGTH)),
        "spike": np.eye(1, LENGTH, seed % LENGTH)[0],
        "huge": random.standard_normal(LENGTH) * 1e30,
        "nan": np.where(random.random(LENGTH) < 0.1, np.nan, np.inf),
        "noise": random.standard_normal(LENGTH) * 1e-6,
    }[kind]
    features = SPECTROGRAM.features((sound + dc).astype(np.float32))
    assert np.isfinite(features).all()
    assert features.min() >= FRONT_END.low
    assert features.max() <= FRONT_END.high


def test_silence_is_the_floor_everywhere_and_int8_covers_the_range_with_zero_at_zero() -> None:
    step = (FRONT_END.high - FRONT_END.low) / 255
    assert (FRONT_END.low / step, FRONT_END.high / step) == (-128, 127)
    features = SPECTROGRAM.features(np.zeros(LENGTH, np.float32))
    floor = (FRONT_END.floor_db - FRONT_END.centre_db) / FRONT_END.unit_db
    assert features == pytest.approx(floor)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000), st.floats(-50, 20))
def test_gain_changes_nothing(seed: int, gain_db: float) -> None:
    sound = voice_like(seed)
    louder = sound * np.float32(10 ** (gain_db / 20))
    difference = SPECTROGRAM.features(sound) - SPECTROGRAM.features(louder)
    assert np.abs(difference).max() < 1e-3


def test_a_constant_offset_changes_nothing() -> None:
    sound = voice_like(1)
    difference = SPECTROGRAM.features(sound) - SPECTROGRAM.features(sound + np.float32(0.3))
    assert np.abs(difference).max() < 0.02


@pytest.mark.parametrize("hertz", [110, 220, 440, 1_000, 2_500, 5_000, 7_000])
def test_a_pure_tone_peaks_in_its_band(hertz: float) -> None:
    features = SPECTROGRAM.features(tone(hertz) + np.float32(0.01) * voice_like(2))
    nearest = int(np.abs(band_centers_hz(FRONT_END) - hertz).argmin())
    assert abs(int(features[70].argmax()) - nearest) <= 1


def test_a_shift_by_one_hop_shifts_the_picture_by_one_frame() -> None:
    sound = voice_like(3)
    shifted = np.roll(sound, FRONT_END.hop_samples)
    before, after = SPECTROGRAM.features(sound), SPECTROGRAM.features(shifted)
    np.testing.assert_allclose(after[5:-5], before[4:-6], atol=0.05)


def test_a_short_click_does_not_set_the_level() -> None:
    sound = voice_like(4)
    clicked = sound.copy()
    clicked[20_000:20_010] = 1.0
    untouched = np.abs(np.arange(FRONT_END.frames) * FRONT_END.hop_samples - 20_000) > 2_000
    difference = SPECTROGRAM.features(sound) - SPECTROGRAM.features(clicked)
    assert np.abs(difference[untouched]).max() < 0.2


@given(st.integers(0, 1_000))
@settings(max_examples=10, deadline=None)
def test_repeats_bit_for_bit(seed: int) -> None:
    sound = voice_like(seed)
    kept = sound.copy()
    first = SPECTROGRAM.features(sound)
    again = Spectrogram(FrontEnd()).features(sound)
    assert first.tobytes() == again.tobytes()
    assert sound.tobytes() == kept.tobytes(), "the input was changed"


def test_every_filter_sums_to_one_and_bands_rise() -> None:
    filters = mel_filters(FRONT_END)
    assert filters.shape == (FRONT_END.fft_size // 2 + 1, FRONT_END.bands)
    np.testing.assert_allclose(filters.sum(axis=0), 1)
    assert (np.diff(band_centers_hz(FRONT_END)) > 0).all()


def test_refuses_more_bands_than_the_transform_resolves_and_a_window_of_another_length() -> None:
    with pytest.raises(ValueError, match="fewer bands"):
        mel_filters(FrontEnd(bands=400))
    with pytest.raises(ValueError, match="48000"):
        SPECTROGRAM.features(np.zeros(100, np.float32))
