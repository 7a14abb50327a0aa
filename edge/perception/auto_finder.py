"""Finds faces near and far, at the cost of the cheap detector.

BlazeFace's short-range net sees a face best that takes up nearly half of what it looks at. So a face
that was seen is looked for again in a window about the place where it was, and only what is not
known yet is searched for: in the whole frame, and in tiles of half its size, in turn. A weak sign
there is enough to look once more from close by, and that look decides.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.messages import Face, Frame
from edge.perception.blaze_face import OVERLAP
from edge.perception.windows import Window, around, cut, merged, overlap, points_of, starts

NEAR_SIGN: Final = 0.4
NEAR_SURE: Final = 0.6
FAR_SIGN: Final = 0.15
FAR_SURE: Final = 0.72
"""Score of a detection from which on it is worth while to look from close by, and score from close by
from which on something new is a face: in the whole frame, and in tiles of it, where there is more to be
mistaken for one."""
BESIDE_SURE: Final = 0.78
"""And of what is new beside a face or another sign of one: a badge on a jacket can look like a face."""
NEAR_ODDS: Final = 1.0
FAR_ODDS: Final = 2.0
"""The same where a judge is asked: its log-odds and those of the score together. What is beside a face
or another sign of one has to be as sure as what is in tiles (`python -m convert face-judge`)."""
JUDGED: Final = 2
"""So many are put before it in one frame, the best ones."""
DOUBTFUL: Final = 0.65
"""A face that is followed with less is let go when there is one that is sure enough to stand beside."""
CLOSE: Final = 2.0
"""A look from close by takes in so many times the face's size."""
FOLLOWED: Final = 4
"""So many faces, the widest ones, are followed in every frame; of the others one in turn."""
CROWD: Final = 12
"""More are not kept."""
SIGNS: Final = 6
"""So many are looked at from close by in one frame, the best ones."""
LOOKS: Final = 2
"""At the frame in search of a face, while there is none."""
EVERY: Final = 3
"""In one of so many frames with a face one look is for others."""
PAUSE_S: Final = 1.0
"""A frame so long after the last one is searched wholly, as the first one is."""
_BORDER: Final = 0.75
"""Half the side of the widest look, in longer sides of the frame: so a head that fills it, or is cut
by its edge, is small enough to be seen."""
_WIDER: Final = 3.5
"""Where a face is not where it was, it is looked for in so many times its size."""

Detect = Callable[[NDArray[np.uint8], Frame], list[Face]]
"""A picture and the frame that it stands for -> faces, in pixels of that frame."""
Judge = Callable[[Face, Frame], float]
"""What looks like a face, and the frame in which it does -> log-odds that it is one."""


@dataclass(frozen=True)
class Look:
    """A square of a frame, in its pixels: the whole of it, or a part."""

    left: float
    top: float
    side: float
    near: bool

    @property
    def sign(self) -> float:
        """Least score, 0-1, of what is looked at once more."""
        return NEAR_SIGN if self.near else FAR_SIGN


class AutoFinder:
    """A finder for every distance; it follows the faces that it knows."""

    def __init__(self, detect: Detect, min_score: float = 0.5, input_px: int = 128) -> None:
        """Search with the short-range detector.

        Args:
            detect: it, reporting everything from a score of `FAR_SIGN` on.
            min_score: a face that is followed is one while its score is no lower, 0-1; a new one has
                to reach `NEAR_SURE` or `FAR_SURE` as well.
            input_px: side of the pictures that it looks at; larger ones are scaled down.
        """
        self._detect = detect
        self._min_score = min_score
        self._input_px = input_px
        self._judge: Judge | None = None
        self._known: list[Face] = []
        self._last_s = -math.inf
        self._shape: tuple[int, ...] = ()
        self._frames = 0
        self._next_look = 0

    def judged_by(self, judge: Judge) -> None:
        """Ask *judge* from now on, beside the detector's score, whether something new is a face."""
        self._judge = judge

    def find(self, frame: Frame) -> list[Face]:
        """All faces that are known, in pixels of *frame*.

        The first frame, and one after a pause, is searched wholly. Others are only in part, near and
        far in turn, so that no frame costs much more than another. In a crowd those that are far
        away may be some frames old.
        """
        shape = frame.image.shape[:2]
        paused = not 0 <= frame.t_s - self._last_s <= PAUSE_S or shape != self._shape
        known = [] if paused else self._known
        faces = self._still_there(known, frame)
        self._frames += 1
        if known and not faces:
            self._next_look = 0  # most probably still near
        looks: list[Look] = []
        if paused:
            looks = _looks(frame.image)
        elif not faces:
            looks = self._next_looks(frame.image, LOOKS)
        elif self._frames % EVERY == 0:
            looks = self._next_looks(frame.image, 1)
        faces += self._found(looks, faces, frame)
        self._last_s, self._shape = frame.t_s, shape
        faces = merged(faces) if len(faces) > 1 else faces
        self._known = faces
        return list(faces)

    def candidates(self, frame: Frame) -> list[tuple[Face, bool]]:
        """Whatever gives a sign anywhere in *frame*, seen from close by: most of it is no face.

        Nothing is followed from or to it. It is what a judge of faces has to learn from.

        Returns:
            Each, and whether the sign was in the whole frame, not in a part of it.
        """
        return self._close_looks(_looks(frame.image), [], frame)

    def _still_there(self, known: list[Face], frame: Frame) -> list[Face]:
        """Those of *known* that are: the widest ones, and one of the others in turn."""
        known = sorted(known, key=lambda face: -face.width_px)
        near, far = known[:FOLLOWED], known[FOLLOWED:]
        turn = self._frames % len(far) if far else 0
        looked_for = [*near, *far[turn : turn + 1]]
        left = [*far[:turn], *far[turn + 1 :]][: CROWD - FOLLOWED]
        again = (self._followed(face, frame) for face in looked_for)
        faces = [*(face for face in again if face is not None), *left]
        # Whom the judge let in by its own word does not have to go for want of the detector's.
        sure = max((face.score for face in faces), default=0.0) >= BESIDE_SURE
        if sure and self._judge is None:
            faces = [face for face in faces if face.score >= DOUBTFUL]
        return faces

    def _followed(self, face: Face, frame: Frame) -> Face | None:
        """*face* where it is now: close to where it was, else further off, as sure as something new."""
        for times, least in ((CLOSE, self._min_score), (_WIDER, FAR_SURE)):
            again = self._close_by(face, frame, times)
            if again is not None and again.score >= max(least, self._min_score):
                return again
        return None

    def _next_looks(self, image: NDArray[np.uint8], count: int) -> list[Look]:
        """Those whose turn it is; every other one at the whole, for most people are near."""
        whole, *others = _looks(image)
        turns = [each for other in others for each in (whole, other)]
        first = self._next_look
        self._next_look = (first + count) % len(turns)
        return [turns[(first + index) % len(turns)] for index in range(count)]

    def _found(self, looks: list[Look], known: list[Face], frame: Frame) -> list[Face]:
        """What is sure from close by, of the best that give a sign in *looks* and are not *known*."""
        seen = self._close_looks(looks, known, frame)
        if self._judge is None:
            near_sure, far_sure, beside_sure = NEAR_SURE, FAR_SURE, BESIDE_SURE
            rated = [(face, near, face.score) for face, near in seen]
        else:
            near_sure, far_sure, beside_sure = NEAR_ODDS, FAR_ODDS, FAR_ODDS
            rated = [
                (face, near, sureness(face, self._judge(face, frame)))
                for face, near in put_before_judge(seen)
            ]
        beside = [face for face, _, sure in rated if sure >= beside_sure]
        if known or beside:
            return beside
        alone = [
            (sure, face) for face, near, sure in rated if sure >= (near_sure if near else far_sure)
        ]
        return [max(alone, key=lambda each: each[0])[1]] if alone else []

    def _close_looks(
        self, looks: list[Look], known: list[Face], frame: Frame
    ) -> list[tuple[Face, bool]]:
        """From close by, the best that give a sign in *looks*, and whether in a near one."""
        seen: list[tuple[Face, bool]] = []
        left = SIGNS
        for near in (True, False):
            signs = [
                sign
                for look in looks
                if look.near is near
                for sign in self._signs(look, frame)
                if not any(
                    overlap(sign, face) > OVERLAP for face in (*known, *(f for f, _ in seen))
                )
            ]
            for sign in merged(signs)[:left]:
                left -= 1
                face = self._close_by(sign, frame, CLOSE)
                if face is not None and face.score >= self._min_score:
                    seen.append((face, near))
        return seen

    def _signs(self, look: Look, frame: Frame) -> list[Face]:
        """What may be a face there, and does not go on beyond the edge of the look."""
        window = cut(frame.image, look.left, look.top, look.side, self._input_px)
        return [
            window.to_whole(face)
            for face in self._detected(window, frame)
            if face.score >= look.sign and window.holds(face)
        ]

    def _close_by(self, face: Face, frame: Frame, times: float) -> Face | None:
        """The best detection in the place of *face*, whose window is *times* its size."""
        window = cut(frame.image, *around(face, times), self._input_px)
        seen = [window.to_whole(each) for each in self._detected(window, frame)]
        if times == CLOSE:
            seen = [each for each in seen if overlap(each, face) > OVERLAP]
        return max(seen, key=lambda each: each.score, default=None)

    def _detected(self, window: Window, frame: Frame) -> list[Face]:
        """In pixels of *window*."""
        faces = self._detect(window.image, Frame(window.image, frame.t_s))
        return [face for face in faces if _is_sound(face)]


def put_before_judge(seen: list[tuple[Face, bool]]) -> list[tuple[Face, bool]]:
    """Those of the candidates that it is asked about: the best ones by their score."""
    return sorted(seen, key=lambda each: -each[0].score)[:JUDGED]


def sureness(face: Face, odds: float) -> float:
    """Log-odds of a face by the judge's *odds* and its score together; -inf for odds that are none."""
    score = min(max(face.score, 0.01), 0.99)
    together = odds + math.log(score / (1 - score))
    return -math.inf if math.isnan(together) else together


def _is_sound(face: Face) -> bool:
    """Its box has a size, and all of its numbers are some."""
    places = (each for point in points_of(face) for each in point)
    numbers = (face.x_px, face.y_px, face.score, *places)
    sides = min(face.width_px, face.height_px)
    return sides > 0 and all(map(math.isfinite, (sides, face.width_px, face.height_px, *numbers)))


def _looks(image: NDArray[np.uint8]) -> list[Look]:
    """At the whole, wider than that, and at halves of it."""
    height, width = image.shape[:2]
    longer = max(height, width)
    wide, half = 2 * longer * _BORDER, longer / 2
    return [
        Look((width - longer) / 2, (height - longer) / 2, longer, near=True),
        Look((width - wide) / 2, (height - wide) / 2, wide, near=True),
        *(
            Look(left, top, half, near=False)
            for top in starts(height, half)
            for left in starts(width, half)
        ),
    ]
