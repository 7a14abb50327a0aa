"""The window of a recording that a voice net is given, and that is measured: where speech is."""

import numpy as np
from numpy.typing import NDArray

from edge.messages import SAMPLE_RATE_HZ

Sound = NDArray[np.float32]
"""Samples, mono."""


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


def plain_view(sound: Sound, length: int, margin: int = 0) -> Sound:
    """The *length* samples with most energy, as they were recorded, and *margin* on each side."""
    return cut(sound, best_start(sound, length) - margin, length + 2 * margin)
