"""Training windows out of spectra: another place in time, background, microphone.

All of it is arithmetic on power, cheap enough to be done afresh for every window that is drawn.
Powers of speech and background add (their phases are independent); a microphone multiplies.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from convert.voice.spectra_cache import MARGIN_FRAMES, Spectra
from edge.perception.spectrogram import FrontEnd, band_centers_hz

Features = NDArray[np.float32]
"""[n, bands, frames] in the units of `Spectrogram.features`."""
Power = NDArray[np.float32]
"""[n, bands, frames] or [bands, frames], linear."""

_SNR_DB = (3.0, 35.0)
_NOISY_SHARE = 0.6
"""How many of the windows that are not plain lie over background."""
_MADE_SHARE = 0.3
"""How much of the background is synthetic."""
_RESPONSE_DB = 6.0
_LEVEL = (-11.5, -3.0)
"""Power of background without speech, as a power of ten: from under the front end's silence up."""


def units_of(power: Power, front_end: FrontEnd) -> Features:
    """As `Spectrogram.to_units`, for many windows at once: [n, bands, frames]."""
    level = np.percentile(power.mean(axis=1), front_end.level_percentile, axis=1)
    least = np.maximum(level, front_end.minimum_power).astype(np.float32)
    relative = power / least[:, None, None]
    relative += np.float32(10 ** (front_end.floor_db / 10))
    decibels = np.log10(relative, out=relative)
    decibels *= np.float32(10 / front_end.unit_db)
    decibels -= np.float32(front_end.centre_db / front_end.unit_db)
    return np.clip(decibels, front_end.low, front_end.high, out=decibels)


def power_of(decibels: NDArray[np.floating]) -> Power:
    """10^(dB / 10) as float32."""
    # numpy takes ten times as long to widen half precision.
    wide = torch.from_numpy(np.ascontiguousarray(decibels)).float()
    power: Power = (wide * float(np.log(10) / 10)).exp_().numpy()
    return power


def plain_features(views: NDArray[np.float16], front_end: FrontEnd) -> Features:
    """Views [n, bands, frames + margins] as the device would see them: the best window of each."""
    middle = views[..., MARGIN_FRAMES : MARGIN_FRAMES + front_end.frames]
    return units_of(power_of(middle), front_end)


def windows_of(spectrum: Power, front_end: FrontEnd, step_s: float = 0.5) -> Features:
    """Windows of a recording every *step_s*, as the device cuts them: [n, bands, frames]."""
    step = max(1, round(step_s * front_end.rate_hz / front_end.hop_samples))
    starts = range(0, spectrum.shape[1] - front_end.frames + 1, step)
    cuts = [spectrum[:, start : start + front_end.frames] for start in starts]
    return units_of(np.stack(cuts), front_end)


class Mixer:
    """Draws windows of speech over background, and of background alone."""

    def __init__(self, front_end: FrontEnd, recorded: Spectra, made: Spectra) -> None:
        """Keep the background: at least one spectrum of each kind."""
        self.front_end = front_end
        self._recorded, self._made = recorded, made
        self._octaves = np.log2(np.maximum(band_centers_hz(front_end), 50) / 1_000)

    def speech(
        self,
        views: Sequence[NDArray[np.float16]],
        plain: NDArray[np.bool_],
        random: np.random.Generator,
    ) -> Features:
        """One window of each view; where *plain* the best one and as it is."""
        frames = self.front_end.frames
        cuts = np.empty((len(views), self.front_end.bands, frames), np.float16)
        for place, view in enumerate(views):
            shifted = int(random.integers(2 * MARGIN_FRAMES + 1))
            start = MARGIN_FRAMES if plain[place] else shifted
            cuts[place] = view[:, start : start + frames]
        power = power_of(cuts)
        loud = np.percentile(power.mean(axis=1), self.front_end.level_percentile, axis=1)
        for row in np.flatnonzero(~plain):
            if random.random() < _NOISY_SHARE:
                noise = self._background(random)
                ratio = 10 ** (-random.uniform(*_SNR_DB) / 10)
                noise *= np.float32(loud[row] * ratio / max(noise.mean(), 1e-30))
                power[row] += noise
            power[row] *= self._microphone(random)
        return units_of(power, self.front_end)

    def background(self, count: int, random: np.random.Generator) -> Features:
        """Windows without a voice: one or two sounds of background at any level, or silence."""
        power = np.zeros((count, self.front_end.bands, self.front_end.frames), np.float32)
        for place in range(count):
            if random.random() < 0.05:
                continue
            sound = self._background(random)
            if random.random() < 0.4:
                second = self._background(random)
                second *= np.float32(10 ** random.uniform(-2, 2) / max(float(second.mean()), 1e-30))
                sound = sound / np.float32(max(float(sound.mean()), 1e-30)) + second
            if random.random() < 0.25:  # begins or ends in the window
                edge = random.integers(sound.shape[1])
                quiet = slice(None, edge) if random.random() < 0.5 else slice(edge, None)
                sound[:, quiet] *= np.float32(10 ** random.uniform(-4, -1))
            level = 10 ** random.uniform(*_LEVEL)
            sound *= np.float32(level / max(float(sound.mean()), 1e-30))
            power[place] = sound * self._microphone(random)
        return units_of(power, self.front_end)

    def _background(self, random: np.random.Generator) -> Power:
        kind = self._made if random.random() < _MADE_SHARE else self._recorded
        spectrum = kind[int(random.integers(len(kind)))]
        start, frames = int(random.integers(spectrum.shape[1])), self.front_end.frames
        begun = spectrum[:, start : start + frames]
        return np.concatenate([begun, spectrum[:, : frames - begun.shape[1]]], axis=1)

    def _microphone(self, random: np.random.Generator) -> Power:
        """Power response [bands, 1]: smooth bumps, sometimes cut off above or below."""
        points = np.linspace(-4.4, 3, 6)
        bumps = random.uniform(-_RESPONSE_DB, _RESPONSE_DB, len(points))
        response_db = np.interp(self._octaves, points, bumps)
        if random.random() < 0.3:
            high = np.log2(random.uniform(3_000, 7_500) / 1_000)
            response_db -= 24 * np.maximum(0, self._octaves - high)
        if random.random() < 0.3:
            low = np.log2(random.uniform(80, 300) / 1_000)
            response_db -= 12 * np.maximum(0, low - self._octaves)
        return power_of(response_db)[:, None]
