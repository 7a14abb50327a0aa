"""Notices: what the appliance did about its own parts, for people and programs to see."""

from dataclasses import dataclass
from typing import Literal

NoticeKind = Literal["restart", "lost", "back", "pace"]
"""restart: a part fell over or hung and is started anew. lost: a part is missing or keeps failing,
and is tried again from time to time. back: it works again. pace: faces are read slower or faster."""


@dataclass(frozen=True)
class Notice:
    """One thing that the appliance did about one of its parts."""

    t_s: float
    """When, monotonic."""
    part: str
    """What a person would call the part: "camera", "face reader", "display ssd1306"."""
    kind: NoticeKind
    text: str
    """One sentence or two: what is wrong, and what happens about it."""
