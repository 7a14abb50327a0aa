"""Turns a clip into windows as a device might hear it: another room, microphone, distance, voice."""

from collections.abc import Sequence

import numpy as np
import soxr
from numpy.typing import NDArray

from edge.messages import SAMPLE_RATE_HZ

Sound = NDArray[np.float32]

_SHIFT_S = 0.6
"""Windows lie up to this far from the best one: the device cuts one every half second."""
_SPEED = (0.88, 1.14)
"""Played so much faster: pitch, formants and tempo move together, as between speakers."""
_REVERBERATION_S = (0.12, 0.5)
"""Time to fall by 60 dB: a small furnished room to a bare kitchen."""
_SNR_DB = (0.0, 30.0)


def best_start(sound: Sound, length: int) -> int:
    """Where the window of *length* samples with most energy starts.

    Of all windows within 2 % of the most energy the middle one is taken, so that short speech
    sits in the middle. Negative when the clip is shorter than the window: it is then centred.
    """
    if len(sound) <= length:
        return -((length - len(sound)) // 2)
    energy = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
    starts = np.arange(0, len(sound) - length + 1, SAMPLE_RATE_HZ // 100)
    inside = energy[starts + length] - energy[starts]
    near = np.flatnonzero(inside >= 0.98 * inside.max())
    return int(starts[near[len(near) // 2]])


def cut(sound: Sound, start: int, length: int) -> Sound:
    """Samples [start, start + length) of *sound*, digital silence beyond its ends."""
    window = np.zeros(length, np.float32)
    first, last = max(start, 0), min(start + length, len(sound))
    if last > first:
        window[first - start : last - start] = sound[first:last]
    return window


def plain_view(sound: Sound, length: int) -> Sound:
    """The window with most speech energy, as it was recorded."""
    return cut(sound, best_start(sound, length), length)


def random_view(
    sound: Sound, noises: Sequence[Sound], length: int, random: np.random.Generator
) -> Sound:
    """One window of *sound* with random speed, place, room, microphone, noise, gain, clipping."""
    if random.random() < 0.8:
        speed = random.uniform(*_SPEED)
        sound = soxr.resample(sound, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ, quality="LQ")
    shift = int(random.uniform(-_SHIFT_S, _SHIFT_S) * SAMPLE_RATE_HZ)
    window = cut(sound, best_start(sound, length) + shift, length)
    window = _room_and_microphone(window, random)
    if random.random() < 0.75:
        window = add_noise(window, _noise(noises, length, random), random.uniform(*_SNR_DB))
    return _gain(window, random)


def add_noise(window: Sound, noise: Sound, snr_db: float) -> Sound:
    """Mix *noise* in, *snr_db* below the level of the loud tenth of *window*'s blocks of 20 ms."""
    level, noise_level = _loud_power(window), float(np.mean(noise.astype(np.float64) ** 2))
    if level <= 0 or noise_level <= 0:
        return window
    factor = np.sqrt(level / noise_level) * 10 ** (-snr_db / 20)
    mixed: Sound = (window + factor * noise).astype(np.float32)
    return mixed


def _loud_power(window: Sound) -> float:
    blocks = window[: len(window) // 320 * 320].reshape(-1, 320).astype(np.float64)
    return float(np.percentile((blocks**2).mean(axis=1), 90))


def _noise(noises: Sequence[Sound], length: int, random: np.random.Generator) -> Sound:
    """A stretch of recorded background, or (one time in four) white to brown noise."""
    if not noises or random.random() < 0.25:
        spectrum = np.fft.rfft(random.standard_normal(length))
        frequency = np.maximum(np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ), 20)
        spectrum /= frequency ** random.uniform(0, 1)
        return np.fft.irfft(spectrum, length).astype(np.float32)
    noise = noises[int(random.integers(len(noises)))]
    start = int(random.integers(len(noise)))
    return np.resize(np.roll(noise, -start), length)


def _room_and_microphone(window: Sound, random: np.random.Generator) -> Sound:
    """A synthetic echo and a smooth random frequency response, applied in one transform."""
    padded = len(window) + SAMPLE_RATE_HZ // 2
    frequency = np.fft.rfftfreq(padded, 1 / SAMPLE_RATE_HZ)
    octaves = np.log2(np.maximum(frequency, 50) / 1_000)
    points = np.linspace(-4.4, 3, 6)
    response_db = np.interp(octaves, points, random.uniform(-5, 5, len(points)))
    if random.random() < 0.3:
        high_hz = random.uniform(3_000, 7_500)
        response_db -= 24 * np.maximum(0, np.log2(np.maximum(frequency, 1) / high_hz))
    if random.random() < 0.3:
        low_hz = random.uniform(80, 300)
        response_db -= 12 * np.maximum(0, np.log2(low_hz / np.maximum(frequency, 1)))
    spectrum = np.fft.rfft(window, padded) * 10 ** (response_db / 20)
    if random.random() < 0.5:
        spectrum *= np.fft.rfft(_impulse_response(random), padded)
    return np.fft.irfft(spectrum, padded)[: len(window)].astype(np.float32)


def _impulse_response(random: np.random.Generator) -> Sound:
    """Direct sound and a tail of noise that decays exponentially (Moorer 1979)."""
    length = SAMPLE_RATE_HZ // 2
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    tail = random.standard_normal(length) * np.exp(
        -6.9 * time_s / random.uniform(*_REVERBERATION_S)
    )
    tail[: int(0.003 * SAMPLE_RATE_HZ)] = 0
    direct_to_tail_db = random.uniform(0, 15)
    tail *= 10 ** (-direct_to_tail_db / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1
    return tail.astype(np.float32)


def _gain(window: Sound, random: np.random.Generator) -> Sound:
    """A level between a distant voice and one that overloads, in steps of 16 bits."""
    peak = float(np.abs(window).max())
    if peak > 0:
        peak_db = random.uniform(3, 9) if random.random() < 0.05 else random.uniform(-36, -1)
        window = window * np.float32(10 ** (peak_db / 20) / peak)
    steps: Sound = np.round(np.clip(window, -1, 1) * 32_767).astype(np.float32) / np.float32(32_767)
    return steps
