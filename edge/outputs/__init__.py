"""The port to everything that shows the mood.

Adapters live beside this file, one a file: the section of its settings, `make`, the class that
drives the device, and `ADAPTER`, which is named below. Constructing an output opens its device or
file. The settings are read by programs that have no time for numpy and the libraries of devices: an
adapter imports those when it is opened, not before.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from edge.config.adapters import Adapter, S
from edge.hardware.host import Host

if TYPE_CHECKING:
    from edge.messages import DisplayLevel, Mood, Notice

ADAPTERS: Final = ("display", "leds", "neopixel", "events")
"""Those that came with Mien; other packages add to them by the entry points `mien.outputs`."""


class Output(Protocol):
    """Shows moods."""

    name: str
    """What a person would call it, for messages."""
    interval_s: float
    """How often `show` wants to be called, though the mood may be the same."""

    def show(self, mood: "Mood", t_s: float) -> None:
        """Show *mood* as it looks at monotonic time *t_s*.

        Raises:
            OutputError: the device or file is gone and has to be reopened.
        """

    def close(self) -> None:
        """Clear the display, put out the lights, let go. May be called twice."""


@runtime_checkable
class TakesNotices(Protocol):
    """An output that also writes down what the appliance does about its own parts."""

    def notice(self, notice: "Notice") -> None:
        """Take *notice*.

        Raises:
            OutputError: as `Output.show`; the same notice is given again later.
        """


@runtime_checkable
class CanRest(Protocol):
    """A display that can dim and sleep while nobody is there."""

    def rest(self, level: "DisplayLevel") -> None:
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


@runtime_checkable
class Reopens(Protocol):
    """An output that goes by a name in the file system, which may come to mean something else."""

    def reopen(self) -> None:
        """Look the name up again: a person, or logrotate, has asked for it.

        Raises:
            OutputError: as `Output.show`.
        """


@runtime_checkable
class FindsItself(Protocol):
    """An output that looks for its own device."""

    taken: str
    """Sentences for a person about what it has taken, and why; empty if there is nothing to say."""


@runtime_checkable
class StandsIn(Protocol):
    """An output that only stands in until a better one is there."""

    def successor(self) -> Output | None:
        """The better one, open, once it is there: this one is closed and that one used from now on."""


Maker = Callable[[], Output]
"""Opens one output, again and again if need be; raises OutputError where it cannot."""


def nothing_to_check(settings: object, host: Host) -> Iterable[str]:
    """For adapters that have nothing to say to `mien doctor`."""
    return ()


@dataclass(frozen=True)
class OutputAdapter(Adapter[S]):
    """An output that can be plugged in."""

    make: Callable[[S, Host], Sequence[Maker]]
    """One maker for each output that the settings ask for; opens none."""
    check: Callable[[S, Host], Iterable[str]] = nothing_to_check
    """What is wrong with it on this machine, for `mien doctor`: each "what is wrong; the fix"."""
