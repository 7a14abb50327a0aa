"""What the demo clip shows and says, and when."""

from dataclasses import dataclass
from typing import Final

DURATION_S: Final = 40.0
RATE_FPS: Final = 15
WIDTH_PX: Final = 640
HEIGHT_PX: Final = 480
EASE_S: Final = 0.4
"""An expression takes this long to turn into the next."""


@dataclass(frozen=True)
class Scene:
    """One stretch of the clip."""

    name: str
    start_s: float
    end_s: float
    face: str | None
    """The emotion on her face; None: nobody is in view; "moving": she is coming in or going out."""
    speech: bool
    """Somebody speaks in it."""


SCENES: Final = (
    Scene("empty room", 0.0, 4.0, None, False),
    Scene("comes in", 4.0, 5.0, "moving", False),
    Scene("neutral", 5.0, 8.0, "neutral", True),
    Scene("happy", 8.0, 13.0, "happy", True),
    Scene("surprise", 13.0, 16.0, "surprise", True),
    Scene("sad", 16.0, 20.0, "sad", True),
    Scene("angry", 20.0, 23.0, "angry", False),
    Scene("happy again", 23.0, 24.2, "happy", False),
    Scene("goes out", 24.2, 25.0, "moving", False),
    Scene("empty again", 25.0, 31.0, None, False),
    Scene("voice alone", 31.0, 36.5, None, True),
    Scene("quiet", 36.5, 40.0, None, False),
)
"""The clip, without gaps. A scene's expression is fully there from `EASE_S` after its start."""


@dataclass(frozen=True)
class Phrase:
    """A few spoken words."""

    start_s: float
    words: str
    pitch: float = 1.0
    """Above 1 higher and faster."""
    level: float = 1.0


SPEECH: Final = (
    Phrase(5.2, "front center"),
    Phrase(6.65, "side left"),
    Phrase(8.3, "front left", 1.08, 1.1),
    Phrase(9.6, "front right", 1.10, 1.1),
    Phrase(10.9, "front center", 1.12, 1.2),
    Phrase(13.3, "side right", 1.18, 1.3),
    Phrase(14.5, "rear right", 1.16, 1.2),
    Phrase(16.3, "rear left", 0.90, 0.6),
    Phrase(18.0, "rear center", 0.88, 0.6),
    Phrase(31.1, "front left"),
    Phrase(32.4, "front right"),
    Phrase(33.72, "rear left"),
    Phrase(35.03, "rear right"),
)
"""Words of alsa-utils' spoken channel names, recorded speech that comes with a sound tool of Debian.
Each phrase lies inside a scene with speech. Angry, she glares and says nothing: the words were spoken
calmly, and neither louder nor higher nor sharper do they sound angry."""


def scene_at(t_s: float) -> Scene:
    """The scene at that time, the last one after the end."""
    for scene in SCENES:
        if t_s < scene.end_s:
            return scene
    return SCENES[-1]


def ease(x: float) -> float:
    """Go from 0 to 1 as *x* does, starting and stopping gently."""
    x = min(max(x, 0.0), 1.0)
    return x * x * x * (10 - 15 * x + 6 * x * x)


def expression_at(t_s: float) -> dict[str, float]:
    """Share of each expression on her face, sum 1; the nearest one while she is not there."""
    faces = [(s.start_s, s.face) for s in SCENES if s.face not in (None, "moving")]
    current = faces[0][1] or ""
    for start_s, face in faces[1:]:
        if t_s < start_s:
            break
        share = ease((t_s - start_s) / EASE_S)
        if share < 1.0 and face != current:
            return {current: 1.0 - share, face or "": share}
        current = face or ""
    return {current: 1.0}


def place_at(t_s: float) -> float | None:
    """How far she is out of her place: 0 in it, -1 left of the picture, 1 right; None: away."""
    entrance, exit_ = (s for s in SCENES if s.face == "moving")
    if t_s < entrance.start_s or t_s >= exit_.end_s:
        return None
    if t_s < entrance.end_s:
        return ease((entrance.end_s - t_s) / (entrance.end_s - entrance.start_s))
    return -ease((t_s - exit_.start_s) / (exit_.end_s - exit_.start_s))


BLINKS_S: Final = (5.9, 7.5, 10.6, 12.5, 17.4, 19.3, 22.2)


def eyes_closed_at(t_s: float) -> float:
    """0 open, 1 shut: a blink shuts them within 0.1 s and takes 0.15 s to open them."""
    for blink_s in BLINKS_S:
        since = t_s - blink_s
        if -0.1 < since < 0.15:
            return ease(1 + since / 0.1) if since < 0 else ease(1 - since / 0.15)
    return 0.0
