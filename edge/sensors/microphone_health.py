"""Notices what is wrong with a microphone that delivers: nothing but zeros, overdriven, losing sound.

None of it is a reason to shut the microphone: it says so, and goes on with what it hears.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.messages import SAMPLE_RATE_HZ

MUTE_S: Final = 10.0
"""Zeros for so long from the first sample on: it is muted. A sensor always has some noise."""
GATED_S: Final = 600.0
"""The same later on: conference microphones deliver zeros, too, whenever nobody speaks."""
CLIPPED: Final = 0.999
"""From this amplitude on a sample is cut off."""
CLIPPED_SHARE: Final = 0.01
"""Part of a block's samples that are cut off from which on it sounds like it."""
OVERDRIVEN_S: Final = 2.0
"""Sound that is cut off, within `WITHIN_S`: more than a laugh or a knock on the table."""
LOST: Final = 5
"""Overflows within `WITHIN_S`: more than a moment in which the board had other things to do."""
WITHIN_S: Final = 15.0
OVER_S: Final = 60.0
"""A trouble that has not shown for so long is over: nobody speaks all the time."""


class _Often:
    """Whether something comes to *enough* within `WITHIN_S`; until it has not come for `OVER_S`."""

    def __init__(self, enough: float) -> None:
        self.is_so = False
        self._enough = enough
        self._recent: deque[tuple[float, float]] = deque()
        self._sum = 0.0

    def add(self, amount: float, t_s: float) -> bool:
        """Take *amount* of it at *t_s*; whether it is so now."""
        if amount > 0:
            self._recent.append((t_s, amount))
            self._sum += amount
        keep_s = OVER_S if self.is_so else WITHIN_S
        while self._recent and t_s - self._recent[0][0] > keep_s:
            self._sum -= self._recent.popleft()[1]
        self.is_so = bool(self._recent) and (self.is_so or self._sum >= self._enough - 1e-9)
        return self.is_so


class MicrophoneHealth:
    """Judges the sound of one opened microphone, block by block."""

    def __init__(self, name: str) -> None:
        """Begin.

        Args:
            name: of the microphone, for the sentences.
        """
        self._name = name
        self._zeros_s = 0.0
        self._heard = False
        self._overflows = 0
        self._overdriven, self._losing = _Often(OVERDRIVEN_S), _Often(LOST)

    def hear(self, samples: NDArray[np.float32], overflows: int, t_s: float) -> str:
        """Take a block; one sentence with a remedy if something is wrong, else "".

        Args:
            samples: shape [n], -1 to 1.
            overflows: how often sound has been lost since the microphone was opened.
            t_s: when the block ended, monotonic.
        """
        length_s = len(samples) / SAMPLE_RATE_HZ
        loud = np.abs(samples)
        if loud.any():
            self._heard, self._zeros_s = True, 0.0
        else:
            self._zeros_s += length_s
        clipped = np.count_nonzero(loud >= CLIPPED) > CLIPPED_SHARE * len(samples)
        overdriven = self._overdriven.add(length_s if clipped else 0.0, t_s)
        losing = self._losing.add(overflows - self._overflows, t_s)
        self._overflows = overflows
        if self._zeros_s >= (GATED_S if self._heard else MUTE_S):
            return (
                f'The microphone "{self._name}" delivers nothing but zeros: switch it on, or '
                "unmute it and raise its level with alsamixer."
            )
        if overdriven:
            return (
                f'The microphone "{self._name}" is overdriven, so that voices are cut off: lower '
                "its level with alsamixer."
            )
        if losing:
            return (
                f'Sound of the microphone "{self._name}" is being lost: the device has too much to '
                "do; lower [camera] rate_hz."
            )
        return ""
