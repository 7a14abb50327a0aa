from dataclasses import dataclass
from typing import cast

import pytest

from edge.messages import Belief, Mood, SenseState
from edge.runtime.sense_status import SenseMonitor, SenseSlots
from edge.runtime.supervisor import Slot

HOLD_S = 3.0  # nobody sees a face change because a camera starts again


@dataclass
class FakeStage:
    state: SenseState = "starting"
    trouble: str = ""
    ended: bool = False


class FakeSlot:
    def __init__(self) -> None:
        self.stage: FakeStage | None = FakeStage()
        self.trouble = ""


class Bench:
    def __init__(self, *names: str) -> None:
        self.told: list[str] = []
        self.senses = SenseMonitor({}, self.told.append)
        self.sensors = {name: FakeSlot() for name in names}
        self.readers = {name: FakeSlot() for name in names}
        for name in names:
            self.senses.slots[name] = SenseSlots(  # type: ignore[index]
                cast(Slot, self.sensors[name]), cast(Slot, self.readers[name])
            )

    def judge(self, t_s: float, shown: str = "happy") -> Mood:
        mood = self.senses.judge(Belief(t_s, shown, shown != "nobody"))
        self.senses.tell(mood)
        return mood


def test_keeps_showing_last_mood_while_camera_restarts() -> None:
    bench = Bench("face")
    assert bench.judge(0).shown == "starting"
    bench.sensors["face"].stage = FakeStage("ok")
    assert bench.judge(1).shown == "happy"
    bench.sensors["face"].stage = None
    assert bench.judge(1.1).shown == "happy"
    bench.sensors["face"].stage = FakeStage("starting")
    assert bench.judge(1 + HOLD_S - 0.1).shown == "happy"
    bench.sensors["face"].stage = FakeStage("ok")
    assert bench.judge(1 + HOLD_S).face.state == "ok"
    assert bench.told == []


def test_restart_that_takes_long_is_shown_as_starting() -> None:
    bench = Bench("face")
    bench.sensors["face"].stage = FakeStage("ok")
    bench.judge(1)
    bench.readers["face"].stage = None
    assert bench.judge(1 + HOLD_S - 0.01).face.state == "ok"
    mood = bench.judge(1 + HOLD_S)
    assert (mood.shown, mood.face.state) == ("starting", "starting")


def test_reader_that_is_lost_takes_its_sense_with_it_though_the_camera_works() -> None:
    bench = Bench("face", "voice")
    for slot in bench.sensors.values():
        slot.stage = FakeStage("ok")
    bench.readers["face"].trouble = "The face reader keeps failing."
    mood = bench.judge(1)
    assert (mood.face.state, mood.voice.state, mood.shown) == ("lost", "ok", "happy")
    bench.readers["face"].trouble = ""
    bench.judge(2)
    assert bench.told == ["The face reader keeps failing.", "The face is back."]


def test_complaint_about_a_sense_that_works_is_told_once_with_its_end() -> None:
    bench = Bench("voice")
    bench.sensors["voice"].stage = FakeStage("ok", "The microphone is overdriven; lower its level.")
    for t_s in (1.0, 2.0):
        mood = bench.judge(t_s)
        assert (mood.shown, mood.voice.state) == ("happy", "ok")
    bench.sensors["voice"].stage = FakeStage("ok")
    bench.judge(3)
    bench.sensors["voice"].stage = FakeStage("lost", "The microphone is gone; plug it in.")
    bench.judge(4)
    bench.sensors["voice"].stage = FakeStage("ok")
    bench.judge(5)
    assert bench.told == [
        "The microphone is overdriven; lower its level.",
        "The voice is well again.",
        "The microphone is gone; plug it in.",
        "The voice is back.",
    ]


def test_fault_names_every_trouble_once() -> None:
    bench = Bench("face", "voice")
    bench.sensors["face"].stage = FakeStage("lost", "No camera found.")
    bench.sensors["voice"].stage = FakeStage("lost", "No microphone found.")
    mood = bench.judge(1)
    assert (mood.shown, mood.trouble) == ("fault", "No camera found. No microphone found.")


@pytest.mark.parametrize("ended", [True, False])
def test_clip_is_over_when_both_senses_have_ended(ended: bool) -> None:
    bench = Bench("face", "voice")
    bench.sensors["face"].stage = FakeStage("off", ended=True)
    bench.sensors["voice"].stage = FakeStage("ok", ended=ended)
    assert bench.senses.over is ended
