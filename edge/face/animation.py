"""Brings the face to life: eases between expressions, blinks, breathes, looks at the person.

Pure arithmetic on the times that it is given: the same seed, moods and times make the same poses.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.emotions import EMOTIONS
from edge.face.pose import POSES, Eye, Pose, as_vector, certainty, from_vector, mix
from edge.messages import Mood

_STIFFNESS_HZ: Final = 2.6
"""Natural frequency of the springs: with the damping below 95 % of the way is done in 0.24 s."""
_DAMPING: Final = 0.78
"""Below 1 they overshoot, here by 2 %: enough for a lively stop, too little to wobble."""
_GAZE_STIFFNESS_HZ: Final = 4.0
"""Eyes move faster than faces."""
_FIRST_STEP_S: Final = 0.02
"""The least time by which the first picture of a change is on its way."""
_LONGEST_STEP_S: Final = 0.1
"""The most, so that a change is seen as a movement after a long pause too."""
_WEAKEST: Final = 0.55
"""Strength of an expression that is shown with hardly any confidence; neutral is 0, full is 1."""

_BLINK_CLOSING_S: Final = 0.07
_BLINK_OPENING_S: Final = 0.13
_BLINK_MEDIAN_S: Final = 3.6
"""People at rest blink about 17 times a minute, at irregular, right-skewed intervals."""
_BLINK_SPREAD: Final = 0.45
_DOUBLE_BLINK: Final = 0.15
"""How often a second blink follows at once."""

_BREATH_S: Final = 4.2
_ASLEEP_BREATH_S: Final = 5.6
_GLANCE_S: Final = (1.2, 3.8)
"""Shortest and longest time for which the eyes of somebody who sees nobody rest on a spot."""
_CYCLES_S: Final = {"sad": 2.4, "fear": 2.6, "nobody": 2.8, "starting": 1.2, "surprise": 0.5,
                    "angry": 0.7, "disgust": 1.6, "unsure": 2.2}  # fmt: skip
"""How long the accessories of an expression take to move once."""

_VECTORS: Final = {shown: as_vector(pose) for shown, pose in POSES.items()}


class _Spring:
    """Damped springs that pull numbers to their targets, solved exactly over any step of time."""

    def __init__(self, start: NDArray[np.float64], stiffness_hz: float) -> None:
        self.value = start.copy()
        self._speed = np.zeros_like(start)
        self._omega = 2 * np.pi * stiffness_hz

    def step(self, target: NDArray[np.float64], dt_s: float) -> NDArray[np.float64]:
        decay = _DAMPING * self._omega
        ring = self._omega * np.sqrt(1 - _DAMPING**2)
        off = self.value - target
        sine_part = (self._speed + decay * off) / ring
        fade = np.exp(-decay * dt_s)
        cosine, sine = np.cos(ring * dt_s), np.sin(ring * dt_s)
        now: NDArray[np.float64] = fade * (off * cosine + sine_part * sine)
        self._speed = -decay * now + fade * ring * (sine_part * cosine - off * sine)
        self.value = np.asarray(target + now)
        return np.asarray(self.value)


class _Blinks:
    """When the eyes blink, and how far they are closed."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng((seed, 1))
        self._next_s: float | None = None
        """When the next blink is fully closed."""
        self._last_s = 0.0

    def _interval_s(self) -> float:
        if self._random.random() < _DOUBLE_BLINK:
            return 0.3
        drawn = _BLINK_MEDIAN_S * np.exp(_BLINK_SPREAD * self._random.standard_normal())
        return float(np.clip(drawn, 1.2, 9.0))

    def closure(self, t_s: float) -> float:
        """0 open to 1 closed at *t_s*; a blink between two calls is never missed."""
        if self._next_s is None or t_s - self._next_s > 30:
            self._next_s = t_s + self._interval_s()
            self._last_s = t_s
        if self._last_s < self._next_s <= t_s:
            self._last_s = t_s
            return 1.0
        while t_s > self._next_s + _BLINK_OPENING_S:
            self._next_s += self._interval_s()
        self._last_s = t_s
        ahead = self._next_s - t_s
        if ahead > 0:
            return max(1 - ahead / _BLINK_CLOSING_S, 0.0)
        return max(1 + ahead / _BLINK_OPENING_S, 0.0)


class _Glances:
    """Where the eyes wander when there is nobody to look at."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng((seed, 2))
        self._until_s = -np.inf
        self._spot: NDArray[np.float64] = np.zeros(2)

    def spot(self, t_s: float) -> NDArray[np.float64]:
        if t_s >= self._until_s:
            self._until_s = t_s + self._random.uniform(*_GLANCE_S)
            straight = self._random.random() < 0.5
            wander = self._random.uniform((-0.4, -0.2), (0.4, 0.2))
            self._spot = np.zeros(2) if straight else wander
        return self._spot


class Animator:
    """Turns moods into poses, one a picture."""

    def __init__(self, seed: int = 0) -> None:
        self._blinks = _Blinks(seed)
        self._glances = _Glances(seed)
        self._face: _Spring | None = None
        self._gaze: _Spring | None = None
        self._target: NDArray[np.float64] | None = None
        self._t_s = 0.0
        self._shown = ""
        self._shown_since_s = 0.0

    def pose(self, mood: Mood, t_s: float) -> Pose:
        """The pose for *mood* at monotonic time *t_s*; call it with times that do not fall."""
        if mood.shown != self._shown:
            self._shown, self._shown_since_s = mood.shown, t_s
        target = self._face_target(mood)
        if self._face is None or self._gaze is None:
            start = "starting" if mood.shown == "starting" else "nobody"
            self._face = _Spring(_VECTORS[start], _STIFFNESS_HZ)
            self._gaze = _Spring(np.zeros(2), _GAZE_STIFFNESS_HZ)
            self._t_s = t_s - _FIRST_STEP_S
        dt_s = max(t_s - self._t_s, 0.0)
        if self._target is not None and np.array_equal(self._target, target):
            face = self._face.step(target, dt_s)
        else:
            # The change came in since the last picture, so this one already shows some of it.
            face = self._face.step(target, min(max(dt_s, _FIRST_STEP_S), _LONGEST_STEP_S))
        gaze = self._gaze.step(self._gaze_target(mood, t_s), dt_s)
        self._target = target
        self._t_s = max(t_s, self._t_s)
        return self._alive(from_vector(face), mood, gaze, t_s)

    def _face_target(self, mood: Mood) -> NDArray[np.float64]:
        full = POSES[mood.shown]
        if mood.shown in EMOTIONS and mood.shown != "neutral":
            # In eighths, so that the noise of every reading does not redraw the face.
            strength = _WEAKEST + (1 - _WEAKEST) * round(certainty(mood) * 8) / 8
            weak = mix(POSES["neutral"], full, strength)
            full = replace(weak, red=full.red, green=full.green, blue=full.blue)
        return as_vector(full)

    def _gaze_target(self, mood: Mood, t_s: float) -> NDArray[np.float64]:
        """Mirrored: the camera's right is the viewer's left, where the person stands."""
        x, y = mood.gaze
        if mood.shown in ("nobody", "starting", "fault"):
            return np.zeros(2)
        if (x, y) == (0.0, 0.0):
            return self._glances.spot(t_s)
        return np.array([-x, y])

    def _alive(self, pose: Pose, mood: Mood, gaze: NDArray[np.float64], t_s: float) -> Pose:
        """Add to the eased *pose* what moves without a change of mood."""
        asleep = mood.shown == "nobody"
        breath_s = _ASLEEP_BREATH_S if asleep else _BREATH_S
        breath = np.sin(2 * np.pi * t_s / breath_s) * (1.6 if asleep else 0.7)
        since_s = t_s - self._shown_since_s
        # Two sines out of step look like shivering and need no chance.
        shiver = pose.tremble * (np.sin(61.0 * t_s) + np.sin(97.0 * t_s)) / 1.6
        hop = pose.bounce * abs(np.sin(2 * np.pi * since_s * 0.9))
        cycle_s = _CYCLES_S.get(mood.shown, 3.0)
        open_part = 1 - self._blinks.closure(t_s)
        return replace(
            pose,
            left=_blinked(pose.left, open_part),
            right=_blinked(pose.right, open_part),
            extras=replace(
                pose.extras,
                phase=since_s / cycle_s % 1.0,
                # Icons come and go at once.
                camera_lost=float(mood.face.state == "lost"),
                microphone_lost=float(mood.voice.state == "lost"),
            ),
            # An expression's own look aside gives way to a person who is well off the centre.
            gaze_x=float(np.clip(pose.gaze_x * (1 - min(abs(gaze[0]), 1)) + gaze[0], -1, 1)),
            gaze_y=float(np.clip(pose.gaze_y * (1 - min(abs(gaze[1]), 1)) + gaze[1], -1, 1)),
            shift_x=pose.shift_x + float(shiver),
            shift_y=pose.shift_y + float(breath) - float(hop),
        )


def _blinked(eye: Eye, open_part: float) -> Eye:
    """*eye* with only *open_part* (0-1) of its opening left."""
    return replace(eye, openness=eye.openness * open_part, lid=eye.lid * open_part)
