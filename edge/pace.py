"""How fast camera and face reader work: set by the appliance, obeyed by the stages."""

from dataclasses import dataclass


@dataclass
class Pace:
    """Shared by threads: each number is replaced whole, and a stage may see it a step late."""

    frame_interval_s: float = 0.0
    """Least time between two pictures that are taken from the camera; 0 is as it delivers."""
    look_interval_s: float = 0.0
    """Least time between two looks for faces, unless something moves; 0 is every picture."""
