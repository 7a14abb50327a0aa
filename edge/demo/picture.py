"""Composes the pictures of the clip: room, woman, camera noise."""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.demo.person import SCALE, Look, Person
from edge.demo.room import draw_room
from edge.demo.script import HEIGHT_PX, WIDTH_PX, expression_at, eyes_closed_at, place_at

NOISE: Final = 1.6
"""Standard deviation of the camera's noise, in grey levels."""
NOISE_SHIFT_PX: Final = 128
ZOOM: Final = 1.5
"""She is shown at about this many times the size of the portrait: a face about 140 px wide."""
TALK_PX: Final = 2.2
"""How far the loudest word opens her mouth, in portrait pixels."""

_PIVOT: Final = (225.0, 210.0)
"""Point of the portrait (base of the neck) about which she sways."""


class Pictures:
    """Draws the picture that belongs to any time of the clip; the same every time."""

    def __init__(self, portrait: NDArray[np.uint8]) -> None:
        """Args: portrait: shape [512, 512, 3], RGB."""
        self._person = Person(portrait)
        self._room = draw_room(WIDTH_PX, HEIGHT_PX)
        size = (HEIGHT_PX + NOISE_SHIFT_PX, WIDTH_PX + NOISE_SHIFT_PX)
        self._noise = np.random.default_rng(1).normal(0, NOISE, size).astype(np.float32)

    def at(self, t_s: float, loudness: float) -> NDArray[np.uint8]:
        """Draw the picture at *t_s*: shape [480, 640, 3], RGB.

        Args:
            t_s: time in the clip.
            loudness: of her speech, 0-1, which moves her mouth.
        """
        picture = self._room.copy()
        place = place_at(t_s)
        if place is not None:
            look = Look(expression_at(t_s), eyes_closed_at(t_s), TALK_PX * loudness)
            self._put(picture, self._person.draw(look), t_s, place)
        # Another part of the noise for each picture, which does not depend on what was drawn before.
        y, x = np.random.default_rng(round(t_s * 1000)).integers(NOISE_SHIFT_PX, size=2)
        picture += self._noise[y : y + HEIGHT_PX, x : x + WIDTH_PX, None]
        drawn: NDArray[np.uint8] = np.clip(np.round(picture), 0, 255).astype(np.uint8)
        return drawn

    def _put(
        self, picture: NDArray[np.float32], layer: NDArray[np.uint8], t_s: float, place: float
    ) -> None:
        walking = math.sin(2 * math.pi * 1.9 * t_s) * min(abs(place) * 4, 1.0)
        angle = 1.6 * math.sin(2 * math.pi * t_s / 5.3) + 0.7 * math.sin(2 * math.pi * t_s / 2.3)
        zoom = (ZOOM + 0.06 * math.sin(2 * math.pi * t_s / 9.1)) / SCALE
        matrix = cv2.getRotationMatrix2D((_PIVOT[0] * SCALE, _PIVOT[1] * SCALE), angle, zoom)
        x = 320 + 14 * math.sin(2 * math.pi * t_s / 6.7) + place * 620
        y = 335 + 4 * math.sin(2 * math.pi * t_s / 4.1) + 5 * walking
        matrix[0, 2] += x - _PIVOT[0] * SCALE
        matrix[1, 2] += y - _PIVOT[1] * SCALE
        moved = cv2.warpAffine(layer, matrix, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_AREA)
        alpha = moved[..., 3:].astype(np.float32) / 255
        picture += (moved[..., :3] - picture) * alpha
