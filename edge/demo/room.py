"""Draws the room behind her: a wall in soft window light, a picture, a shelf, out of focus."""

import cv2
import numpy as np
from numpy.typing import NDArray

Layer = NDArray[np.float32]


def _box(
    room: Layer, x0: float, y0: float, x1: float, y1: float, color: tuple[int, int, int]
) -> None:
    """Fill a rectangle given in shares of the width and height."""
    height, width = room.shape[:2]
    cv2.rectangle(
        room,
        (round(x0 * width), round(y0 * height)),
        (round(x1 * width), round(y1 * height)),
        color,
        -1,
    )


def draw_room(width_px: int, height_px: int) -> Layer:
    """The empty room: shape [height, width, 3], RGB, 0-255."""
    x = np.linspace(0, 1, width_px, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, height_px, dtype=np.float32)[:, None]
    wall = np.array([203, 194, 184], np.float32)
    room = np.ones((height_px, width_px, 3), np.float32) * wall
    _box(room, 0.0, 0.86, 1.0, 1.0, (176, 160, 144))  # panel below
    _box(room, 0.0, 0.85, 1.0, 0.865, (222, 214, 204))
    _box(room, 0.72, 0.13, 0.93, 0.43, (120, 92, 66))  # picture: frame, mat, hills
    _box(room, 0.735, 0.15, 0.915, 0.41, (236, 231, 222))
    _box(room, 0.76, 0.19, 0.89, 0.37, (150, 180, 196))
    _box(room, 0.76, 0.29, 0.89, 0.37, (112, 140, 110))
    _box(room, 0.76, 0.33, 0.89, 0.37, (88, 116, 96))
    _box(room, 0.03, 0.36, 0.25, 0.38, (138, 108, 80))  # shelf and books
    shelf = (
        (0.05, 0.20, 0.075, (84, 104, 120)),
        (0.078, 0.17, 0.105, (158, 92, 72)),
        (0.108, 0.22, 0.13, (196, 180, 140)),
        (0.133, 0.19, 0.155, (96, 118, 100)),
        (0.158, 0.21, 0.172, (120, 84, 96)),
    )
    for x0, y0, x1, color in shelf:
        _box(room, x0, y0, x1, 0.36, color)
    _box(room, 0.20, 0.30, 0.235, 0.36, (206, 196, 186))  # a bowl
    blurred = np.asarray(cv2.GaussianBlur(room, (0, 0), width_px / 130), np.float32)
    # Daylight falls in from the upper left, in a slanting band.
    band = np.exp(-(((x - 0.38 + 0.35 * y) / 0.30) ** 2))
    light = 0.86 + 0.16 * band + 0.05 * (1 - x) - 0.10 * y
    tint = 1 + (band[..., None] - 0.5) * np.array([0.02, 0.0, -0.03], np.float32)
    lit: Layer = np.clip(blurred * light[..., None] * tint, 0, 255).astype(np.float32)
    return lit
