"""How the senses of the running appliance fare, and what is shown when none of them works."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from edge.messages import (
    SENSES,
    Belief,
    Condition,
    Evidence,
    Mood,
    Sense,
    SenseName,
    SenseState,
    mood_of,
)
from edge.runtime.sensor_stages import CameraStage, MicrophoneStage
from edge.runtime.supervisor import Slot
from edge.runtime.timing import DEVICE, Timing


@dataclass(frozen=True)
class SenseSlots:
    """The two stages of a sense."""

    sensor: Slot
    reader: Slot

    @property
    def stage(self) -> CameraStage | MicrophoneStage | None:
        """The sensor's stage of the moment."""
        return cast("CameraStage | MicrophoneStage | None", self.sensor.stage)


class SenseMonitor:
    """Makes a mood of a belief and of how the senses fare, and tells of their troubles once each."""

    def __init__(
        self,
        missing: Mapping[str, str],
        report: Callable[[str], None],
        timing: Timing = DEVICE,
    ) -> None:
        """Know of no stages yet.

        Args:
            missing: senses that are wanted and cannot be had in this run, and why.
            report: is told each new trouble of a sense, and its end.
            timing: how long to wait for what.
        """
        self._hold_s = timing.sense_hold_s
        self.slots: dict[SenseName, SenseSlots] = {}
        self.ready_s: float | None = None
        """When the first of them delivered, or began to do so."""
        self._missing, self._report = missing, report
        self._told: dict[str, str] = {}
        self._lost: dict[str, bool] = {}
        """Whether what was told last was that the sense is lost."""
        self._ok_s: dict[str, float] = {}

    @property
    def over(self) -> bool:
        """All that was wanted was a clip, and it has been read to its end."""
        stages = [slots.stage for slots in self.slots.values()]
        return bool(stages) and all(stage is not None and stage.ended for stage in stages)

    def starting(self, t_s: float) -> Mood:
        """What is shown before anything has been loaded."""
        face, voice = (
            Sense("starting" if name in self.slots or name in self._missing else "off")
            for name in SENSES
        )
        return Mood(t_s, "starting", face=face, voice=voice, condition=Condition.STARTING)

    def judge(self, belief: Belief) -> Mood:
        """What to show: the belief, with how the senses fare; the one place that decides `shown`."""
        face = self._sense(belief.face, "face", belief.t_s)
        voice = self._sense(belief.voice, "voice", belief.t_s)
        mood = mood_of(belief, face, voice)
        wanted = [sense for sense in (face, voice) if sense.state != "off"]
        if any(sense.state == "ok" for sense in wanted) or not wanted:
            self.ready_s = mood.t_s if self.ready_s is None else self.ready_s
            return mood
        if all(sense.state == "lost" for sense in wanted):
            trouble = " ".join(dict.fromkeys(sense.trouble for sense in wanted))
            return replace(mood, shown="fault", trouble=trouble, condition=Condition.FAULT)
        return replace(mood, shown="starting", condition=Condition.STARTING)

    def _sense(self, evidence: Evidence, name: SenseName, t_s: float) -> Sense:
        state, trouble = self._state(name, t_s)
        if state == "off" or name in self._missing:
            return Sense(state, trouble=trouble)
        return Sense(state, evidence.present, evidence.quality, evidence.share, trouble)

    def _state(self, name: SenseName, t_s: float) -> tuple[SenseState, str]:
        """How a sense fares, and the sentence that says why."""
        if name in self._missing:
            return "lost", self._missing[name]
        if name not in self.slots:
            return "off", ""
        slots = self.slots[name]
        trouble = slots.reader.trouble or slots.sensor.trouble
        if trouble:
            return "lost", trouble
        stage = slots.stage
        state = stage.state if stage is not None else "starting"
        if slots.reader.stage is None and state == "ok":
            state = "starting"
        if state == "starting" and t_s - self._ok_s.get(name, t_s - self._hold_s) < self._hold_s:
            state = "ok"
        elif state == "ok":
            self._ok_s[name] = t_s
        return state, stage.trouble if stage is not None else ""

    def shut_useless(self) -> None:
        """Shut the sensor of a reader that is lost: nobody is watched for nothing."""
        for slots in self.slots.values():
            if slots.stage is not None:
                slots.stage.wanted = slots.reader.stage is not None or not slots.reader.trouble

    def tell(self, mood: Mood) -> None:
        """Report each new trouble of a sense once, and its end."""
        for name, sense in (("face", mood.face), ("voice", mood.voice)):
            if sense.trouble == self._told.get(name, ""):
                continue
            self._told[name] = sense.trouble
            if sense.trouble:
                self._report(sense.trouble)
                self._lost[name] = sense.state == "lost"
            else:
                was_lost = self._lost.get(name, False)
                self._report(f"The {name} is back." if was_lost else f"The {name} is well again.")
