from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("soxr")

from convert.voice.mix import Mixer, plain_features, power_of, units_of, windows_of
from convert.voice.spectra_cache import MARGIN_FRAMES
from edge.perception.spectrogram import FrontEnd, Spectrogram

FRONT_END = FrontEnd(window_samples=16_000, bands=16)
FRAMES = FRONT_END.frames
SPECTROGRAM = Spectrogram(FRONT_END)


def powers(count: int = 3) -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    return (10 ** random.uniform(-9, -1, (count, 16, FRAMES))).astype(np.float32)


def view(level_db: float = -20) -> NDArray[np.float16]:
    """A voice in the middle third of the bands, silence elsewhere; louder from frame to frame."""
    decibels = np.full((16, FRAMES + 2 * MARGIN_FRAMES), -110.0)
    decibels[5:10] = level_db + np.linspace(-3, 3, decibels.shape[1])
    return decibels.astype(np.float16)


def mixer(noise_power: float = 1e-3) -> Mixer:
    noise = np.zeros((16, 2 * FRAMES), np.float32)
    noise[:3] = noise_power
    return Mixer(FRONT_END, [noise], [noise])


def test_a_batch_gives_the_units_of_the_device() -> None:
    given = units_of(powers(), FRONT_END)
    for ours, power in zip(given, powers(), strict=True):
        expected = SPECTROGRAM.to_units(power.T.astype(np.float64)).T
        np.testing.assert_allclose(ours, expected, atol=2e-5)


def test_silence_has_finite_units() -> None:
    given = units_of(np.zeros((1, 16, FRAMES), np.float32), FRONT_END)
    np.testing.assert_allclose(given[0], SPECTROGRAM.to_units(np.zeros((FRAMES, 16))).T, atol=1e-5)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_decibels_of_any_precision_become_power_and_stay_as_they_are(kind: type[Any]) -> None:
    decibels: NDArray[np.floating[Any]] = np.array([-20.0, 0.0, 10.0], kind)
    assert power_of(decibels) == pytest.approx([0.01, 1, 10], rel=1e-3)
    assert decibels.tolist() == [-20, 0, 10]


def test_a_plain_window_is_the_middle_and_nothing_is_mixed_in() -> None:
    plain = np.ones(2, bool)
    given = mixer().speech([view(), view()], plain, np.random.default_rng(0))
    np.testing.assert_array_equal(given, plain_features(np.stack([view(), view()]), FRONT_END))
    assert (given[:, :3] < -2.9).all(), "there is noise in it"


def test_other_windows_get_noise_at_most_as_loud_as_the_voice() -> None:
    given = mixer().speech([view()] * 200, np.zeros(200, bool), np.random.default_rng(0))
    noisy = given[:, :3].mean(axis=(1, 2)) > -2.5
    assert 0.4 < noisy.mean() < 0.95
    voice, noise = given[:, 5:10].mean(axis=(1, 2)), given[:, :3].mean(axis=(1, 2))
    # 0 dB of mean power in 3 bands against 5, and responses of up to 12 dB between them
    assert (noise < voice + 1.8).all()


def test_windows_lie_at_many_places_of_the_view() -> None:
    word = view()
    word[:, FRAMES // 2 + MARGIN_FRAMES] += 20
    given = mixer(0).speech([word] * 40, np.zeros(40, bool), np.random.default_rng(1))
    found = {int(each[7].argmax()) for each in given}
    assert len(found) > 10
    assert max(found) - min(found) <= 2 * MARGIN_FRAMES


def test_background_has_no_voice_in_it_and_many_levels() -> None:
    given = mixer().background(100, np.random.default_rng(0))
    assert given.shape == (100, 16, FRAMES)
    assert np.isfinite(given).all()
    # above the noise's three bands is nothing
    assert (given[:, 5:] < -2.9).all()
    silent = (given < -2.9).all(axis=(1, 2))
    assert 0 < silent.mean() < 0.5


def test_a_recording_is_cut_every_half_second_as_on_the_device() -> None:
    samples = np.random.default_rng(3).standard_normal(32_000).astype(np.float32)
    spectrum = SPECTROGRAM.power(samples).T.astype(np.float32)
    given = windows_of(spectrum, FRONT_END)
    assert given.shape == (3, 16, FRAMES)
    second = SPECTROGRAM.features(samples[8_000:24_000]).T
    assert np.abs(given[1] - second)[:, 1:].max() < 0.05
