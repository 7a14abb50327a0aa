"""A file of events: whole lines, a limit, and other programs that move it away."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from edge.errors import OutputError
from edge.messages import Mood
from edge.outputs.events import Events


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def kinds(path: Path) -> list[str]:
    return [str(line.get("shown", line["event"])) for line in read(path)]


@pytest.mark.parametrize("room", [0, 1, 9, 300])
def test_a_disk_that_fills_in_the_middle_of_a_line_leaves_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    real_write, left = os.write, room

    def filling(number: int, data: bytes) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left -= (written := real_write(number, data[:left]))
        return written

    file = tmp_path / "e"
    events = Events(str(file))
    for step in range(3):
        with monkeypatch.context() as disk:
            disk.setattr("os.write", filling)
            with pytest.raises(OutputError, match="make room on the disk"):
                events.show(Mood(0.0, "happy"), 2.0 * step)
            left = room
        assert file.read_bytes().endswith(b"}\n")
        events.show(Mood(0.0, "sad"), 2.0 * step + 1)
    events.close()
    assert kinds(file) == ["hello", "sad", "sad", "sad", "bye"]


def test_a_full_file_is_put_aside_and_the_oldest_goes(tmp_path: Path) -> None:
    file = tmp_path / "e"
    events = Events(str(file), most_bytes=3_000, old_files=2)
    for step in range(40):
        events.show(Mood(0.0, "happy"), float(step))
    events.close()
    files = [tmp_path / name for name in ("e.2", "e.1", "e")]
    assert sorted(os.listdir(tmp_path)) == ["e", "e.1", "e.2"]
    assert all(each.stat().st_size <= 3_000 for each in files)
    assert [kinds(each)[0] for each in files] == ["hello"] * 3
    times = [line["t"] for each in files for line in read(each) if line["event"] == "mood"]
    assert times == [float(step) for step in range(40 - len(times), 40)]
    assert len(times) > 10


def test_a_file_that_cannot_be_put_aside_is_told_and_grows_no_further(tmp_path: Path) -> None:
    file = tmp_path / "e"
    events = Events(str(file), most_bytes=1_500, old_files=1)
    (tmp_path / "e.1" / "in the way").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"reached its 0\.0015 MB and cannot be put aside"):
        for step in range(10):
            events.show(Mood(0.0, "happy"), float(step))
    assert file.stat().st_size <= 1_500
    (tmp_path / "e.1" / "in the way").rmdir()
    (tmp_path / "e.1").rmdir()
    events.show(Mood(0.0, "sad"), 10.0)
    events.close()
    assert kinds(file) == ["hello", "sad", "bye"]


@pytest.mark.parametrize("how", ["moved", "deleted"])
def test_a_file_that_was_moved_or_deleted_is_made_anew(tmp_path: Path, how: str) -> None:
    file = tmp_path / "e"
    events = Events(str(file))
    events.show(Mood(0.0, "happy"), 0.0)
    file.rename(tmp_path / "e.old") if how == "moved" else file.unlink()
    events.show(Mood(0.0, "sad"), 1.0)
    events.reopen()
    events.show(Mood(0.0, "fear"), 2.0)  # the same file as before: no second hello
    events.close()
    assert kinds(file) == ["hello", "sad", "fear", "bye"]
    if how == "moved":
        assert kinds(tmp_path / "e.old") == ["hello", "happy"]


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ('{"event":"bye","t":1}\n{"event":"mood","t":1.2', '{"event":"bye","t":1}\n'),
        ('{"event":"mo', ""),
    ],
)
def test_what_a_power_cut_left_of_a_line_is_removed_and_nothing_else(
    tmp_path: Path, found: str, kept: str
) -> None:
    file = tmp_path / "e"
    file.write_text(found)
    Events(str(file)).close()
    assert file.read_text().startswith(kept + '{"event":"hello"')


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "e"
    file.write_text("notes of mine")
    with pytest.raises(OutputError, match="is there and holds no events"):
        Events(str(file))
    assert file.read_text() == "notes of mine"
