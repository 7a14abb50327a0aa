"""A camera that delivers, but always the same: black pictures, and one that it is stuck at."""

import time

from tests.fakes.running import Running, twenty_times, well
from tests.fakes.world import SHORT, World


def test_black_camera_shows_nobody_and_is_not_reopened() -> None:

    def story(world: World, running: Running, number: int) -> None:
        with world.fault("camera black"):
            running.until(lambda mood: not mood.face.present, "the dark")
            time.sleep(3 * SHORT.silent_s)
        running.until(lambda mood: well(mood) and mood.face.present, "recovery")

    for world in twenty_times(story, "camera black"):
        assert not any("repeats an old picture" in told for told in world.reported)


def test_stuck_camera_is_told_of_and_shows_nobody_s_mood() -> None:
    world = World()
    with Running(world) as running:
        running.until(well, "being well")
        with world.fault("camera stuck"):
            running.until(lambda mood: "repeats an old picture" in mood.face.trouble, "being told")
            running.until(lambda mood: mood.shown == "sad", "the voice alone")
            reopened = 12  # more often than it takes to be opened less often
            running.until(lambda mood: world.trips["camera stuck"] > 10 * reopened, "many pictures")
            assert world.moods[-1].face.state == "lost"
        running.until(well, "recovery")
    told = [sentence for sentence in world.reported if "repeats an old picture" in sentence]
    assert len(told) == 1
