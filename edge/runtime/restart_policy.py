"""When a part that crashed is started again. Pure: times in, decisions out."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from edge.runtime.timing import DEVICE, Timing

WITHIN_S: Final = 60.0
"""More restarts in this time than there are pauses are no accident: the part is lost."""


@dataclass(frozen=True)
class Decision:
    """What to do about a part that crashed."""

    at_s: float
    """When to start it again."""
    lost: bool
    """It is taken for lost until it has run for a while."""


class RestartPolicy:
    """Counts the restarts of one part."""

    def __init__(self, timing: Timing = DEVICE) -> None:
        self._timing = timing
        self._restarts: deque[float] = deque(maxlen=len(timing.restart_pauses_s))
        self.lost = False

    def failed(self, t_s: float, hopeless: bool = False) -> Decision:
        """Decide what follows from a failure at *t_s*; times must not fall.

        Args:
            t_s: monotonic time of the failure.
            hopeless: the reason is known and will not go away within seconds, such as a damaged
                file: the part is lost at once.
        """
        pauses_s = self._timing.restart_pauses_s
        recent = sum(t_s - then_s < WITHIN_S for then_s in self._restarts)
        self.lost = self.lost or hopeless or recent >= len(pauses_s)
        at_s = t_s + (self._timing.lost_retry_s if self.lost else pauses_s[recent])
        self._restarts.append(at_s)
        return Decision(at_s, self.lost)

    def ran(self, since_s: float, t_s: float) -> bool:
        """Note that the part has run from *since_s* to *t_s*; True if that ends its being lost."""
        if not self.lost or t_s - since_s < self._timing.steady_s:
            return False
        self.lost = False
        return True
