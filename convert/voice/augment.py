"""Turns a clip into sound as a device might hear it: another voice, room, converter; and noise.

What can be done to a spectrum (microphone, noise, place in the window) is `mix`'s.
"""

import numpy as np
import soxr

from convert.voice.window import Sound, plain_view
from edge.messages import SAMPLE_RATE_HZ

_SPEED = (0.86, 1.16)
"""Played so much faster: pitch, formants and tempo move together, as between speakers."""
_REVERBERATION_S = (0.12, 0.5)
"""Time to fall by 60 dB: a small furnished room to a bare kitchen."""


def random_view(sound: Sound, length: int, margin: int, random: np.random.Generator) -> Sound:
    """As `plain_view`, spoken at another speed and pitch, in another room, at another level."""
    if random.random() < 0.85:
        speed = random.uniform(*_SPEED)
        sound = soxr.resample(sound, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ, quality="LQ")
    window = plain_view(sound, length, margin)
    if random.random() < 0.5:
        window = _in_a_room(window, random)
    return _converted(window, random)


def add_noise(window: Sound, noise: Sound, snr_db: float) -> Sound:
    """Mix *noise* in, *snr_db* below the level of the loud tenth of *window*'s blocks of 20 ms."""
    level, noise_level = _loud_power(window), float(np.mean(noise.astype(np.float64) ** 2))
    if level <= 0 or noise_level <= 0:
        return window
    factor = np.sqrt(level / noise_level) * 10 ** (-snr_db / 20)
    mixed: Sound = (window + factor * noise).astype(np.float32)
    return mixed


def made_noise(length: int, random: np.random.Generator) -> Sound:
    """White to brown noise, half of the time with the hum of a motor, swelling and falling.

    What fans, ventilation, traffic and power supplies sound like; recordings of them are few.
    """
    frequency = np.maximum(np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ), 20)
    spectrum = np.fft.rfft(random.standard_normal(length)) / frequency ** random.uniform(0, 1.2)
    noise = np.fft.irfft(spectrum, length)
    noise /= noise.std()
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    if random.random() < 0.5:
        turning = random.uniform(30, 400) * (1 + 0.01 * np.sin(time_s * random.uniform(0.2, 3)))
        phase = 2 * np.pi * np.cumsum(turning) / SAMPLE_RATE_HZ
        hum = np.zeros(length)
        for harmonic in range(1, int(random.integers(2, 16))):
            hum += random.uniform() / harmonic * np.sin(harmonic * phase + random.uniform(0, 6.28))
        noise += hum / hum.std() * 10 ** random.uniform(-0.75, 0.5)
    swell_db = random.uniform(0, 8) * np.sin(time_s * random.uniform(0.3, 8) + random.uniform(0, 6))
    noise *= 10 ** (swell_db / 20)
    return (0.1 * noise / np.abs(noise).max()).astype(np.float32)


def _loud_power(window: Sound) -> float:
    blocks = window[: len(window) // 320 * 320].reshape(-1, 320).astype(np.float64)
    return float(np.percentile((blocks**2).mean(axis=1), 90))


def _in_a_room(window: Sound, random: np.random.Generator) -> Sound:
    """Direct sound and a tail of noise that decays exponentially (Moorer 1979)."""
    tail_length = SAMPLE_RATE_HZ // 2
    time_s = np.arange(tail_length) / SAMPLE_RATE_HZ
    tail = random.standard_normal(tail_length) * np.exp(
        -6.9 * time_s / random.uniform(*_REVERBERATION_S)
    )
    tail[: int(0.003 * SAMPLE_RATE_HZ)] = 0
    direct_to_tail_db = random.uniform(0, 15)
    tail *= 10 ** (-direct_to_tail_db / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1
    # For the length of a view this is a product of small primes, and so a fast transform.
    padded = -(-(len(window) + tail_length) // 5_120) * 5_120
    spectrum = np.fft.rfft(window.astype(np.float32), padded)
    spectrum *= np.fft.rfft(tail.astype(np.float32), padded)
    return np.fft.irfft(spectrum, padded)[: len(window)].astype(np.float32)


def _converted(window: Sound, random: np.random.Generator) -> Sound:
    """A level between a distant voice and one that overloads, in steps of 16 bits."""
    peak = float(np.abs(window).max())
    if peak > 0:
        peak_db = random.uniform(3, 9) if random.random() < 0.05 else random.uniform(-36, -1)
        window = window * np.float32(10 ** (peak_db / 20) / peak)
    steps: Sound = np.round(np.clip(window, -1, 1) * 32_767).astype(np.float32) / np.float32(32_767)
    return steps
