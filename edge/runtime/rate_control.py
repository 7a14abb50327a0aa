"""Sets the pace of camera and face reader by what the idle policy and the load policy say."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from edge.hardware.thermal import Heat
from edge.messages import Condition, DisplayLevel, Notice
from edge.runtime.idle_policy import Idleness, IdlePolicy
from edge.runtime.load_policy import WINDOW_S, Load, LoadPolicy
from edge.runtime.statistics import Statistics


@dataclass
class RateLimits:
    """Shared by threads: each number is replaced whole, and a stage may see it a step late."""

    frame_interval_s: float = 0.0
    """Least time between two pictures that are taken from the camera; 0 is as it delivers."""
    look_interval_s: float = 0.0
    """Least time between two looks for faces, unless something moves; 0 is every picture."""


class RateControl:
    """Joins both policies; the slower of the two holds."""

    def __init__(
        self,
        limits: RateLimits,
        idle_policy: IdlePolicy | None,
        load_policy: LoadPolicy | None,
        read_heat: Callable[[], Heat],
        say: Callable[[Notice], None],
    ) -> None:
        """Set *limits* from now on.

        Args:
            limits: what the stages obey.
            idle_policy: None never to rest.
            load_policy: None never to slow down under heat and load.
            read_heat: asks the board; called every few seconds.
            say: is told of every change of the rate.
        """
        self._limits, self._idle_policy, self._load_policy = limits, idle_policy, load_policy
        self._read_heat, self._say = read_heat, say
        self._window_s = -math.inf
        self._before = Statistics()

    def update(self, condition: Condition, statistics: Statistics, t_s: float) -> DisplayLevel:
        """Set the pace for the *condition* of now, and say how displays rest.

        Args:
            condition: of the appliance now.
            statistics: what all stages have done since the start of the run.
            t_s: now, monotonic.
        """
        idleness = (
            self._idle_policy.update(condition, t_s, statistics.moved_s)
            if self._idle_policy
            else Idleness()
        )
        if self._load_policy is not None and t_s - self._window_s >= WINDOW_S:
            self._govern(self._load_policy, statistics, t_s)
        rate_hz = self._load_policy.rate_hz if self._load_policy is not None else None
        slowest_s = max(idleness.frame_interval_s, 0.0 if rate_hz is None else 1 / rate_hz)
        self._limits.frame_interval_s = slowest_s
        self._limits.look_interval_s = idleness.look_interval_s
        return idleness.display

    def _govern(self, load_policy: LoadPolicy, now: Statistics, t_s: float) -> None:
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
        change = load_policy.update(load, t_s)
        if change is not None:
            self._say(Notice(t_s, "face reader", "pace", change.text))
