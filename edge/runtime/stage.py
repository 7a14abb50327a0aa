"""What every stage of the appliance is: a thread with bounded waits that can be replaced."""

import math
import threading
from typing import TypeVar

from edge.mailbox import Mailbox
from edge.process.crash_record import where_thread_is
from edge.runtime.statistics import Statistics
from edge.runtime.timing import CLOCK, DEVICE, Clock, Timing

Item = TypeVar("Item")


class Stage:
    """A named thread that repeats `step` until it is told to stop.

    Every step is a sign of life. A stage whose step takes longer than it is allowed can be
    abandoned: what it still has to say, should it ever wake up, is dropped.
    """

    def __init__(self, name: str, timing: Timing = DEVICE, clock: Clock = CLOCK) -> None:
        """Make ready; `start` begins.

        Args:
            name: of the thread.
            timing: how long it waits for what.
            clock: the time that it goes by.
        """
        self.name = name
        self.timing, self.clock = timing, clock
        self.part = ""
        """What a person calls it, where it knows better than who runs it."""
        self.failure: BaseException | None = None
        """What ended the stage, when it was not told to stop."""
        self.statistics = Statistics()
        """What it has done; read by other threads, which may see it a step late."""
        self._stopping = threading.Event()
        self._passing = threading.Lock()
        self._abandoned = False
        self._pulse = (math.inf, timing.step_s)
        """When the running step began or was last allowed more time, and how long it may take."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask to end; `join` waits for it."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False if the stage hangs."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """The thread is running."""
        return self._thread.is_alive()

    @property
    def place(self) -> str:
        """The lines of code that its thread is in just now; "" if it has ended."""
        return where_thread_is(self._thread.ident) if self.alive else ""

    def allow(self, limit_s: float) -> None:
        """Give the running step *limit_s* from now; called by the step itself."""
        self._pulse = (self.clock.now_s(), limit_s)

    def late(self, t_s: float, awake_s: float = -math.inf) -> bool:
        """Whether the running step has taken longer than it is allowed, at monotonic time *t_s*.

        Args:
            t_s: now.
            awake_s: nothing before it counts: the whole process may have been stopped until then.
        """
        beat_s, limit_s = self._pulse
        return self.alive and t_s - max(beat_s, awake_s) > limit_s

    def abandon(self) -> None:
        """Ask to end, and drop from now on whatever the stage passes on."""
        with self._passing:
            self._abandoned = True
        self.stop()

    def pass_on(self, mailbox: Mailbox[Item], item: Item) -> None:
        """Put *item* into *mailbox*, unless the stage has been abandoned."""
        with self._passing:
            if not self._abandoned:
                mailbox.put(item)

    def step(self) -> bool:
        """One bounded piece of work; False ends the stage."""
        raise NotImplementedError

    def finish(self) -> None:
        """Let go of what `step` took; called once, on the stage's own thread."""

    def _run(self) -> None:
        try:
            self.allow(self.timing.step_s)
            while not self._stopping.is_set() and self.step():
                self.allow(self.timing.step_s)
        # The supervisor reports it; a thread must not die in silence, not even of a SystemExit.
        except BaseException as error:
            self.failure = error
        self.allow(self.timing.step_s)
        try:
            self.finish()
        except BaseException as error:  # what ended the stage says more than what followed from it
            self.failure = self.failure or error
