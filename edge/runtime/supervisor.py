"""Keeps the stages going: starts again what crashed, replaces what hangs, says so.

The supervisor has no thread: the loop of the appliance calls `tick`, which never waits. Building a
stage (loading a model takes seconds) happens on a thread of its own.
"""

import os
import threading
import traceback
from collections.abc import Callable
from typing import Final, Protocol

from edge.errors import MienError
from edge.messages import Notice, NoticeKind
from edge.runtime.restart_policy import RestartPolicy
from edge.runtime.statistics import Statistics
from edge.runtime.timing import DEVICE, Timing

BUILD_S: Final = 90.0
"""Building a stage anew takes longer than this only if it hangs: MediaPipe needs 20 s on a Pi Zero."""
HUNG_THREADS: Final = 3
"""So many hung threads of one part are left behind. Each holds on to its model and its device; with
more, only a restart of the process helps."""
GAP_S: Final = 1.0
"""The loop ticks many times a second: after a longer gap the whole process was stopped, and nobody
could give a sign of life."""


class Supervised(Protocol):
    """What the supervisor asks of a stage; see `edge.runtime.stage.Stage`."""

    name: str
    part: str
    """What a person calls it; "" leaves the name to the slot."""
    failure: BaseException | None
    statistics: Statistics

    @property
    def alive(self) -> bool:
        """The thread is running."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """Ask to end."""

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False if it hangs."""

    def abandon(self) -> None:
        """Ask to end, and drop whatever it still has to say."""

    @property
    def place(self) -> str:
        """The lines of code that it is in just now; "" if it has ended."""

    def late(self, t_s: float, awake_s: float) -> bool:
        """A step has taken longer than it is allowed."""


Builder = Callable[[], Supervised]
Spawn = Callable[[Callable[[], None], str], None]
"""Runs something on a thread of that name."""


class Trace(Protocol):
    """Keeps where a part failed, for who has to mend it."""

    def traceback(self, part: str, failure: BaseException | str) -> None:
        """What was raised by *part*, or the lines that its thread hangs in."""


def spawn_thread(work: Callable[[], None], name: str) -> None:
    """Run *work* on a thread that does not keep the process alive."""
    threading.Thread(target=work, name=name, daemon=True).start()


class _Build:
    """One attempt to build a stage, on a thread of its own."""

    def __init__(self, make: Builder, t_s: float) -> None:
        self._make, self.began_s = make, t_s
        self.stage: Supervised | None = None
        self.failure: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            self.stage = self._make()
        except BaseException as error:
            self.failure = error
        self.done.set()


class Slot:
    """The place of one stage, which may be replaced."""

    def __init__(
        self,
        part: str,
        make: Builder,
        say: Callable[[Notice], None],
        retire: Callable[[Supervised], None] = lambda stage: None,
        spawn: Spawn = spawn_thread,
        timing: Timing = DEVICE,
    ) -> None:
        """Look after one stage.

        Args:
            part: what a person calls it, for the sentences: "The ..." goes before it.
            make: builds the stage; may take long and may raise.
            say: is told what happens.
            retire: is called once with every stage that has been replaced.
            spawn: starts the threads on which stages are built.
            timing: when it is started again.
        """
        self.part = part
        self.stage: Supervised | None = None
        self.trouble = ""
        """One sentence while the part is lost, else ""."""
        self.restarts = 0
        self.trace: Trace | None = None
        """Is told where the stage failed."""
        self._make, self._say, self._retire, self._spawn = make, say, retire, spawn
        self._policy, self._timing = RestartPolicy(timing), timing
        self._build: _Build | None = None
        self._due_s: float | None = None
        self._since_s = 0.0
        self._hung: list[Supervised | _Build] = []

    def load(self) -> None:
        """Build the stage for the first time, on the caller's thread; raises what building raises."""
        self.stage = self._make()

    def begin(self, t_s: float) -> None:
        """Start the stage that `load` has built."""
        if self.stage is not None:
            self._since_s = t_s
            self.stage.start()

    def tick(self, t_s: float, awake_s: float) -> None:
        """See how the stage fares and do what there is to do; never waits."""
        stage = self.stage
        if stage is not None:
            if stage.failure is not None:
                self.give_up(stage.failure, t_s)
            elif stage.late(t_s, awake_s):
                if self.trace is not None:
                    self.trace.traceback(stage.part or self.part, f"It hangs:\n{stage.place}")
                stage.abandon()
                self._hung.append(stage)
                self.give_up(None, t_s)
            elif self._policy.ran(self._since_s, t_s):
                self.trouble = ""
                self._tell(t_s, "back", f"The {self.part} works again.")
        elif self._build is not None:
            self._collect(self._build, t_s, awake_s)
        elif self._due_s is not None and t_s >= self._due_s:
            if self.stuck:
                self._stay_stuck(t_s)
                return
            self._due_s = None
            self._build = _Build(self._make, t_s)
            self._spawn(self._build.run, f"builder {self.part}")

    def _collect(self, build: _Build, t_s: float, awake_s: float) -> None:
        if not build.done.is_set():
            if t_s - max(build.began_s, awake_s) > BUILD_S:
                self._hung.append(build)
                self.give_up(None, t_s)
        elif build.failure is not None:
            self.give_up(build.failure, t_s)
        else:
            self._build, self.stage = None, build.stage
            self.restarts += 1
            self.begin(t_s)

    def give_up(self, failure: BaseException | None, t_s: float) -> None:
        """Let go of the stage, or of building one, and decide when to try again.

        Args:
            failure: why; None if it hangs.
            t_s: now.
        """
        stage, self.stage, self._build = self.stage, None, None
        if stage is not None:
            self.part = stage.part or self.part  # an output tells its name when open
            self._retire(stage)
        known = isinstance(failure, MienError)
        was_lost = self._policy.lost
        decision = self._policy.failed(t_s, hopeless=known)
        self._due_s = decision.at_s
        if failure is None:
            what = "hangs"
        else:
            what = f"crashed ({type(failure).__name__}: {failure})"
            if not known and self.trace is not None:
                self.trace.traceback(self.part, failure)
            if not known and os.environ.get("MIEN_DEBUG"):
                traceback.print_exception(type(failure), failure, failure.__traceback__)
        if not decision.lost:
            self._tell(t_s, "restart", f"The {self.part} {what}; it is started again.")
            return
        again = f"is tried again every {self._timing.lost_retry_s:.0f} s"
        if known:
            self.trouble = f"{failure} The {self.part} {again}."
        else:
            self.trouble = f"The {self.part} keeps failing: it {what}. It {again}."
        if not was_lost:
            self._tell(t_s, "lost", self.trouble)

    def _stay_stuck(self, t_s: float) -> None:
        trouble = f"The {self.part} hangs and cannot be replaced any more: restart Mien."
        if self.trouble != trouble:
            self.trouble = trouble
            self._policy.lost = True
            self._tell(t_s, "lost", trouble)

    def _tell(self, t_s: float, kind: NoticeKind, text: str) -> None:
        self._say(Notice(t_s, self.part, kind, text))

    @property
    def hung(self) -> int:
        """How many threads that hang have been left behind and still do."""
        self._hung = [
            one
            for one in self._hung
            if (not one.done.is_set() if isinstance(one, _Build) else one.alive)
        ]
        return len(self._hung)

    @property
    def stuck(self) -> bool:
        """It hangs and cannot be replaced any more: only a restart of the process helps."""
        return self.hung >= HUNG_THREADS


class Supervisor:
    """All slots of the appliance."""

    def __init__(self, trace: Trace | None = None) -> None:
        """Look after no slot yet.

        Args:
            trace: is told where stages fail.
        """
        self._trace = trace
        self._slots: list[Slot] = []
        self._ticked_s: float | None = None
        self._awake_s = 0.0

    def add(self, slot: Slot) -> None:
        """Look after one more."""
        slot.trace = self._trace
        self._slots.append(slot)

    def tick(self, t_s: float) -> float:
        """Look after all slots at monotonic time *t_s*; never waits.

        Returns:
            For how many seconds the whole process was stopped before; 0 if it was not.
        """
        gap_s = 0.0 if self._ticked_s is None else t_s - self._ticked_s
        if self._ticked_s is None or gap_s > GAP_S:
            self._awake_s = t_s
        self._ticked_s = t_s
        for slot in self._slots:
            slot.tick(t_s, self._awake_s)
        return gap_s if gap_s > GAP_S else 0.0

    @property
    def advancing(self) -> bool:
        """Whether the watchdog may be fed: every stage gives signs of life or is being replaced."""
        return not any(slot.stuck for slot in self._slots)

    @property
    def restarts(self) -> int:
        """How often a stage has been started again."""
        return sum(slot.restarts for slot in self._slots)

    @property
    def left_behind(self) -> tuple[str, ...]:
        """The parts that have threads left behind which still hang."""
        return tuple(slot.part for slot in self._slots if slot.hung)

    @property
    def stages(self) -> list[Supervised]:
        """The stages of the moment."""
        return [slot.stage for slot in self._slots if slot.stage is not None]
