"""Shows the newest mood on every output: opens them, keeps them going, opens them again when gone."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Literal, cast

from edge.errors import MienError, OutputError
from edge.mailbox import Mailbox
from edge.messages import DisplayLevel, Mood, Notice
from edge.outputs import Output
from edge.runtime.stage import STEP_S, WAIT_S, Stage
from edge.runtime.supervisor import Slot, Supervisor

REST_S: Final = 0.002
"""Least pause between two pictures of an output that cannot keep up with its own rate."""
AGAIN_S: Final = 1.0
"""Pause before an output that has just failed is tried again."""
MISSING_RETRY_S: Final = 3.0
"""How often an output that is not there is looked for: asking an I2C address takes under 1 ms."""
OPEN_S: Final = 20.0
"""Opening takes longer than showing: it imports the library of the display first."""
NOTICES_KEPT: Final = 32

OutputState = Literal["opening", "open", "missing"]


class OutputStage(Stage):
    """Shows the newest mood, as often as the output wants.

    Two methods are no part of the port, because most outputs have no use for them: `notice(notice)`
    is told what the appliance does about its parts, and `rest(level)` lets a display dim and sleep.
    An output with a true attribute `mends_itself` goes on by itself after a failure (a full disk);
    any other is closed and reopened, as a display that was unplugged has to be set up again.
    """

    def __init__(
        self,
        output: Output | None,
        report: Callable[[str], None],
        make: Callable[[], Output] | None = None,
        name: str = "output",
        tell: Callable[[Notice], None] = lambda notice: None,
    ) -> None:
        """Drive *output*, or what *make* opens.

        Args:
            output: open already, or None to open one with *make*.
            report: is told once when the output fails, and again only for another reason, or
                after it recovered.
            make: opens the output; without it a failed output is only tried again.
            name: of the output as long as it has not been open.
            tell: is told when the output is lost and when it is back.
        """
        super().__init__(f"output {output.name}" if output is not None else f"output {name}")
        self._output, self._report, self._make, self._tell = output, report, make, tell
        self.part = output.name if output is not None else name
        """What a person would call it."""
        self._moods: Mailbox[Mood] = Mailbox()
        self._notices: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self._mood: Mood | None = None
        self._shown_s = -math.inf
        self._told: set[str] = set()
        """What has been reported of the failure that lasts."""
        self._rest: DisplayLevel = "awake"
        self._rested: DisplayLevel = "awake"
        self.state: OutputState = "opening" if output is None else "open"
        self.trouble: MienError | None = None
        """Why it cannot be used just now."""
        self.showing = ""
        """What it has shown last, one of `edge.messages.SHOWN`; "" before the first picture."""

    def put(self, mood: Mood, rest: DisplayLevel = "awake") -> None:
        """Leave the newest mood, and how awake a display has to be."""
        self._rest = rest
        self._moods.put(mood)

    def add_notice(self, notice: Notice) -> None:
        """Leave a notice for an output that writes them down."""
        self._notices.append(notice)

    def step(self) -> bool:
        """Show the newest mood when the output is due."""
        if self._output is None:
            return self._open()
        due_s = self._shown_s + self._output.interval_s
        if self._stopping.wait(max(REST_S, min(WAIT_S, due_s - time.monotonic()))):
            return False
        # Only the first mood is waited for: an animated face moves on without a new one.
        self._mood = self._moods.take(WAIT_S if self._mood is None else 0.0) or self._mood
        if self._mood is None or time.monotonic() < due_s:
            return True
        self._shown_s = time.monotonic()
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
        self.allow(OPEN_S)
        try:
            output = self._make()
        except MienError as error:
            self._lose(error)
            self.allow(STEP_S)
            self._stopping.wait(MISSING_RETRY_S)
            return True
        self._output, self._shown_s, self._rested = output, -math.inf, "awake"
        self.part, self.state = output.name, "open"
        return True

    def _show(self, output: Output, mood: Mood) -> None:
        write_down = getattr(output, "notice", None)
        while write_down is not None and self._notices:
            write_down(self._notices[0])
            self._notices.popleft()
        rest = getattr(output, "rest", None)
        if rest is not None and self._rest != self._rested:
            level = self._rest
            rest(level)
            self._rested = level
        if rest is None or self._rested != "asleep":
            output.show(mood, self._shown_s)
        self.showing = mood.shown
        if self.trouble is not None:
            self.trouble = None
            self._tell(Notice(self._shown_s, self.part, "back", f"The {self.part} is back."))
            if self._make is not None:
                self._report(f"The {self.part} is back.")

    def _fail(self, error: MienError) -> None:
        output = self._output
        if self._make is None or output is None or getattr(output, "mends_itself", False):
            if str(error) not in self._told:
                self._report(str(error))
                self._told.add(str(error))
            self._stopping.wait(AGAIN_S)
            return
        self._output = None
        self._lose(error)
        output.close()
        self._stopping.wait(AGAIN_S)

    def _lose(self, error: MienError) -> None:
        self.state = "missing"
        if self.trouble is None:
            self._report(str(error))
            self._tell(Notice(time.monotonic(), self.part, "lost", str(error)))
        self.trouble = error


OPENING_WAIT_S: Final = 5.0
"""Longest that the start waits to hear whether the outputs can be opened; they go on opening."""


class OutputStages:
    """A slot for every output."""

    def __init__(
        self,
        makers: Sequence[Callable[[], Output]],
        report: Callable[[str], None],
        supervisor: Supervisor,
    ) -> None:
        """Plan the outputs.

        Args:
            makers: each opens one output, again and again if need be.
            report: is told every problem once.
            supervisor: looks after the stages.
        """
        self._report, self._supervisor = report, supervisor
        self._slots: list[Slot] = []
        self._quiet: list[str] | None = []
        """Problems at the start are first collected: they may end the run instead."""
        for number, make in enumerate(makers, 1):
            self._add(make, "output" if len(makers) == 1 else f"output {number}")

    def _add(self, make: Callable[[], Output], name: str) -> None:
        slot = Slot(
            name,
            lambda: OutputStage(None, self._hear, make, name, self.add_notice),
            self._say,
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
            if time.monotonic() - now_s > OPENING_WAIT_S or stopping.wait(0.005):
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
        for stage in self._stages:
            stage.add_notice(notice)

    def put(self, mood: Mood, rest: DisplayLevel) -> None:
        """Leave the newest mood with every output, and how awake displays have to be."""
        for stage in self._stages:
            stage.put(mood, rest)

    def shows(self, shown: str) -> bool:
        """Whether somebody can know: an output shows it, or there is none that could."""
        stages = [stage for stage in self._stages if stage.state == "open"]
        return not stages or any(stage.showing == shown for stage in stages)
