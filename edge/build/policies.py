"""Makes the policies of resting and slowing down from the settings."""

import math
from collections.abc import Callable

from edge.config.schema import Settings
from edge.hardware.board import board_name
from edge.hardware.thermal import Heat, read_heat
from edge.runtime.idle_policy import IdleOptions, IdlePolicy
from edge.runtime.load_policy import LoadPolicy


def idle_policy(settings: Settings) -> IdlePolicy | None:
    """What rests while nobody is there; None if nothing does."""
    idle = settings.idle
    if not idle.enabled:
        return None
    return IdlePolicy(
        IdleOptions(
            slow_after_s=idle.slow_after_s,
            gate_after_s=idle.gate_after_s,
            dim_after_s=idle.dim_after_s,
            sleep_after_s=idle.sleep_after_s or math.inf,
        )
    )


def load_policy(settings: Settings) -> LoadPolicy | None:
    """What slows down under heat and load; None if nothing does."""
    return LoadPolicy(settings.load.hot_c) if settings.load.enabled else None


def heat_reader() -> Callable[[], Heat]:
    """Reads the board's heat; a desktop's zones get hotter than any board's and mean less."""
    return read_heat if board_name() else Heat
