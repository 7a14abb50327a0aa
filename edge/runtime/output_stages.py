"""Shows the newest mood on every output: opens them, keeps them going, opens them again when gone."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Literal, cast

from edge.errors import MienError, OutputError
from edge.mailbox import Mailbox
from edge.messages import Condition, DisplayLevel, Mood, Notice
from edge.outputs import (
    CanRest,
    FindsItself,
    Output,
    Reopens,
    SelfHealing,
    StandsIn,
    TakesNotices,
)
from edge.runtime.stage import Stage
from edge.runtime.supervisor import Slot, Supervisor
from edge.runtime.timing import CLOCK, DEVICE, Clock, Timing

REST_S: Final = 0.002
"""Least pause between two pictures of an output that cannot keep up with its own rate."""
NOTICES_KEPT: Final = 32
START_WAIT_S: Final = 5.0
"""Longest that the start waits to hear whether the outputs can be opened; they go on opening."""

OutputState = Literal["opening", "open", "missing"]


class OutputStage(Stage):
    """Shows the newest mood, as often as the output wants.

    What an output can do beyond the port is told by `TakesNotices`, `CanRest`, `SelfHealing`,
    `Reopens`, `FindsItself` and `StandsIn`.
    """

    def __init__(
        self,
        output: Output | None,
        report: Callable[[str], None],
        make: Callable[[], Output] | None = None,
        name: str = "output",
        tell: Callable[[Notice], None] = lambda notice: None,
        timing: Timing = DEVICE,
        clock: Clock = CLOCK,
    ) -> None:
        """Drive *output*, or what *make* opens.

        Args:
            output: open already, or None to open one with *make*.
            report: is told once when the output fails, and again only for another reason, or
                after it recovered.
            make: opens the output; without it a failed output is only tried again.
            name: of the output as long as it has not been open.
            tell: is told when the output is lost and when it is back.
            timing: how long to wait for what.
            clock: the time that it goes by.
        """
        super().__init__(f"output {name if output is None else output.name}", timing, clock)
        self._output, self._report, self._make, self._tell = output, report, make, tell
        self.part = output.name if output is not None else name
        """What a person would call it."""
        self._moods: Mailbox[Mood] = Mailbox()
        self._notices: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self._mood: Mood | None = None
        self._shown_s = -math.inf
        self._told: set[str] = set()
        """What has been reported of the failure that lasts."""
        self._taken = ""
        """What has been said of the device that was taken."""
        self._attempts = 0
        """To open the output since it last worked."""
        self._reopen = False
        self._level: DisplayLevel = "awake"
        self._rested: DisplayLevel = "awake"
        self.state: OutputState = "opening" if output is None else "open"
        self.trouble: MienError | None = None
        """Why it cannot be used just now."""
        self.showing: Condition | None = None
        """That of the mood that it has shown last; None before the first picture."""

    def put(self, mood: Mood, level: DisplayLevel = "awake") -> None:
        """Leave the newest mood, and how awake a display has to be."""
        self._level = level
        self._moods.put(mood)

    def add_notice(self, notice: Notice) -> None:
        """Leave a notice for an output that writes them down."""
        self._notices.append(notice)

    def reopen(self) -> None:
        """Have an output that goes by a name look that up again."""
        self._reopen = True

    def step(self) -> bool:
        """Show the newest mood when the output is due."""
        if self._output is None:
            return self._open()
        if isinstance(self._output, StandsIn) and (better := self._output.successor()) is not None:
            self._output.close()
            self._use(better)
        due_s = self._shown_s + self._output.interval_s
        if self.clock.wait(
            self._stopping, max(REST_S, min(self.timing.wait_s, due_s - self.clock.now_s()))
        ):
            return False
        # Only the first mood is waited for: an animated face moves on without a new one.
        wait_s = self.timing.wait_s if self._mood is None else 0.0
        self._mood = self._moods.take(wait_s) or self._mood
        if self._mood is None or self.clock.now_s() < due_s:
            return True
        self._shown_s = self.clock.now_s()
        try:
            self._show(self._output, self._mood)
            self._told.clear()
        except MienError as error:
            self._fail(error)
        return True

    def finish(self) -> None:
        """Clear and close the output."""
        if self._output is not None:
            self._output.close()

    def _open(self) -> bool:
        assert self._make is not None
        self.allow(self.timing.output_open_s)
        try:
            output = self._make()
        except MienError as error:
            self._lose(error)
            self.allow(self.timing.step_s)
            self._pause()
            return True
        self._use(output)
        return True

    def _use(self, output: Output) -> None:
        self._output, self._shown_s, self._rested = output, -math.inf, "awake"
        self.part, self.state = output.name, "open"
        if isinstance(output, FindsItself) and output.taken and output.taken != self._taken:
            self._taken = output.taken
            self._report(output.taken)

    def _pause(self) -> None:
        """Wait a little longer each time before the output is opened again."""
        pauses_s = self.timing.output_pauses_s
        pause_s = pauses_s[min(self._attempts, len(pauses_s) - 1)]
        self._attempts += 1
        self.clock.wait(self._stopping, pause_s)

    def _show(self, output: Output, mood: Mood) -> None:
        if self._reopen and isinstance(output, Reopens):
            self._reopen = False
            output.reopen()
        while isinstance(output, TakesNotices) and self._notices:
            output.notice(self._notices[0])
            self._notices.popleft()
        if isinstance(output, CanRest) and self._level != self._rested:
            level = self._level
            output.rest(level)
            self._rested = level
        # Of one that cannot rest `_rested` stays "awake".
        if self._rested != "asleep":
            output.show(mood, self._shown_s)
        self.showing = mood.condition
        self._attempts = 0
        if self.trouble is not None:
            self.trouble = None
            self._tell(Notice(self._shown_s, self.part, "back", f"The {self.part} is back."))
            if self._make is not None:
                self._report(f"The {self.part} is back.")

    def _fail(self, error: MienError) -> None:
        output = self._output
        heals = isinstance(output, SelfHealing) and output.mends_itself
        if self._make is None or output is None or heals:
            if str(error) not in self._told:
                self._report(str(error))
                self._told.add(str(error))
            self.clock.wait(self._stopping, self.timing.output_again_s)
            return
        self._output = None
        self._lose(error)
        output.close()
        self._pause()

    def _lose(self, error: MienError) -> None:
        self.state = "missing"
        if self.trouble is None:
            self._report(str(error))
            self._tell(Notice(self.clock.now_s(), self.part, "lost", str(error)))
        self.trouble = error


class OutputStages:
    """A slot for every output."""

    def __init__(
        self,
        makers: Sequence[Callable[[], Output]],
        report: Callable[[str], None],
        supervisor: Supervisor,
        timing: Timing = DEVICE,
        keep: Callable[[Notice], None] = lambda notice: None,
    ) -> None:
        """Plan the outputs.

        Args:
            makers: each opens one output, again and again if need be.
            report: is told every problem once.
            supervisor: looks after the stages.
            timing: how long to wait for what.
            keep: is told every notice, of whatever part.
        """
        self._timing, self._keep = timing, keep
        self._report, self._supervisor = report, supervisor
        self._slots: list[Slot] = []
        self._quiet: list[str] | None = []
        """Problems at the start are first collected: they may end the run instead."""
        for number, make in enumerate(makers, 1):
            self._add(make, "output" if len(makers) == 1 else f"output {number}")

    def _add(self, make: Callable[[], Output], name: str) -> None:
        slot = Slot(
            name,
            lambda: OutputStage(None, self._hear, make, name, self.add_notice, self._timing),
            self._say,
            timing=self._timing,
        )
        self._supervisor.add(slot)
        self._slots.append(slot)

    def open(self, keep_trying: bool, stopping: threading.Event) -> None:
        """Open all outputs at the same time and wait until it is known how that went.

        Args:
            keep_trying: whether to go on without any output.
            stopping: ends the waiting.

        Raises:
            OutputError: there are outputs and none can be opened.
        """
        now_s = time.monotonic()
        for slot in self._slots:
            slot.load()
            slot.begin(now_s)
        while any(stage.state == "opening" and stage.alive for stage in self._stages):
            if time.monotonic() - now_s > START_WAIT_S or stopping.wait(0.005):
                break
        told, self._quiet = self._quiet, None
        stages = self._stages
        if stages and not keep_trying and all(stage.state == "missing" for stage in stages):
            raise stages[0].trouble or OutputError("No output can be opened.")
        for sentence in told or []:
            self._report(sentence)

    def _hear(self, sentence: str) -> None:
        if self._quiet is not None:
            self._quiet.append(sentence)
        else:
            self._report(sentence)

    def _say(self, notice: Notice) -> None:
        self._report(notice.text)
        self.add_notice(notice)

    @property
    def _stages(self) -> list[OutputStage]:
        stages = [cast("OutputStage | None", slot.stage) for slot in self._slots]
        return [stage for stage in stages if stage is not None]

    def add_notice(self, notice: Notice) -> None:
        """Leave a notice for the outputs that write them down."""
        self._keep(notice)
        for stage in self._stages:
            stage.add_notice(notice)

    def put(self, mood: Mood, level: DisplayLevel) -> None:
        """Leave the newest mood with every output, and how awake displays have to be."""
        for stage in self._stages:
            stage.put(mood, level)

    def reopen(self) -> None:
        """Have the outputs that go by a name look that up again."""
        for stage in self._stages:
            stage.reopen()

    def shows(self, condition: Condition) -> bool:
        """Whether somebody can know: an output shows it, or there is none that could."""
        stages = [stage for stage in self._stages if stage.state == "open"]
        return not stages or any(stage.showing is condition for stage in stages)
