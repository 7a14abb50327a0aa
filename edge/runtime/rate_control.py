"""Sets the pace of camera and face reader by what the idle policy and the governor say."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from edge.hardware.thermal import Heat
from edge.messages import DisplayLevel, Notice
from edge.runtime.idle_policy import Idle, Idleness
from edge.runtime.load_policy import WINDOW_S, Governor, Load
from edge.runtime.statistics import Statistics


@dataclass
class Pace:
    """Shared by threads: each number is replaced whole, and a stage may see it a step late."""

    frame_interval_s: float = 0.0
    """Least time between two pictures that are taken from the camera; 0 is as it delivers."""
    look_interval_s: float = 0.0
    """Least time between two looks for faces, unless something moves; 0 is every picture."""


class Pacer:
    """Joins both policies; the slower of the two holds."""

    def __init__(
        self,
        pace: Pace,
        idle: Idle | None,
        governor: Governor | None,
        read_heat: Callable[[], Heat],
        say: Callable[[Notice], None],
    ) -> None:
        """Set *pace* from now on.

        Args:
            pace: what the stages obey.
            idle: None never to rest.
            governor: None never to slow down under heat and load.
            read_heat: asks the board; called every few seconds.
            say: is told of every change of the rate.
        """
        self._pace, self._idle, self._governor = pace, idle, governor
        self._read_heat, self._say = read_heat, say
        self._window_s = -math.inf
        self._before = Statistics()

    def update(self, shown: str, statistics: Statistics, t_s: float) -> DisplayLevel:
        """Set the pace for what is *shown* now, and say how displays rest.

        Args:
            shown: one of `edge.messages.SHOWN`.
            statistics: what all stages have done since the start of the run.
            t_s: now, monotonic.
        """
        idleness = self._idle.update(shown, t_s, statistics.moved_s) if self._idle else Idleness()
        if self._governor is not None and t_s - self._window_s >= WINDOW_S:
            self._govern(self._governor, statistics, t_s)
        rate_hz = self._governor.rate_hz if self._governor is not None else None
        slowest_s = max(idleness.frame_interval_s, 0.0 if rate_hz is None else 1 / rate_hz)
        self._pace.frame_interval_s = slowest_s
        self._pace.look_interval_s = idleness.look_interval_s
        return idleness.rest

    def _govern(self, governor: Governor, now: Statistics, t_s: float) -> None:
        before, self._before = self._before, now
        first, self._window_s = math.isinf(self._window_s), t_s
        if first:
            return
        read = now.read - before.read
        load = Load(
            heat=self._read_heat(),
            frames=now.frames - before.frames,
            read=read,
            dropped=now.dropped - before.dropped,
            refused=now.refused - before.refused,
            age_s=(now.age_s - before.age_s) / read if read else 0.0,
        )
        change = governor.update(load, t_s)
        if change is not None:
            self._say(Notice(t_s, "face reader", "pace", change.text))
