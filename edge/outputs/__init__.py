"""The port to everything that shows the mood.

Adapters live beside this file. Constructing one opens its device or file; hardware modules are
imported then, not before.
"""

from typing import Protocol, runtime_checkable

from edge.messages import DisplayLevel, Mood, Notice


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


@runtime_checkable
class TakesNotices(Protocol):
    """An output that also writes down what the appliance does about its own parts."""

    def notice(self, notice: Notice) -> None:
        """Take *notice*.

        Raises:
            OutputError: as `Output.show`; the same notice is given again later.
        """


@runtime_checkable
class CanRest(Protocol):
    """A display that can dim and sleep while nobody is there."""

    def rest(self, level: DisplayLevel) -> None:
        """Be as awake as *level* from now on; while it is "asleep" nothing is shown.

        Raises:
            OutputError: as `Output.show`.
        """


@runtime_checkable
class SelfHealing(Protocol):
    """An output that goes on by itself after a failure, such as a full disk.

    Any other is closed and reopened, as a display that was unplugged has to be set up again.
    """

    mends_itself: bool
    """True: after an `OutputError` `show` is called again."""
