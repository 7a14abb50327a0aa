"""Tells a camera that hands out old pictures again from one that looks at a still room."""

import zlib
from collections import OrderedDict
from typing import Final

import numpy as np
from numpy.typing import NDArray

ROWS: Final = 16
"""Rows that are compared, spread over the picture: in a room with any light at all, ten thousand
pixels of a sensor are never twice the same. A checksum of them takes some tens of microseconds."""
KNOWN: Final = 8
"""Pictures that are remembered. A driver that has stopped filling its buffers hands them out in turn,
each with an old picture of its own; drivers have two to eight of them."""
LEAST: Final = 5
"""Repeated pictures that it takes, however slowly they are read: two may be alike by accident."""
DARK: Final = 32
"""Up to this value (of 255) a sensor's noise may be cut off or smoothed away."""
BRIGHT: Final = 250
"""From this value on a sensor is saturated, and shows no noise either."""
TELLING: Final = 0.02
"""Part of the values that has to lie between both, or the picture is too dark or too bright to judge
by."""


class RepeatDetector:
    """Compares each picture with the newest ones, bit for bit.

    For cameras with a sensor, whose noise makes every picture another one. A picture that is black
    throughout, or saturated, has no noise in it: it counts as new, however often it comes. Such a
    camera is covered, or stands in the dark, or looks into a lamp, all of which may last for days;
    reopening it would help nobody and blink its light all night. It does no harm either, as no
    face is found in such a picture. What a stuck sensor really does, and what shows a mood that is
    long over, is to repeat a picture that has something on it.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[int, bool | None] = OrderedDict()
        """By checksum, the newest last: whether one can judge by the picture; None before asked."""
        self._count = 0

    def seen(self, image: NDArray[np.uint8]) -> bool:
        """Take the next picture; whether it and some before it are only repeated ones.

        Args:
            image: shape [height, width, 3] or [height, width].
        """
        rows = np.ascontiguousarray(image[:: max(1, -(-image.shape[0] // ROWS))])
        mark = zlib.crc32(rows.data)
        if mark not in self._known:
            self._known[mark] = None
            self._count = 0
            if len(self._known) > KNOWN:
                self._known.popitem(last=False)
            return False
        if self._known[mark] is None:
            between = np.count_nonzero((rows > DARK) & (rows < BRIGHT))
            self._known[mark] = bool(between >= TELLING * rows.size)
        self._known.move_to_end(mark)
        self._count += 1
        return bool(self._known[mark]) and self._count >= LEAST
