"""What one person looks and sounds like at rest, and how that shifts what counts as evidence.

A face at rest is no neutral face to the net: heavy brows read as anger, drooping corners of the
mouth as sadness. `Fusion` divides every reading by the class prior of its net, which says what the
net tends to answer anyway. A calibration tells what it tends to answer *for this person*:

    prior of this person = class prior + strength * trust * resting reading without neutral

normalised. The trust, 0 to 1, grows with the time that was seen. Neutral is left out, so
a resting face that reads as neutral changes nothing, and neutral never becomes harder to show.
`Fusion` mixes the result half and half with a uniform prior, as it does with any class prior, so a
calibration can make an emotion count for less, never for nothing.

Pure arithmetic: files are read by `edge.calibration.storage`, people are watched by
`edge.commands.calibrate_session`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.emotions import EMOTIONS
from edge.fusion import FusionOptions, softened
from edge.messages import FaceReading, Probabilities, VoiceReading
from edge.perception.manifest import Entry

STRENGTH: Final = 0.5
"""How much a resting reading that is fully trusted counts beside the class prior.

Less than the voices of the validation actors would bear, because the face uses it too and was not
measured: docs/decisions/013-neutral-calibration.md.
"""
HALF_S: Final = 3.0
"""After so many good seconds a resting reading is half trusted; after twice as many two thirds."""
LEAST_S: Final = 1.0
"""With fewer good seconds nothing is known about a person."""
LEAST_QUALITY: Final = 0.1
"""A worse reading (blurred, turned away, hardly any speech) tells nothing about a person at rest."""
LONGEST_GAP_S: Final = 1.0
"""A reading stands for the time since the one before it, at most for so long; the first for none."""
_LEAST_PROBABILITY: Final = 1e-4
"""Keeps the logarithm of a rounded-off probability from outweighing all other readings."""
_NEUTRAL: Final = EMOTIONS.index("neutral")

SenseReading = FaceReading | VoiceReading


@dataclass(frozen=True)
class Baseline:
    """What one sense makes of a person at rest."""

    mean_log: tuple[float, ...]
    """Mean logarithm of the probabilities, one for each of `EMOTIONS`, each at most 0."""
    seconds: float
    """Good seconds: time seen or heard, weighed by the quality of the readings."""
    model: str
    """`fingerprint` of the model that read the person."""

    @property
    def reading(self) -> Probabilities:
        """The resting reading: the geometric mean of the readings, shape [7], sum 1."""
        weights = np.exp(np.array(self.mean_log) - max(self.mean_log))
        return np.asarray(weights / weights.sum())

    @property
    def trust(self) -> float:
        """0 to 1, by how much was seen."""
        return self.seconds / (self.seconds + HALF_S)


@dataclass(frozen=True)
class Calibration:
    """One person at rest, as far as known."""

    face: Baseline | None = None
    voice: Baseline | None = None

    def __bool__(self) -> bool:
        """Something is known."""
        return self.face is not None or self.voice is not None


def fingerprint(entry: Entry) -> str:
    """Names a model and everything beside it that decides what it answers: 16 hexadecimal digits.

    The file's hash is in it, the temperature, the front end, the geometry and the mix of heads;
    figures and sources are not.
    """
    about = {"metrics", "data", "recipe", "macs", "class_prior", "class_maps"}
    text = entry.model_dump_json(exclude=about, exclude_none=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def baseline_of(
    probabilities: NDArray[np.float64], weights_s: NDArray[np.float64], model: str
) -> Baseline:
    """The mean of some readings of one person at rest.

    Args:
        probabilities: shape [n, 7].
        weights_s: shape [n], good seconds that each stands for; their sum is above 0.
        model: the fingerprint of what read them.
    """
    logs = np.log(np.maximum(probabilities, _LEAST_PROBABILITY))
    mean = weights_s @ logs / weights_s.sum()
    return Baseline(tuple(float(value) for value in mean), float(weights_s.sum()), model)


def covered_s(readings: Sequence[SenseReading]) -> NDArray[np.float64]:
    """Seconds that each reading stands for, shape [n]: 0 for one of too little quality."""
    times = np.array([reading.t_s for reading in readings])
    good = np.array([reading.quality >= LEAST_QUALITY for reading in readings], bool)
    gaps = np.diff(times, prepend=times[:1])
    return np.asarray(np.clip(gaps, 0.0, LONGEST_GAP_S) * good)


def baseline_seen(readings: Sequence[SenseReading], model: str) -> Baseline | None:
    """What the readings of one sense, in order of time, say of a person who was at rest.

    Returns:
        None if there were fewer than `LEAST_S` good seconds.
    """
    if not readings:
        return None
    quality = np.array([min(1.0, reading.quality) for reading in readings])
    weights_s = covered_s(readings) * quality
    if weights_s.sum() < LEAST_S:
        return None
    return baseline_of(np.array([reading.probabilities for reading in readings]), weights_s, model)


def shifted(
    class_prior: Probabilities, rest: Baseline | None, strength: float = STRENGTH
) -> Probabilities:
    """A net's class prior for this person: shape [7], sum 1, every entry above 0."""
    prior = class_prior / class_prior.sum()
    if rest is None:
        return np.asarray(prior)
    extra = rest.reading.copy()
    extra[_NEUTRAL] = 0.0
    prior = prior + strength * rest.trust * extra
    return np.asarray(prior / prior.sum())


def calibrated(options: FusionOptions, calibration: Calibration) -> FusionOptions:
    """The options of a fusion that knows the person. The 70-30 sum has no priors to shift."""
    return replace(
        options,
        face_class_prior=shifted(options.face_class_prior, calibration.face),
        voice_class_prior=shifted(options.voice_class_prior, calibration.voice),
    )


def factors(class_prior: Probabilities, rest: Baseline) -> Probabilities:
    """By what the odds of each emotion are multiplied for a clear reading of it, shape [7]."""
    return np.asarray(softened(class_prior) / softened(shifted(class_prior, rest)))
