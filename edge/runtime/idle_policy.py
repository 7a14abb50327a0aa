"""What rests while nobody is in view. Pure: the condition and the time in, how awake to be out.

The search for faces slows down first, since it costs most; then the display dims and sleeps, since
an OLED that shows one picture for months burns it in. Somebody coming into view ends all of it.
"""

import math
from dataclasses import dataclass
from typing import Final

from edge.messages import Condition, DisplayLevel

SLOW_LOOK_S: Final = 0.5
"""Between two looks for faces at first: 2 Hz keeps waking within 0.7 s without further means."""
GATED_LOOK_S: Final = 2.0
"""Later on; movement in the picture is looked at at once, the look every 2 s is for those who
were already sitting still."""
WATCH_INTERVAL_S: Final = 0.2
"""Between two pictures while resting: movement is noticed in this time, at a sixth of the cost."""
AWAKE_AFTER_MOTION_S: Final = 2.0
"""Full attention after a movement: a face that comes into the picture takes a moment to turn up."""

_QUIET: Final = (Condition.ALONE, Condition.FAULT)
"""Nobody is there to be seen. A fault stays visible, dimmed."""


@dataclass(frozen=True)
class IdleOptions:
    """After how long without anybody what happens; infinity is never."""

    slow_after_s: float = 10.0
    """Faces are looked for twice a second."""
    gate_after_s: float = 60.0
    """Faces are looked for every two seconds, and on movement."""
    dim_after_s: float = 60.0
    sleep_after_s: float = 300.0


@dataclass(frozen=True)
class Idleness:
    """How awake to be."""

    look_interval_s: float = 0.0
    """Least time between two looks for faces, unless something moves; 0 is every picture."""
    frame_interval_s: float = 0.0
    """Least time between two pictures; 0 is as the camera delivers."""
    display: DisplayLevel = "awake"


class IdlePolicy:
    """Remembers since when nobody has been there."""

    def __init__(self, options: IdleOptions | None = None) -> None:
        self.options = options or IdleOptions()
        self._since_s: float | None = None

    def update(self, condition: Condition, t_s: float, moved_s: float = -math.inf) -> Idleness:
        """Say how awake to be.

        Args:
            condition: of the appliance now.
            t_s: now, monotonic; must not fall.
            moved_s: when something has last moved in the picture.
        """
        if condition not in _QUIET:
            self._since_s = None
            return Idleness()
        if self._since_s is None:
            self._since_s = t_s
        alone_s = t_s - self._since_s
        options = self.options
        display: DisplayLevel = "awake"
        if alone_s >= options.sleep_after_s and condition is not Condition.FAULT:
            display = "asleep"
        elif alone_s >= min(options.dim_after_s, options.sleep_after_s):
            display = "dim"
        if alone_s < options.slow_after_s or t_s - moved_s < AWAKE_AFTER_MOTION_S:
            return Idleness(display=display)
        look_s = GATED_LOOK_S if alone_s >= options.gate_after_s else SLOW_LOOK_S
        return Idleness(look_s, WATCH_INTERVAL_S, display)
