"""The port to everything that shows the mood.

Adapters live beside this file. Constructing one opens its device or file; hardware modules are
imported then, not before.
"""

from typing import Protocol

from edge.messages import Mood


class Output(Protocol):
    """Shows moods."""

    name: str
    """What a person would call it, for messages."""
    interval_s: float
    """How often `show` wants to be called, though the mood may be the same."""

    def show(self, mood: Mood, t_s: float) -> None:
        """Show *mood* as it looks at monotonic time *t_s*.

        Raises:
            OutputError: the device or file is gone and has to be reopened.
        """

    def close(self) -> None:
        """Clear the display, put out the lights, let go. May be called twice."""
