"""Joins what the face and the voice say into one belief: a Bayes filter with forgetting.

Belief over the seven emotions at any moment:

    belief ~ prior * exp(face evidence + voice evidence)

Each sense keeps its own evidence, a running mean of log(probabilities / class prior of its net).
A reading moves that mean by as much as the time that it covers and its quality deserve, so thirty
frames of one look in one second count as one look and not as thirty witnesses. What a sense no
longer confirms fades, and the belief returns to the prior. This is the log-linear opinion pool
(Genest & Zidek 1986) over time with exponential forgetting (Kulhavy & Zarrop 1993).

Pure arithmetic: the caller brings the time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge.emotions import DEFAULT_PRIOR, EMOTIONS, affect
from edge.messages import (
    UNIFORM,
    Belief,
    Evidence,
    FaceReading,
    NoFace,
    Point,
    Probabilities,
    VoiceReading,
)

Reading = FaceReading | NoFace | VoiceReading

DOUBT: Final = 0.08
"""Chance that a reading is of no use at all (wrong crop, other speaker): bounds what one can say."""
FADE_S: Final = 2.0
"""Evidence of a sense that has fallen silent falls to 1/e in this time."""
SWITCH_MARGIN: Final = 0.05
"""By how much another emotion must lead the shown one."""
SWITCH_READINGS: Final = 2
"""How many readings in a row must have it in the lead: one wrong frame is never enough."""
UNSURE_AFTER_S: Final = 0.6
"""How long the belief must stay under the floor before "unsure" is shown."""


@dataclass(frozen=True)
class FusionOptions:
    """How the senses are weighed."""

    weights: Literal["bayes", "70-30"] = "bayes"
    """The filter, or the field's classic fixed sum of 70 % face and 30 % voice."""
    prior: Probabilities = field(
        default_factory=lambda: np.array([DEFAULT_PRIOR[name] for name in EMOTIONS])
    )
    face_class_prior: Probabilities = field(default_factory=lambda: UNIFORM)
    """Class frequencies that the face net was trained with."""
    voice_class_prior: Probabilities = field(default_factory=lambda: UNIFORM)
    face_weight: float = 1.3
    """Multiplies the evidence of the face."""
    voice_weight: float = 1.3
    """Multiplies the evidence of the voice. Both are those under which the truth is likeliest on pairs
    of faces and voices that nothing was learned from (`python -m convert fusion`, the rows of
    PublicTest that are kept back with the deciding actors)."""
    confidence_floor: float = 0.35
    """A leading probability below it is shown as "unsure"."""
    nobody_after_s: float = 1.5
    """Neither face nor voice for so long is shown as "nobody"."""


def softened(class_prior: Probabilities) -> Probabilities:
    """A net's class frequencies, half-way to uniform.

    Nets are worst at the rare classes; a full correction would make the least certain of their
    outputs the loudest.
    """
    return np.asarray((class_prior / class_prior.sum() + UNIFORM) / 2)


def log_ratio(probabilities: Probabilities, base: Probabilities) -> NDArray[np.float64]:
    """What a reading says for and against each emotion: log(doubted probability / base), [7]."""
    doubted = (1 - DOUBT) * probabilities + DOUBT * base
    return np.asarray(np.log(doubted / base))


class _Memory:
    """What one sense has been saying lately."""

    def __init__(self, class_prior: Probabilities, weight: float, memory_s: float) -> None:
        self._base = softened(class_prior)
        self._weight = weight
        self._memory_s = memory_s
        self.mean: NDArray[np.float64] = np.zeros(len(EMOTIONS))
        self.latest: Probabilities | None = None
        self.quality = 0.0
        self.seen_s = -math.inf
        self._advanced_s = -math.inf

    def advance(self, t_s: float) -> None:
        """Let the evidence of a sense fade that has had nothing to say for longer than it remembers."""
        since_s = max(self._advanced_s, self.seen_s + self._memory_s)
        if math.isfinite(since_s) and t_s > since_s:
            self.mean = self.mean * math.exp(-(t_s - since_s) / FADE_S)
        self._advanced_s = max(self._advanced_s, t_s)

    def take(self, probabilities: Probabilities, quality: float, t_s: float) -> None:
        """Move towards a reading, by the time since the one before it (at most half the memory)."""
        covered_s = min(max(0.0, t_s - self.seen_s), self._memory_s / 2)
        quality = min(1.0, max(0.0, quality))
        ratio = log_ratio(probabilities, self._base)
        gain = 1 - math.exp(-covered_s / self._memory_s * quality)
        self.mean = (1 - gain) * self.mean + gain * quality * self._weight * ratio
        self.latest, self.quality, self.seen_s = probabilities, quality, max(self.seen_s, t_s)


class Fusion:
    """Turns readings into beliefs."""

    def __init__(self, options: FusionOptions | None = None) -> None:
        self.options = options or FusionOptions()
        self._prior: Probabilities = self.options.prior / self.options.prior.sum()
        # A look is over in a third of a second; a tone of voice needs a phrase.
        self._face = _Memory(self.options.face_class_prior, self.options.face_weight, 0.28)
        self._voice = _Memory(self.options.voice_class_prior, self.options.voice_weight, 1.2)
        self._gaze: Point = (0.0, 0.0)
        self._face_gone = False
        self._started_s: float | None = None
        self._choice = _Choice(self.options.confidence_floor)

    def update(self, readings: Sequence[Reading], t_s: float) -> Belief:
        """Take in the readings of one moment (in any order; often none); the belief at *t_s*."""
        if self._started_s is None:
            self._started_s = t_s
        self._face.advance(t_s)
        self._voice.advance(t_s)
        faces = [reading for reading in readings if isinstance(reading, FaceReading)]
        voices = [reading for reading in readings if isinstance(reading, VoiceReading)]
        for group, evidence in ((faces, self._face), (voices, self._voice)):
            if group:
                probabilities = np.mean([reading.probabilities for reading in group], axis=0)
                quality = float(np.mean([reading.quality for reading in group]))
                evidence.take(probabilities, quality, max(reading.t_s for reading in group))
        if faces:
            newest = max(faces, key=lambda reading: reading.t_s)
            self._gaze, self._face_gone = newest.gaze, False
        elif any(isinstance(reading, NoFace) for reading in readings):
            self._face_gone = True
        belief = self._belief(t_s)
        face_present = not self._face_gone and t_s - self._face.seen_s <= 1.0
        voice_present = t_s - self._voice.seen_s <= 1.0
        silent_s = t_s - max(self._face.seen_s, self._voice.seen_s, self._started_s)
        nothing_yet = self._face.latest is None and self._voice.latest is None
        somebody = not nothing_yet and silent_s <= self.options.nobody_after_s
        if not somebody:
            shown = self._choice.reset("nobody")
        else:
            shown = self._choice.step(belief, bool(faces or voices), t_s)
        valence, arousal = affect(belief)
        face_share, voice_share = self._shares()
        return Belief(
            t_s=t_s,
            shown=shown,
            somebody=somebody,
            probabilities=belief,
            valence=valence,
            arousal=arousal,
            face=Evidence(face_present, self._face.quality if face_present else 0.0, face_share),
            voice=Evidence(
                voice_present, self._voice.quality if voice_present else 0.0, voice_share
            ),
            gaze=self._gaze if face_present else (0.0, 0.0),
        )

    def _belief(self, t_s: float) -> Probabilities:
        if self.options.weights == "70-30":
            return self._fixed_sum(t_s)
        log_belief = np.log(self._prior) + self._face.mean + self._voice.mean
        belief: Probabilities = np.exp(log_belief - log_belief.max())
        belief /= belief.sum()
        return belief

    def _fixed_sum(self, t_s: float) -> Probabilities:
        """70 % newest face + 30 % newest voice; the other alone when one has been gone for a second."""
        parts = [
            (share, evidence.latest)
            for share, evidence in ((0.7, self._face), (0.3, self._voice))
            if evidence.latest is not None and t_s - evidence.seen_s <= 1.0
        ]
        if not parts:
            return self._prior
        total = sum(share for share, _ in parts)
        belief: Probabilities = np.zeros(len(EMOTIONS))
        for share, latest in parts:
            belief += share / total * latest
        return belief

    def _shares(self) -> tuple[float, float]:
        face, voice = float(np.ptp(self._face.mean)), float(np.ptp(self._voice.mean))
        if face + voice < 1e-3:
            return 0.0, 0.0
        return face / (face + voice), voice / (face + voice)


class _Choice:
    """What is shown: follows the belief with hysteresis."""

    def __init__(self, floor: float) -> None:
        self._floor = floor
        self._shown = "nobody"
        self._leader = ""
        self._readings = 0
        self._unsure_since_s: float | None = None

    def reset(self, shown: str) -> str:
        self._shown, self._leader, self._readings = shown, "", 0
        self._unsure_since_s = None
        return shown

    def step(self, belief: Probabilities, heard: bool, t_s: float) -> str:
        """One step; *heard*: a reading has just come in."""
        if self._shown == "nobody":
            self._shown = "unsure"
        top = int(belief.argmax())
        leader = EMOTIONS[top] if belief[top] >= self._floor else ""
        if leader != self._leader:
            self._leader, self._readings = leader, 0
        if heard:
            self._readings += 1
        if not leader:
            if self._unsure_since_s is None:
                self._unsure_since_s = t_s
            if t_s - self._unsure_since_s >= UNSURE_AFTER_S:
                self._shown = "unsure"
            return self._shown
        self._unsure_since_s = None
        if leader != self._shown and self._readings >= SWITCH_READINGS:
            held = belief[EMOTIONS.index(self._shown)] if self._shown in EMOTIONS else 0.0
            if belief[top] - held >= SWITCH_MARGIN:
                self._shown = leader
        return self._shown
