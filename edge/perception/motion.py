"""Notices that something moves in the picture, for a fraction of what finding faces costs."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_ROWS: Final = 24
_COLUMNS: Final = 32
_STEP_GRAY: Final = 6.0
"""Change of a cell's mean brightness (0-255) that is no noise: a cell averages away what a sensor
adds to single pixels even in a dim room."""
_CELLS: Final = 6
"""So many of the 768 cells have to change: a head at 3 m covers about ten, an insect one."""
_FORGET: Final = 0.3
"""How fast the remembered picture follows, so that dusk is no movement."""


class Motion:
    """Compares each picture with what the ones before it looked like."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None

    def seen(self, image: NDArray[np.uint8]) -> bool:
        """Whether something has moved since the pictures before; False for the first.

        Args:
            image: shape [height, width, 3] or [height, width], any size from 32 x 24 up.
        """
        now = cells(image)
        before, self._before = self._before, now
        if before is None:
            return False
        self._before = before + _FORGET * (now - before)
        # A lamp, or the camera's own exposure, changes all cells by the same factor.
        gain = np.median((now + 1) / (before + 1))
        change = (now + 1) - gain * (before + 1)
        return int(np.count_nonzero(np.abs(change) > _STEP_GRAY)) >= _CELLS

    def forget(self) -> None:
        """Begin anew: the next picture has nothing to be compared with."""
        self._before = None


def cells(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean brightness of 24 x 32 cells of *image*, shape [24, 32], 0-255."""
    import cv2

    small = np.asarray(cv2.resize(image, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA))
    return np.asarray(small.mean(axis=2) if small.ndim == 3 else small, np.float32)
