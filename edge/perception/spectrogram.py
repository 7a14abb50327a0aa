"""The log-mel front end: three seconds of sound -> the picture that the voice net looks at.

Pure numpy. The device and `convert/` both import this module and both take its parameters from
the model's manifest, so that a net never sees features that it was not trained on.

Steps, all in float64: remove the mean, pre-emphasise, cut into frames under a periodic Hann window,
power spectrum, triangular mel bands (mel scale of O'Shaughnessy 1987 as in HTK:
2595 log10(1 + f / 700); each band averages its power), divide by the level of the window's loud
frames, take decibels above a floor, bring into fixed units. Dividing by the level makes the result
independent of the microphone's gain; the floor hides the room's hiss once speech is well above it.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "rate_hz": (4_000, 192_000),
    "window_samples": (512, 2_000_000),
    "frame_samples": (16, 16_384),
    "hop_samples": (16, 16_384),
    "fft_size": (16, 16_384),
    "bands": (1, 512),
    "low_hz": (0, 96_000),
    "high_hz": (1, 96_000),
    "pre_emphasis": (0, 1),
    "level_percentile": (0, 100),
    "minimum_power": (1e-30, 1),
    "floor_db": (-200, 0),
    "centre_db": (-200, 200),
    "unit_db": (0.1, 100),
    "limit": (0.1, 100),
}
"""Least and greatest value of each parameter."""
MOST_VALUES: Final = 4_000_000
"""Of one window's transform, frames times fft_size: 64 MB."""


@dataclass(frozen=True)
class FrontEnd:
    """Every parameter of the front end; the manifest stores them as a table of the same keys.

    Raises:
        ValueError: one is out of `BOUNDS`, or some do not go together; names it.
    """

    rate_hz: int = 16_000
    window_samples: int = 48_000
    """Length of the sound that is read at once: 3 s."""
    frame_samples: int = 640
    """40 ms: long enough to tell the harmonics of a low voice apart."""
    hop_samples: int = 320
    fft_size: int = 1_024
    bands: int = 64
    low_hz: float = 60.0
    high_hz: float = 7_600.0
    pre_emphasis: float = 0.97
    level_percentile: float = 90.0
    """Level of the window: this percentile of its frames' power. A click is too short to move it,
    half a second of speech is long enough to set it."""
    minimum_power: float = 1e-10
    """Windows quieter than this (about -100 dBFS) are silence and are not amplified further."""
    floor_db: float = -50.0
    """Power added to every band, relative to the level."""
    centre_db: float = -20.0
    unit_db: float = 10.0
    """A feature is (decibels - centre_db) / unit_db ..."""
    limit: float = 4.0
    """... clipped to `low` .. `high`."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value, (low, high) = getattr(self, field.name), BOUNDS[field.name]
            whole = field.type is int
            if type(value) not in (int, float)[: 2 - whole] or not low <= value <= high:
                kind = "a whole number" if whole else "a number"
                raise ValueError(f"{field.name} has to be {kind} from {low:,g} to {high:,g}")
        if not self.hop_samples <= self.frame_samples <= min(self.window_samples, self.fft_size):
            raise ValueError(
                "hop_samples may be at most frame_samples, and that at most window_samples and "
                "fft_size"
            )
        if self.frames * self.fft_size > MOST_VALUES:
            raise ValueError("hop_samples is too short for this fft_size and window_samples")
        if not self.low_hz < self.high_hz <= self.rate_hz / 2:
            raise ValueError("low_hz has to be below high_hz, and that at most half of rate_hz")

    @property
    def low(self) -> float:
        """Least feature: -128 as int8."""
        return -self.limit

    @property
    def high(self) -> float:
        """Greatest feature: 127 as int8. Just under limit, so that zero is the integer zero."""
        return self.limit * 127 / 128

    @property
    def frames(self) -> int:
        """Frames in one window."""
        return 1 + (self.window_samples - self.frame_samples) // self.hop_samples


class Spectrogram:
    """Computes features; holds the window and the mel filters."""

    def __init__(self, front_end: FrontEnd) -> None:
        self.front_end = front_end
        n = np.arange(front_end.frame_samples)
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / front_end.frame_samples)
        self._hann = hann / np.sqrt((hann**2).sum())
        self._filters = mel_filters(front_end)

    def features(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Describe one window.

        Args:
            samples: shape [window_samples], nominally -1 to 1. Values that are no number count
                as silence.

        Returns:
            float32 [frames, bands], each `low` to `high` of the front end.

        Raises:
            ValueError: *samples* has another shape.
        """
        if samples.shape != (self.front_end.window_samples,):
            raise ValueError(
                f"a window has {self.front_end.window_samples} samples, not {samples.shape}"
            )
        return self.to_units(self.power(samples))

    def power(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean power in each mel band, float64 [frames, bands], of sound of any length."""
        parameters = self.front_end
        sound = np.nan_to_num(samples.astype(np.float64), posinf=0.0, neginf=0.0)
        sound = np.clip(sound, -1e3, 1e3)
        sound -= sound.mean()
        sound[1:] -= parameters.pre_emphasis * sound[:-1]
        frames = np.lib.stride_tricks.sliding_window_view(sound, parameters.frame_samples)
        spectrum = np.fft.rfft(frames[:: parameters.hop_samples] * self._hann, parameters.fft_size)
        power: NDArray[np.float64] = (spectrum.real**2 + spectrum.imag**2) @ self._filters
        return power

    def to_units(self, power: NDArray[np.float64]) -> NDArray[np.float32]:
        """What `power` gives -> features of the same shape, relative to the loud frames."""
        parameters = self.front_end
        level = np.percentile(power.mean(axis=1), parameters.level_percentile)
        relative = power / max(float(level), parameters.minimum_power)
        decibels = 10 * np.log10(relative + 10 ** (parameters.floor_db / 10))
        units = (decibels - parameters.centre_db) / parameters.unit_db
        return np.asarray(np.clip(units, parameters.low, parameters.high), np.float32)


def mel_filters(front_end: FrontEnd) -> NDArray[np.float64]:
    """Triangular filters, float64 [fft_size // 2 + 1, bands]; each column sums to 1.

    Raises:
        ValueError: the bands are too narrow for the resolution of the transform.
    """
    low, high = _mel(np.array([front_end.low_hz, front_end.high_hz]))
    edges = _hertz(np.linspace(low, high, front_end.bands + 2))
    bins = np.fft.rfftfreq(front_end.fft_size, 1 / front_end.rate_hz)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    total = triangles.sum(axis=0)
    if not (total > 0).all():
        raise ValueError(
            "a mel band holds no bin of the transform: use fewer bands or a larger fft"
        )
    filters: NDArray[np.float64] = triangles / total
    return filters


def band_centers_hz(front_end: FrontEnd) -> NDArray[np.float64]:
    """Frequency at the peak of each band, Hz, shape [bands]."""
    low, high = _mel(np.array([front_end.low_hz, front_end.high_hz]))
    return _hertz(np.linspace(low, high, front_end.bands + 2))[1:-1]


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    mel: NDArray[np.float64] = 2595 * np.log10(1 + hertz / 700)
    return mel


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    hertz: NDArray[np.float64] = 700 * (10 ** (mel / 2595) - 1)
    return hertz
