"""Lowers the rate at which faces are read when the board is hot or does not keep up.

Pure: what was measured and the time in, a rate and a sentence out. It lowers soon and raises late;
a raise that did not last makes the next one wait longer, so that the rate never swings.
"""

from dataclasses import dataclass, field
from typing import Final

from edge.hardware.thermal import Heat

RATES_HZ: Final = (None, 15.0, 10.0, 6.0, 3.0)
"""The steps; None is as fast as the camera delivers. At 3 Hz a change of mood takes half a second
to be seen, which is the slowest that still looks alive."""
WINDOW_S: Final = 5.0
"""What happened is summed up over this time."""
COOL_C: Final = 5.0
"""So much below the limit counts as cool."""
REFUSED: Final = 0.1
"""Part of the pictures in a window that were too old to be read: more is falling behind."""
DROPPED: Final = 0.5
"""Part of the pictures that were replaced before they could be read: more is work for nothing."""
AGE_S: Final = 0.15
"""Mean age of a picture when its reading begins: three quarters of what is refused as too old."""
LAGGING_WINDOWS: Final = 2
"""Lag has to last, heat has not: one picture that took long is no reason."""
HOLD_S: Final = 10.0
"""Between two steps down, so that the first can take effect."""
CALM_S: Final = 30.0
"""Without heat and lag before a step up."""
LONGEST_CALM_S: Final = 600.0
RELAPSE_S: Final = 60.0
"""A step down so soon after a step up means that it was too early."""


@dataclass(frozen=True)
class Load:
    """What was measured in one window."""

    heat: Heat = field(default_factory=Heat)
    frames: int = 0
    """Pictures that the camera delivered."""
    read: int = 0
    dropped: int = 0
    refused: int = 0
    age_s: float = 0.0
    """Mean age of the pictures that were read, when their reading began."""


@dataclass(frozen=True)
class Change:
    """A new rate, and why."""

    rate_hz: float | None
    """Pictures a second at most; None is as fast as the camera delivers."""
    text: str


class LoadPolicy:
    """Decides the rate, one window after the other."""

    def __init__(self, hot_c: float = 80.0) -> None:
        """Begin at full rate.

        Args:
            hot_c: from this temperature on the rate is lowered, degrees Celsius.
        """
        self._hot_c = hot_c
        self._step = 0
        self._lagging = 0
        self._calm_since_s: float | None = None
        self._calm_needed_s = CALM_S
        self._lowered_s = -HOLD_S
        self._raised_s = -RELAPSE_S

    @property
    def rate_hz(self) -> float | None:
        """The rate that holds: pictures a second at most, None for no limit."""
        return RATES_HZ[self._step]

    def update(self, load: Load, t_s: float) -> Change | None:
        """Take in the window that ends at *t_s*; a change if the rate is another from now on."""
        reason = self._strain(load)
        if reason:
            self._calm_since_s = None
            return self._lower(reason, t_s)
        heat = load.heat
        if heat.temperature_c is not None and heat.temperature_c > self._hot_c - COOL_C:
            self._calm_since_s = None
            return None
        if self._lagging:  # not long enough to lower the rate, too much to raise it
            return None
        if self._calm_since_s is None:
            self._calm_since_s = t_s
        if self._step == 0 or t_s - self._calm_since_s < self._calm_needed_s:
            return None
        self._step -= 1
        self._raised_s = self._calm_since_s = t_s
        return Change(self.rate_hz, f"The board keeps up again: {self._said()}.")

    def _strain(self, load: Load) -> str:
        """Why the rate should be lower, as the start of a sentence; empty if it need not be."""
        heat = load.heat
        behind = (
            load.refused > REFUSED * load.frames
            or load.dropped > DROPPED * load.frames
            or (load.read > 0 and load.age_s > AGE_S)
        )
        self._lagging = self._lagging + 1 if behind else 0
        if heat.under_voltage:
            return "The power supply is too weak"
        if heat.slowed or (heat.temperature_c is not None and heat.temperature_c >= self._hot_c):
            degrees = "" if heat.temperature_c is None else f" ({heat.temperature_c:.0f} °C)"
            return f"The board is too hot{degrees}"
        return "The board does not keep up" if self._lagging >= LAGGING_WINDOWS else ""

    def _lower(self, reason: str, t_s: float) -> Change | None:
        if self._step == len(RATES_HZ) - 1 or t_s - self._lowered_s < HOLD_S:
            return None
        relapsed = t_s - self._raised_s < RELAPSE_S
        self._calm_needed_s = min(self._calm_needed_s * 2, LONGEST_CALM_S) if relapsed else CALM_S
        self._step += 1
        self._lagging = 0
        self._lowered_s = t_s
        return Change(self.rate_hz, f"{reason}: {self._said()}.")

    def _said(self) -> str:
        if self.rate_hz is None:
            return "faces are read at full rate"
        return f"faces are read at most {self.rate_hz:.0f} times a second"
