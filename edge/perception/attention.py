"""Which of the faces in view is read."""

import math
from collections.abc import Sequence
from typing import Final

from edge.messages import Face

LOST_AFTER_S: Final = 0.7
"""How long the attended face may go unseen before another one is taken."""
TAKE_OVER_RATIO: Final = 1.8
"""How much wider another face must be to draw the attention away."""
TAKE_OVER_S: Final = 1.0
"""For how long it must stay so much wider."""


class Attention:
    """Keeps to one face: takes the widest, follows the nearest, lets go after a while.

    A much wider face (somebody stepped in front) takes over once it has stayed for a second.
    """

    def __init__(self) -> None:
        self._face: Face | None = None
        self._seen_s = -math.inf
        self._rival_since_s: float | None = None

    def choose(self, faces: Sequence[Face], t_s: float) -> Face | None:
        """The attended one of *faces* at time *t_s*; None if it is not among them."""
        if self._face is not None and t_s - self._seen_s > LOST_AFTER_S:
            self._face = None
        if not faces:
            return None
        widest = max(faces, key=lambda face: face.width_px)
        if self._face is None:
            return self._attend(widest, t_s)
        nearest = min(faces, key=lambda face: _distance_px(face, self._face or face))
        if _distance_px(nearest, self._face) > 0.8 * self._face.width_px:
            return None
        if widest is not nearest and widest.width_px > TAKE_OVER_RATIO * nearest.width_px:
            if self._rival_since_s is None:
                self._rival_since_s = t_s
            if t_s - self._rival_since_s >= TAKE_OVER_S:
                return self._attend(widest, t_s)
        else:
            self._rival_since_s = None
        self._face, self._seen_s = nearest, t_s
        return nearest

    def _attend(self, face: Face, t_s: float) -> Face:
        self._face, self._seen_s, self._rival_since_s = face, t_s, None
        return face


def _distance_px(one: Face, other: Face) -> float:
    """Between the middles of two faces."""
    return math.hypot(
        one.x_px + one.width_px / 2 - other.x_px - other.width_px / 2,
        one.y_px + one.height_px / 2 - other.y_px - other.height_px / 2,
    )
