import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.emotions import EMOTIONS
from edge.errors import ClipEnded, ModelError, OutputError, SensorError
from edge.messages import Frame, Mood
from edge.runtime.appliance import Appliance
from edge.runtime.statistics import RunReport
from tests.fakes.running import components_of
from tests.fakes.world import FakeCamera, FakeEvents, FakeFaceReader, World

EXPOSED_S = 0.03


class Film(FakeCamera):
    """A clip that shows happiness until 0.6 s, then surprise until 1.4 s."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._began_s = time.monotonic()

    def read(self, timeout_s: float) -> Frame | None:
        time.sleep(0.01)
        elapsed_s = time.monotonic() - self._began_s
        if elapsed_s > 1.4:
            raise ClipEnded
        pixel = EMOTIONS.index("happy" if elapsed_s < 0.6 else "surprise")
        return Frame(np.full((2, 2, 3), pixel, np.uint8), time.monotonic() - EXPOSED_S)


def film_in(world: World, **changes: Any) -> Appliance:
    """One that sees a film and hears nothing."""
    components = components_of(
        world, open_camera=lambda: Film(world), open_microphone=None, **changes
    )
    return Appliance(components, world.reported.append)


def run(world: World, seconds: float) -> RunReport:
    return Appliance(components_of(world), world.reported.append).run(seconds)


def test_shows_what_the_face_shows_and_ends_with_the_clip() -> None:
    world = World()
    report = film_in(world).run()
    shown = [mood.shown for mood in world.moods]
    assert shown[0] == "starting"
    told = [name for name in shown if name in EMOTIONS]
    assert told == sorted(told, key=["happy", "surprise"].index)
    assert set(told) == {"happy", "surprise"}
    assert report.exit_code == 0
    assert world.closed == {"fake events", "light"}
    assert (world.lit, len(world.ever_lit)) == (set(), 1)
    assert report.frames_read + report.frames_dropped + report.frames_refused <= report.frames
    assert EXPOSED_S <= report.oldest_frame_s <= 0.2
    assert "happy -> surprise" in report.sentence()


@pytest.mark.parametrize(
    ("gone", "sense", "shown"), [("microphone", "voice", "happy"), ("camera", "face", "sad")]
)
def test_goes_on_with_one_sense_when_the_other_is_missing_and_says_so(
    gone: str, sense: str, shown: str
) -> None:
    world = World()
    world.faults.add(f"{gone} gone")
    report = run(world, 1.5)
    assert world.moods[-1].shown == shown
    lost = getattr(world.moods[-1], sense)
    assert (lost.state, lost.trouble) == ("lost", f"No {gone} found; plug one in.")
    assert world.reported == [lost.trouble]
    assert report.exit_code == 0


def test_nothing_to_sense_ends_with_one_sentence() -> None:
    world = World()
    world.faults |= {"camera gone", "microphone gone"}
    with pytest.raises(SensorError, match="No camera found"):
        run(world, 5)


def test_stop_is_heard_while_models_load() -> None:
    world, loading = World(), threading.Event()

    def slow() -> FakeFaceReader:
        loading.set()
        time.sleep(3)
        return FakeFaceReader(world)

    appliance = film_in(world, face_reader=slow)
    thread = threading.Thread(target=appliance.run)
    thread.start()
    assert loading.wait(2)
    appliance.stop()
    thread.join(1)
    assert not thread.is_alive()
    assert "light" in world.closed


def test_corrupt_model_ends_the_run_and_closes_what_was_open() -> None:
    def corrupt() -> FakeFaceReader:
        raise ModelError("face_int8.tflite is damaged; restore it.")

    world = World()
    with pytest.raises(ModelError, match="damaged"):
        film_in(world, face_reader=corrupt).run(5)
    assert world.closed == {"fake events", "light"}
    assert not world.ever_lit


def test_a_process_that_was_stopped_for_half_a_minute_says_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, stopped_s = World(), 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + stopped_s)
    monkeypatch.setattr("edge.runtime.appliance.time", clock)

    class Stopping(FakeEvents):
        def show(self, mood: Mood, t_s: float) -> None:
            nonlocal stopped_s
            super().show(mood, t_s)
            stopped_s = 30.0 * (mood.shown == "happy") or stopped_s

    film_in(world, outputs=[lambda: Stopping(world)]).run()
    assert [sentence[:28] for sentence in world.reported] == ["Mien was stopped for 30 s (b"]


def test_one_broken_output_does_not_stop_the_others() -> None:
    world = World()
    world.faults.add("display gone")
    film_in(world).run()
    assert world.moods
    (told,) = world.reported
    assert told.startswith("No display answers at 0x3C")
    world.faults.add("camera gone")
    broken = components_of(world)
    broken.outputs = broken.outputs[:1]
    with pytest.raises(OutputError, match="0x3C"):
        Appliance(broken, world.reported.append).run()
