"""The frozen messages that travel between the stages.

Every `t_s` is monotonic time in seconds (`time.monotonic`), never the wall clock, which may jump.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge.emotions import EMOTIONS

Probabilities = NDArray[np.float64]
"""Shape [7], in the order of `EMOTIONS`, each 0-1, sum 1."""

Point = tuple[float, float]
"""(x, y) in pixels of the frame; x to the right, y down."""

SenseName = Literal["face", "voice"]
SENSES: Final[tuple[SenseName, ...]] = ("face", "voice")

SenseState = Literal["off", "starting", "ok", "lost"]
"""off: not wanted. starting: being opened. ok: delivering. lost: failed, being tried again."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture."""

    image: NDArray[np.uint8]
    """Shape [height, width, 3], RGB."""
    t_s: float
    """When it was taken."""


@dataclass(frozen=True, eq=False)
class Audio:
    """A stretch of sound, 16 kHz, mono."""

    samples: NDArray[np.float32]
    """Shape [n], -1 to 1."""
    t_s: float
    """When its last sample was taken."""


SAMPLE_RATE_HZ = 16_000
"""Rate of every `Audio`."""


@dataclass(frozen=True)
class Face:
    """One face in a frame, as the face finder saw it."""

    x_px: float
    y_px: float
    width_px: float
    height_px: float
    right_eye: Point
    """The person's own right eye: on the left of an unmirrored picture."""
    left_eye: Point
    nose: Point
    mouth: Point
    right_ear: Point
    left_ear: Point
    score: float
    """Detector confidence, 0-1."""


@dataclass(frozen=True, eq=False)
class FaceReading:
    """What one frame says about the attended face."""

    t_s: float
    probabilities: Probabilities
    quality: float
    """0 (worthless) to 1 (large, sharp, frontal)."""
    face: Face
    faces: int = 1
    """How many faces were in view."""
    gaze: Point = (0.0, 0.0)
    """Middle of the face in the frame, each -1 to 1: x 1 is the right edge, y 1 the bottom."""


@dataclass(frozen=True, eq=False)
class NoFace:
    """A frame was looked at and nobody was in it."""

    t_s: float


@dataclass(frozen=True, eq=False)
class VoiceReading:
    """What one window of sound says."""

    t_s: float
    probabilities: Probabilities
    quality: float
    """0 (no speech in it) to 1 (clear speech throughout)."""


@dataclass(frozen=True)
class Sense:
    """How one sense fares, for the display and the events."""

    state: SenseState = "off"
    present: bool = False
    """Somebody is seen (face) or heard (voice) just now."""
    quality: float = 0.0
    """Of the newest reading, 0-1; 0 when nobody is present."""
    share: float = 0.0
    """Part of the recent evidence that came from this sense, 0-1; the two sum to 1, or both are 0."""
    trouble: str = ""
    """One sentence: why, when state is lost; when it is ok, what is wrong with what is delivered."""


UNIFORM: Probabilities = np.full(len(EMOTIONS), 1 / len(EMOTIONS))
UNIFORM.setflags(write=False)

DisplayLevel = Literal["awake", "dim", "asleep"]
"""How awake a display is."""

SHOWN = (*EMOTIONS, "unsure", "nobody", "starting", "fault")
"""Everything that `Mood.shown` can be."""


@dataclass(frozen=True)
class Evidence:
    """What one sense contributes to a belief."""

    present: bool = False
    """Somebody is seen (or heard) just now."""
    quality: float = 0.0
    """Of the newest reading, 0-1; 0 when nobody is present."""
    share: float = 0.0
    """Part of the recent evidence that came from this sense, 0-1; the two sum to 1, or both are 0."""


@dataclass(frozen=True, eq=False)
class Belief:
    """What the fusion makes of the readings; how the senses themselves are doing it cannot know."""

    t_s: float
    shown: str
    """What is to be shown of it: one of `EMOTIONS`, "unsure" or "nobody"."""
    somebody: bool
    """Somebody has been seen or heard lately."""
    probabilities: Probabilities = field(default_factory=lambda: UNIFORM)
    valence: float = 0.0
    """-1 (unpleasant) to 1 (pleasant)."""
    arousal: float = 0.0
    """-1 (drowsy) to 1 (excited)."""
    face: Evidence = Evidence()
    voice: Evidence = Evidence()
    gaze: Point = (0.0, 0.0)
    """As `Mood.gaze`."""


class Condition(Enum):
    """What the appliance is in the middle of.

    It decides what happens; `Mood.shown` only names the picture that is shown meanwhile.
    """

    STARTING = "starting"
    """No sense has delivered yet."""
    WATCHING = "watching"
    """Somebody is seen or heard."""
    ALONE = "alone"
    """Nobody is."""
    FAULT = "fault"
    """Every sense that is wanted is lost."""


@dataclass(frozen=True, eq=False)
class Mood:
    """What Mien believes and shows."""

    t_s: float
    shown: str
    """One of `SHOWN`."""
    probabilities: Probabilities = field(default_factory=lambda: UNIFORM)
    valence: float = 0.0
    """-1 (unpleasant) to 1 (pleasant)."""
    arousal: float = 0.0
    """-1 (drowsy) to 1 (excited)."""
    face: Sense = Sense()
    voice: Sense = Sense()
    gaze: Point = (0.0, 0.0)
    """Where the attended face is, for the eyes to follow: each -1 to 1; x 1 = right edge of the
    frame as the camera sees it, y 1 = bottom; (0, 0) is the centre or nobody."""
    trouble: str = ""
    """The sentence behind a shown "fault"."""
    condition: Condition = Condition.WATCHING


def mood_of(belief: Belief, face: Sense, voice: Sense) -> Mood:
    """What is shown of *belief* while at least one sense works."""
    return Mood(
        t_s=belief.t_s,
        shown=belief.shown,
        probabilities=belief.probabilities,
        valence=belief.valence,
        arousal=belief.arousal,
        face=face,
        voice=voice,
        gaze=belief.gaze,
        condition=Condition.WATCHING if belief.somebody else Condition.ALONE,
    )


NoticeKind = Literal["restart", "lost", "back", "pace", "stopped"]
"""restart: a part crashed or hung and is started anew. lost: a part is missing or keeps failing,
and is tried again from time to time. back: it works again. pace: faces are read slower or faster.
stopped: the whole process stood still."""


@dataclass(frozen=True)
class Notice:
    """One thing that the appliance did about one of its parts."""

    t_s: float
    """When, monotonic."""
    part: str
    """What a person would call the part: "camera", "face reader", "display ssd1306"."""
    kind: NoticeKind
    text: str
    """One sentence or two: what is wrong, and what happens about it."""
