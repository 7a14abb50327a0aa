"""How long the runtime waits for what, and on which clock: passed in, so that a test can hurry both."""

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Waiting times and limits of the stages, in seconds; `Timing()` is that of the device."""

    wait_s: float = 0.2
    """Longest that a stage waits for anything before it looks whether it should stop."""
    stale_s: float = 0.2
    """An older frame is not worth reading."""
    step_s: float = 5.0
    """A step that takes longer hangs: every wait in one is bounded by 3 s, an inference is far
    below."""
    first_read_s: float = 20.0
    """The same for a model's first inference: it allocates, and pages its file in from the SD card."""

    sensor_open_s: float = 30.0
    """The same for opening a sensor: "auto" may try several cameras that take 10 s each to fail."""
    silent_s: float = 3.0
    """A sensor that delivers nothing for so long is taken for dead and reopened."""
    first_silent_s: float = 8.0
    """The same before its first delivery: some cameras take their time."""
    sensor_pauses_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    """Pauses between attempts to open a lost sensor; the last one repeats."""
    stubborn_s: float = 60.0
    """How long a camera that goes on repeating an old picture is watched between two attempts; a new
    picture ends the error at once."""
    sense_hold_s: float = 3.0
    """A sense whose stage is being replaced counts as working for so long: nobody sees a face change
    because a camera needs a second to start again."""

    output_open_s: float = 20.0
    """The same as `step_s` for opening an output: it imports the library of the display first."""
    output_again_s: float = 1.0
    """Pause before an output that mends itself is tried again after a failure."""
    output_pauses_s: tuple[float, ...] = (0.25, 0.5, 1.0, 3.0)
    """Pauses before attempts to open a lost output; the last one repeats, for ever: asking an I2C address
    takes under 1 ms."""

    restart_pauses_s: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0)
    """Before the first, second ... restart of a part. The first is at once, as it mostly helps; all
    together take less than the 5 s in which a sense has to be back. One more within
    `restart_policy.WITHIN_S` is no accident: the part is lost."""
    lost_retry_s: float = 30.0
    """How often a lost part is tried again: seldom enough not to starve the parts that work."""
    steady_s: float = 5.0
    """A lost part that has run for so long works again."""


DEVICE = Timing()


class Clock:
    """The monotonic time, and waiting for an event on it."""

    def now_s(self) -> float:
        """The time, in seconds; never falls."""
        return time.monotonic()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait for *event*, at most *timeout_s* seconds; whether it is set."""
        return event.wait(timeout_s)


CLOCK = Clock()
