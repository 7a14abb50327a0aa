"""A small formant synthesiser, for where no recorded or better spoken voice is at hand.

A buzz of glottal pulses runs through three resonators that glide from vowel to vowel, consonants
are shaped noise: after Klatt (1980), much reduced. It says nothing in any language, but moves as
speech does, so that a speech gate opens for it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]
Floats = NDArray[np.float64]

SYLLABLE_S: Final = 0.24
PITCH_HZ: Final = 185.0
_VOWELS: Final = (  # first three formants of a woman's vowels, Hz: Peterson & Barney (1952)
    (310, 2790, 3310), (610, 2330, 2990), (860, 2050, 2850),
    (850, 1220, 2810), (590, 920, 2710), (370, 950, 2670),
)  # fmt: skip
_BANDWIDTHS_HZ: Final = (80.0, 110.0, 170.0)
_BLOCK: Final = 96
"""Samples for which the resonators stand still."""


def _resonate(sound: Floats, centers_hz: Floats, bandwidth_hz: float, rate_hz: int) -> Floats:
    """Filter through one resonator whose centre changes from sample to sample: both shape [n]."""
    r = float(np.exp(-np.pi * bandwidth_hz / rate_hz))
    result = np.empty_like(sound)
    y1 = y2 = 0.0
    for start in range(0, len(sound), _BLOCK):
        b1 = 2 * r * float(np.cos(2 * np.pi * centers_hz[start] / rate_hz))
        gain = 1 - b1 + r * r
        for i in range(start, min(start + _BLOCK, len(sound))):
            y = gain * sound[i] + b1 * y1 - r * r * y2
            result[i] = y
            y1, y2 = y, y1
    return result


def babble(syllables: int, rate_hz: int, seed: int) -> Sound:
    """Speak that many syllables: shape [n], about `SYLLABLE_S` each, -1 to 1."""
    random = np.random.default_rng(seed)
    per = int(SYLLABLE_S * rate_hz)
    n = syllables * per
    t = np.arange(n) / rate_hz
    stops = np.arange(syllables + 1) * per
    vowels = np.array([_VOWELS[int(k)] for k in random.integers(len(_VOWELS), size=syllables + 1)])
    accent = np.interp(np.arange(n), stops, 1 + 0.12 * random.standard_normal(syllables + 1))
    pitch = PITCH_HZ * accent * (1.08 - 0.25 * t / t[-1]) * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * t))
    phase = np.cumsum(pitch) / rate_hz % 1.0
    flow = np.where(phase < 0.6, np.sin(np.pi * phase / 0.6) ** 2, 0.0)  # air through the glottis
    buzz = np.diff(flow, prepend=0.0) * rate_hz / 2000
    within = (np.arange(n) % per) / per
    voiced = np.clip((within - 0.18) / 0.12, 0, 1) * np.clip((1.02 - within) / 0.15, 0, 1)
    hiss = np.diff(random.standard_normal(n), prepend=0.0) * np.exp(
        -(((within - 0.12) / 0.06) ** 2)
    )
    source = buzz * voiced + 0.02 * random.standard_normal(n) * voiced
    for k, bandwidth in enumerate(_BANDWIDTHS_HZ):
        glide = np.interp(np.arange(n), stops, vowels[:, k])
        source = _resonate(source, glide, bandwidth, rate_hz)
    source /= np.abs(source).max() + 1e-9
    sound = source + 0.06 * hiss
    result: Sound = (sound / np.abs(sound).max() * 0.9).astype(np.float32)
    return result
