"""All outputs of the appliance: opens them, hands each the newest mood, keeps them going."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, cast

from edge.errors import OutputError
from edge.idle import Rest
from edge.messages import Mood
from edge.notices import Notice
from edge.output_stage import OutputStage
from edge.outputs import Output
from edge.supervisor import Slot, Supervisor

WAIT_S: Final = 5.0
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
            if time.monotonic() - now_s > WAIT_S or stopping.wait(0.005):
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

    def put(self, mood: Mood, rest: Rest) -> None:
        """Leave the newest mood with every output, and how awake displays have to be."""
        for stage in self._stages:
            stage.put(mood, rest)

    def shows(self, shown: str) -> bool:
        """Whether somebody can know: an output shows it, or there is none that could."""
        stages = [stage for stage in self._stages if stage.state == "open"]
        return not stages or any(stage.showing == shown for stage in stages)
