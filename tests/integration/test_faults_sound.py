"""A microphone that delivers, but not what it should: twenty times each, and what is said of it."""

import pytest

from tests.fakes.running import TIMES, WORLDS, Running, twenty_times, well
from tests.fakes.world import PATIENT, World

SAID = {
    "microphone silence": "delivers nothing but zeros",
    "microphone clipping": "is overdriven",
    "microphone overflow": "is being lost",
}


@pytest.mark.parametrize(("fault", "words"), SAID.items())
def test_bad_sound_loses_no_sense_and_is_told_each_time_with_its_end(
    fault: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"GATED_S": 0.05, "OVERDRIVEN_S": 0.06, "LOST": 2, "OVER_S": 0.05}.items():
        monkeypatch.setattr(f"edge.sensors.microphone_health.{name}", value)

    def story(world: World, running: Running, number: int) -> None:
        before = len(world.moods)
        with world.fault(fault):
            running.until(lambda mood: words in mood.voice.trouble, "being told")
        running.until(lambda mood: well(mood) and not mood.voice.trouble, "recovery")
        assert {mood.voice.state for mood in world.moods[before:]} == {"ok"}

    for world in twenty_times(story, fault, timing=PATIENT):
        assert [words in told for told in world.reported] == [True, False] * (TIMES // WORLDS)
        assert set(world.reported[1::2]) == {"The voice is well again."}
        assert all("alsamixer" in told or "rate_hz" in told for told in world.reported[::2])


def test_sound_that_is_lost_is_counted_in_the_report() -> None:
    world = World()
    with Running(world, PATIENT) as running:
        running.until(well, "being well")
        with world.fault("microphone overflow"):
            running.until(lambda mood: world.trips["microphone overflow"] > 3, "the fault")
        running.until(well, "recovery")
    assert running.report is not None
    assert running.report.overflows == world.trips["microphone overflow"]
