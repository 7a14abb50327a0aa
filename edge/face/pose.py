"""The face as numbers: one `Pose` for everything that Mien can show, and mixing between them.

Lengths are in design pixels: pixels of a 128x64 panel. x grows to the viewer's right, y down.
"left" and "right" are the viewer's, as on the panel. A tilt or a slope is the fall in design
pixels from the inner end (beside the nose) to the outer end: positive looks sad, negative angry.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from edge.emotions import COLORS, EMOTIONS
from edge.messages import SHOWN, Mood

SHOWN_COLORS: Final[dict[str, tuple[int, int, int]]] = {
    **COLORS,
    "unsure": (60, 200, 190),
    "nobody": (70, 85, 160),
    "starting": (70, 170, 255),
    "fault": (255, 110, 0),
}
"""RGB, 0-255, of everything in `SHOWN`: the emotions' own colours and four more."""


@dataclass(frozen=True)
class Eye:
    """One lit eye."""

    width: float = 30.0
    height: float = 30.0
    """When fully open."""
    roundness: float = 2.6
    """Exponent of the superellipse: 2 is an ellipse, 4 a rounded box."""
    openness: float = 1.0
    """0 closed to 1 open; closed, a bowed line is left."""
    bow: float = 0.0
    """How far the middle hangs below the corners: positive asleep, negative laughing."""
    lid: float = 0.0
    """Part of the height that the upper lid covers, 0-1."""
    lid_tilt: float = 0.0
    """Fall of the upper lid from the inner to the outer corner."""
    cheek: float = 0.0
    """Part of the height that the lower lid covers, 0-1; its edge arches upwards."""
    pupil: float = 14.0
    """Diameter of the dark pupil."""
    shine: float = 1.0
    """Size of the highlight in the pupil, 0-1."""
    cross: float = 0.0
    """0 an eye, 1 an X in its place."""


@dataclass(frozen=True)
class Brow:
    """One eyebrow, placed from the middle of its eye."""

    height: float = 20.0
    """How far its middle is above the middle of the eye."""
    tilt: float = 0.0
    """Fall from the inner to the outer end."""
    arch: float = 2.0
    """How far its middle is above its ends."""
    length: float = 22.0
    weight: float = 4.0
    """Thickness; nothing is drawn below 0.5."""


@dataclass(frozen=True)
class Mouth:
    """The mouth, placed from the middle of the face."""

    drop: float = 22.0
    """How far its middle is below the middle of the face."""
    width: float = 20.0
    curve: float = 2.0
    """How far its middle hangs below its corners: positive smiles."""
    openness: float = 0.0
    """Height of the opening."""
    rise: float = 0.5
    """Part of the opening that lies above the line of the lips: 0 a laughing bowl, 0.5 an O."""
    slant: float = 0.0
    """Fall from the left to the right corner."""
    wave: float = 0.0
    """Height of the ripples of trembling or disgusted lips."""
    weight: float = 4.0
    """Thickness of the lips."""
    teeth: float = 0.0
    """0 none to 1 bared in the opening."""
    tongue: float = 0.0
    """0 none to 1 lying in the opening."""
    blech: float = 0.0
    """0 none to 1: tongue stuck out over the lower lip."""


@dataclass(frozen=True)
class Extras:
    """Accessories, each 0 (absent) to 1 (full size)."""

    blush: float = 0.0
    tear: float = 0.0
    sweat: float = 0.0
    snore: float = 0.0
    """Three Z that rise."""
    question: float = 0.0
    alarm: float = 0.0
    """Short rays beside the face of somebody surprised."""
    cross_vein: float = 0.0
    """The popping vein of comics."""
    fumes: float = 0.0
    """Wavy lines of a bad smell."""
    wrinkle: float = 0.0
    """Folds across a nose that turns up."""
    dots: float = 0.0
    """Three dots that light up in turn."""
    warning: float = 0.0
    """A triangle with an exclamation mark."""
    camera_lost: float = 0.0
    """A crossed camera in the lower left corner."""
    microphone_lost: float = 0.0
    """A crossed microphone in the lower right corner."""
    phase: float = 0.0
    """Where the moving accessories are in their cycle, 0-1; never eased."""


@dataclass(frozen=True)
class Pose:
    """Everything that the drawing needs to know."""

    left: Eye = Eye()
    right: Eye = Eye()
    left_brow: Brow = Brow()
    right_brow: Brow = Brow()
    mouth: Mouth = Mouth()
    extras: Extras = Extras()
    gaze_x: float = 0.0
    """Of the pupils, -1 (viewer's left) to 1."""
    gaze_y: float = 0.0
    """Of the pupils, -1 (up) to 1."""
    shift_x: float = 0.0
    """Of the whole face."""
    shift_y: float = 0.0
    tremble: float = 0.0
    """How much the animation shakes the face, in design pixels."""
    bounce: float = 0.0
    """How much the animation makes the face hop, in design pixels."""
    red: float = 1.0
    green: float = 1.0
    blue: float = 1.0
    """Colour of the face on a colour panel, each 0-1."""


def _values(part: Any) -> Iterator[float]:
    for item in fields(part):
        value = getattr(part, item.name)
        if is_dataclass(value):
            yield from _values(value)
        else:
            yield value


def _build(kind: type, values: Iterator[float]) -> Any:
    nested = (Eye, Brow, Mouth, Extras)
    parts = {}
    for item in fields(kind):
        parts[item.name] = (
            _build(cast(type, item.type), values) if item.type in nested else next(values)
        )
    return kind(**parts)


def as_vector(pose: Pose) -> NDArray[np.float64]:
    """Every number of *pose* in a fixed order, shape [n]."""
    return np.fromiter(_values(pose), dtype=np.float64)


def from_vector(vector: NDArray[np.float64]) -> Pose:
    """The pose with the numbers of *vector*, the inverse of `as_vector`."""
    return cast(Pose, _build(Pose, iter(vector.tolist())))


def mix(first: Pose, second: Pose, share: float) -> Pose:
    """The pose *share* (0-1) of the way from *first* to *second*."""
    start = as_vector(first)
    return from_vector(start + share * (as_vector(second) - start))


_CHANCE: Final = 1 / len(EMOTIONS)
_CERTAIN: Final = 0.8


def certainty(mood: Mood) -> float:
    """How sure *mood* is of the emotion that it shows: 0 by chance, 1 from 0.8 on; else 1."""
    if mood.shown not in EMOTIONS:
        return 1.0
    probability = float(mood.probabilities[EMOTIONS.index(mood.shown)])
    return min(max((probability - _CHANCE) / (_CERTAIN - _CHANCE), 0.0), 1.0)


@dataclass(frozen=True)
class _Look:
    """A pose written down briefly: both sides alike unless said otherwise."""

    eye: Eye = Eye()
    brow: Brow = Brow()
    mouth: Mouth = Mouth()
    extras: Extras = Extras()
    right_eye: Eye | None = None
    right_brow: Brow | None = None
    rest: dict[str, Any] = field(default_factory=dict)

    def pose(self, shown: str) -> Pose:
        red, green, blue = (value / 255 for value in SHOWN_COLORS[shown])
        pose = Pose(
            self.eye,
            self.right_eye or self.eye,
            self.brow,
            self.right_brow or self.brow,
            self.mouth,
            self.extras,
            red=red,
            green=green,
            blue=blue,
        )
        return replace(pose, **self.rest)


_LOOKS: Final[dict[str, _Look]] = {
    "neutral": _Look(
        eye=Eye(width=29, height=27, lid=0.12, pupil=13),
        brow=Brow(height=17.5, length=23),
        mouth=Mouth(drop=20.5, width=26, curve=0),
    ),
    "happy": _Look(
        eye=Eye(width=32, height=30, openness=0.36, bow=-12, pupil=0, shine=0),
        brow=Brow(height=19, arch=4, length=22),
        mouth=Mouth(drop=12.7, width=38, curve=5, openness=13, rise=0.04, tongue=1, weight=3.2),
        extras=Extras(blush=1),
        rest={"bounce": 1.6},
    ),
    "sad": _Look(
        eye=Eye(width=28, height=28, lid=0.3, lid_tilt=13, pupil=12),
        brow=Brow(height=16, tilt=12, arch=0.5, length=21),
        mouth=Mouth(drop=22, width=24, curve=-7),
        extras=Extras(tear=1),
        rest={"gaze_y": 0.5, "shift_y": 1},
    ),
    "angry": _Look(
        eye=Eye(width=32, height=26, roundness=3, lid=0.4, lid_tilt=-16, pupil=10, shine=0),
        brow=Brow(height=11.5, tilt=-15, arch=-1, length=29, weight=5.5),
        mouth=Mouth(drop=22, width=32, curve=-2, openness=11, teeth=1, weight=2.6),
        extras=Extras(cross_vein=1),
        rest={"tremble": 0.5, "gaze_y": 0.3},
    ),
    "disgust": _Look(
        eye=Eye(width=32, height=22, openness=0.2, bow=-7, pupil=0, shine=0),
        brow=Brow(height=11.5, tilt=-8, arch=-1.5, length=28, weight=4.8),
        mouth=Mouth(drop=17.5, width=44, curve=-7, weight=4.6, blech=1.1),
        extras=Extras(fumes=1, wrinkle=1),
        rest={"shift_y": -1},
    ),
    "fear": _Look(
        eye=Eye(width=30, height=32, roundness=2.1, pupil=6, shine=0),
        brow=Brow(height=22.5, tilt=7, arch=1, length=17, weight=3.4),
        mouth=Mouth(drop=26, width=26, curve=-4, openness=10, rise=0.92, wave=0.5, weight=3),
        extras=Extras(sweat=1),
        rest={"tremble": 1.1, "shift_y": 1},
    ),
    "surprise": _Look(
        eye=Eye(width=32, height=34, roundness=2.05, pupil=14),
        brow=Brow(height=24.5, arch=5, length=21, weight=3.6),
        mouth=Mouth(drop=22, width=14, curve=0, openness=15, rise=0.5, weight=4),
        extras=Extras(alarm=1),
    ),
    "unsure": _Look(
        eye=Eye(width=28, height=26, lid=0.22, pupil=12),
        right_eye=Eye(width=30, height=32, pupil=14),
        brow=Brow(height=14, tilt=-2, arch=1, length=23),
        right_brow=Brow(height=22, tilt=4, arch=4.5, length=23),
        mouth=Mouth(drop=22, width=18, curve=-1, slant=-4),
        extras=Extras(question=1),
        rest={"gaze_x": 0.45, "gaze_y": -0.55},
    ),
    "nobody": _Look(
        eye=Eye(width=30, height=24, roundness=3, openness=0.0, bow=8, pupil=0, shine=0),
        brow=Brow(height=15, arch=1.5, length=18, weight=0),
        mouth=Mouth(drop=21, width=6, curve=0, openness=5, weight=3.2),
        extras=Extras(snore=1),
        rest={"shift_y": 2},
    ),
    "starting": _Look(
        eye=Eye(width=26, height=24, pupil=12),
        brow=Brow(height=19, arch=3, length=20),
        mouth=Mouth(drop=30, width=4, curve=0, weight=0),
        extras=Extras(dots=1),
        rest={"gaze_y": -0.35},
    ),
    "fault": _Look(
        eye=Eye(width=28, height=28, pupil=0, shine=0, cross=1),
        brow=Brow(height=20, weight=0),
        mouth=Mouth(drop=21, width=30, curve=-1, wave=2.2, weight=3.6),
        extras=Extras(warning=1),
    ),
}

POSES: Final[dict[str, Pose]] = {shown: _LOOKS[shown].pose(shown) for shown in SHOWN}
"""The face of everything in `SHOWN`, at full strength and looking straight ahead or as it would."""
