"""When a part that crashed is started again. Pure: times in, decisions out."""

from collections import deque
from dataclasses import dataclass
from typing import Final

RESTARTS: Final = 5
WITHIN_S: Final = 60.0
"""More than `RESTARTS` restarts in this time are no accident: the part is lost."""
PAUSES_S: Final = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Before the first, second ... restart in that time. The first is at once, as it mostly helps; all
five together take less than the 5 s in which a sense has to be back."""
LOST_RETRY_S: Final = 30.0
"""How often a lost part is tried again: seldom enough not to starve the parts that work."""
STEADY_S: Final = 5.0
"""A lost part that has run for so long works again."""


@dataclass(frozen=True)
class Decision:
    """What to do about a part that crashed."""

    at_s: float
    """When to start it again."""
    lost: bool
    """It is taken for lost until it has run for a while."""


class RestartPolicy:
    """Counts the restarts of one part."""

    def __init__(self) -> None:
        self._restarts: deque[float] = deque(maxlen=RESTARTS)
        self.lost = False

    def failed(self, t_s: float, hopeless: bool = False) -> Decision:
        """Decide what follows from a failure at *t_s*; times must not fall.

        Args:
            t_s: monotonic time of the failure.
            hopeless: the reason is known and will not go away within seconds, such as a damaged
                file: the part is lost at once.
        """
        recent = sum(t_s - then_s < WITHIN_S for then_s in self._restarts)
        self.lost = self.lost or hopeless or recent >= RESTARTS
        at_s = t_s + (LOST_RETRY_S if self.lost else PAUSES_S[recent])
        self._restarts.append(at_s)
        return Decision(at_s, self.lost)

    def ran(self, since_s: float, t_s: float) -> bool:
        """Note that the part has run from *since_s* to *t_s*; True if that ends its being lost."""
        if not self.lost or t_s - since_s < STEADY_S:
            return False
        self.lost = False
        return True
