"""A disk that runs full and is mounted read-only, twenty times, under all that Mien ever writes to."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edge.errors import OutputError
from edge.messages import Mood
from edge.outputs import Output
from edge.outputs.events import Events
from edge.outputs.image_file import Picture
from tests.fakes.disk import SmallDisk, obstacle
from tests.fakes.running import (
    TIMES,
    WORLDS,
    Running,
    mood_goes_on,
    twenty_times,
    well,
)
from tests.fakes.world import PATIENT, FakeDisplay, FakeEvents, World

pytestmark = pytest.mark.skipif(bool(obstacle()), reason=obstacle())

FULL, READ_ONLY = "(no space left on device)", "(read-only file system)"


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[list[SmallDisk]]:
    made: list[SmallDisk] = []
    try:
        for number in range(WORLDS):
            made.append(SmallDisk(tmp_path / str(number)))
    except OSError as error:
        pytest.skip(str(error))
    else:
        yield made
    finally:
        for disk in made:
            disk.close()


Opener = Callable[[Path], Output]
WRITERS: dict[str, tuple[str, Opener]] = {
    "events": ("mien.jsonl", lambda file: Events(str(file), interval_s=0.02)),
    "picture": ("face.png", lambda file: Picture(file, fps=50.0)),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_everything_goes_on_and_so_does_the_writing_once_there_is_room(
    kind: str, disks: list[SmallDisk]
) -> None:
    name, opener = WRITERS[kind]
    left = list(disks)
    disk_of: dict[World, SmallDisk] = {}

    def outputs(world: World) -> dict[str, Any]:
        disk_of[world] = left.pop()
        writer = partial(opener, disk_of[world].folder / name)
        return {"outputs": [lambda: FakeDisplay(world), lambda: FakeEvents(world), writer]}

    def story(world: World, running: Running, number: int) -> None:
        disk, said = disk_of[world], len(world.reported)
        file = disk.folder / name
        running.until(lambda mood: file.exists(), "the file")

        def is_full(mood: Mood) -> bool:
            disk.fill()  # a picture that was being replaced meanwhile leaves some room once more
            return told(world, FULL, said)

        running.until(is_full, "the full disk")
        world.injected[FULL] += 1
        assert mood_goes_on(running, world)
        disk.make_read_only()
        running.until(lambda mood: told(world, READ_ONLY, said), "the read-only disk")
        world.injected[READ_ONLY] += 1
        assert mood_goes_on(running, world)
        disk.mend()
        if kind == "events":
            os.truncate(file, 0)
        running.until(is_written_again(file), "being written again")
        running.until(well, "being well")

    twenty_times(story, FULL, READ_ONLY, changes=outputs, timing=PATIENT)
    for disk in disks:
        assert [file.name for file in disk.folder.iterdir()] == [name]
        if kind == "picture":
            assert pictures_in(disk.folder / name) == 1
            continue
        text = (disk.folder / name).read_text()
        lines = [json.loads(line) for line in text.splitlines() if line]
        assert {line["event"] for line in lines} <= {"hello", "mood", "notice", "bye"}
        assert lines[-1]["event"] == "bye"


def test_film_has_whole_pictures_only_though_the_disk_runs_full_in_between(
    disks: list[SmallDisk],
) -> None:
    disk, t_s = disks[0], 0.0
    film = Picture(disk.folder / "face.gif", fps=50.0)

    def is_taken() -> bool:
        nonlocal t_s
        t_s += 0.3
        try:
            film.show(Mood(t_s, "happy" if round(t_s / 0.3) % 2 else "sad"), t_s)
        except OutputError as error:
            assert FULL in str(error)
            return False
        return True

    for _ in range(TIMES):
        disk.fill()
        until(lambda: not is_taken())  # what is left of a page is room for some
        disk.mend()
        assert is_taken()
    gif = film._gif
    film.close()
    assert gif is not None
    assert pictures_in(disk.folder / "face.gif") == gif.pictures > TIMES


def until(condition: Callable[[], bool]) -> None:
    assert any(condition() for _ in range(100))


def told(world: World, reason: str, after: int) -> bool:
    """Whether it has been said since then."""
    return any(reason in sentence for sentence in world.reported[after:])


def is_written_again(file: Path) -> Callable[[Mood], bool]:
    before = file.stat()

    def is_so(mood: Mood) -> bool:
        now = file.stat()
        return now.st_size > 0 and now.st_mtime_ns > before.st_mtime_ns

    return is_so


def pictures_in(file: Path) -> int:
    """How many pictures the file has, each of which can be read."""
    with Image.open(file) as picture:
        count: int = getattr(picture, "n_frames", 1)
        for number in range(count):
            picture.seek(number)
            picture.load()
    return count
