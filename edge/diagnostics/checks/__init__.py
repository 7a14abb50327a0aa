"""What `mien doctor` looks at. Each check says one thing and, when it is wrong, the exact fix.

Checks take what they look at (folders, clocks, openers) as arguments with the real thing as the
default, so that a test can show them any machine.
"""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]
"""warning: Mien runs, with less. problem: something that is wanted does not work."""


@dataclass(frozen=True)
class Check:
    """What one look found."""

    name: str
    """What was looked at, two words at most."""
    state: State
    says: str
    """What was found, a phrase without a full stop."""
    fix: str = ""
    """What to do about it; empty when ok."""
