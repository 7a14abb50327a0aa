"""The event stream: schema, beat, and readers that are slow, late or gone."""

import errno
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge import __version__
from edge.emotions import EMOTIONS
from edge.errors import OutputError
from edge.messages import Mood, Notice, Sense
from edge.outputs import events as module
from edge.outputs.events import Events

ROOT = Path(__file__).parents[4]
needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")


def mood(shown: str = "happy", **others: Any) -> Mood:
    likely = np.array([0.01, 0.02, 0.03, 0.812345, 0.04, 0.05, 0.037655])
    others.setdefault("face", Sense("ok", True, 0.8312345, 1.0))
    return Mood(0.0, shown, likely, valence=0.61234, arousal=0.4, **others)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def refuse(number: int) -> Callable[[int, bytes], int]:
    """A write to a disk that has this trouble."""

    def write(stream: int, data: bytes) -> int:
        raise OSError(number, os.strerror(number))

    return write


def test_writes_hello_moods_and_bye(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = Events(str(path))
    events.show(mood(gaze=(0.25, -0.5)), 100.0)
    events.show(mood(), 100.25)
    events.close()
    events.close()
    hello, first, second, bye = read(path)
    assert hello == {
        "event": "hello",
        "schema": 1,
        "mien": __version__,
        "emotions": list(EMOTIONS),
        "interval_s": 0.25,
    }
    assert first == {
        "event": "mood",
        "t": 0.0,
        "shown": "happy",
        "probabilities": {
            "angry": 0.01,
            "disgust": 0.02,
            "fear": 0.03,
            "happy": 0.8123,
            "sad": 0.04,
            "surprise": 0.05,
            "neutral": 0.0377,
        },
        "valence": 0.612,
        "arousal": 0.4,
        "face": {"state": "ok", "present": True, "quality": 0.831, "share": 1.0},
        "voice": {"state": "off", "present": False, "quality": 0.0, "share": 0.0},
        "gaze": [0.25, -0.5],
    }
    assert second["t"] == 0.25
    assert bye == {"event": "bye", "t": 0.25}


def test_keeps_a_steady_beat(tmp_path: Path) -> None:
    events = Events(str(tmp_path / "e"), interval_s=0.25)
    for step in range(201):
        events.show(mood(), 50.0 + step * 0.05)
    events.close()
    times = [line["t"] for line in read(tmp_path / "e")[1:-1]]
    assert len(times) == 41
    assert np.diff(times) == pytest.approx(0.25, abs=0.051)


@pytest.mark.parametrize(
    "changed",
    [
        mood("sad"),
        mood(face=Sense("lost", trouble="The camera is gone.")),
        mood(voice=Sense("ok")),
    ],
)
def test_a_change_is_written_at_once(tmp_path: Path, changed: Mood) -> None:
    events = Events(str(tmp_path / "e"))
    events.show(mood(), 0.0)
    events.show(mood(), 0.05)
    events.show(changed, 0.1)
    events.show(changed, 0.15)
    events.close()
    assert [line["t"] for line in read(tmp_path / "e")[1:-1]] == [0.0, 0.1]


def test_troubles_are_told(tmp_path: Path) -> None:
    events = Events(str(tmp_path / "e"))
    events.show(mood("fault", trouble="Both are gone.", voice=Sense("lost", trouble="Gone.")), 0.0)
    events.close()
    line = read(tmp_path / "e")[1]
    assert line["trouble"] == "Both are gone."
    assert line["voice"]["trouble"] == "Gone."
    assert "trouble" not in line["face"]


def test_every_member_is_documented(tmp_path: Path) -> None:
    events = Events(str(tmp_path / "e"))
    events.show(mood("fault", trouble="x", voice=Sense("lost", trouble="y")), 0.0)
    events.close()
    page = (ROOT / "docs" / "events.md").read_text()
    for text in (module.__doc__ or "", page):
        names = set(re.findall(r"`(\w+)`", text))
        for line in read(tmp_path / "e"):
            assert line["event"] in text
            assert set(line) <= names
        assert set(read(tmp_path / "e")[1]["voice"]) <= names


def test_files_are_appended_to(tmp_path: Path) -> None:
    for _ in range(2):
        Events(str(tmp_path / "e")).close()
    assert [line["event"] for line in read(tmp_path / "e")] == ["hello", "bye"] * 2


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("absent/e", "in a folder that exists"),
        pytest.param("/dev/full", "make room on the disk", marks=needs_full),
        ("unix:/absent/folder/mien.sock", "The events socket"),
        (f"unix:/tmp/{'x' * 120}", "107 bytes: name a shorter one, such as unix:/run/"),
        ("unix:taken.sock", "another Mien is running"),
        ("unix:mine.txt", "a file of that name is there"),
    ],
)
def test_where_no_events_can_go_is_told_with_a_remedy(
    target: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.txt").write_text("mine")
    other = Events("unix:taken.sock")
    with pytest.raises(OutputError, match=words):
        Events(target)
    assert Path("taken.sock").is_socket()
    assert Path("mine.txt").read_text() == "mine"
    other.close()


def test_stdout_whose_reader_has_gone_ends_quietly() -> None:
    code = (
        "from edge.outputs.events import Events; from edge.messages import Mood\n"
        "import sys\n"
        "e = Events('-'); sys.stdin.readline()\n"
        "for n in range(50): e.show(Mood(0.0, 'happy'), n * 1.0)\n"
        "e.close(); print('done', file=sys.stderr)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        assert json.loads(process.stdout.readline())["event"] == "hello"
        process.stdout.close()
        process.stdin.write("\n")
        process.stdin.close()
        assert process.stderr.read() == "done\n"
        assert process.wait(10) == 0


def test_stdout_whose_reader_sleeps_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.outputs import event_targets

    monkeypatch.setattr(event_targets, "_PATIENCE_S", 0.0)
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb", buffering=0) as sleeper:
        monkeypatch.setattr(sys, "stdout", stream)
        events = Events("-", interval_s=0.01)
        for step in range(1000):  # 500 kB into a pipe of 64 kB
            events.show(mood(), float(step))
        assert 100 < sleeper.read(1_000_000).count(b"\n") < 500
        events.close()


class Reader:
    """A client of the socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(5)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile()

    def next(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.lines.readline())
        return found

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


def test_clients_of_the_socket_get_everything(tmp_path: Path) -> None:
    path = tmp_path / "mien.sock"
    events = Events(f"unix:{path}")
    early = Reader(path)
    events.show(mood(), 0.0)
    assert [early.next()["event"], early.next()["event"]] == ["hello", "mood"]
    late = Reader(path)
    events.show(mood(), 0.05)  # nothing is due, yet the newcomer is let in
    assert late.next()["event"] == "hello"
    assert late.next()["t"] == 0.0
    events.show(mood("sad"), 0.1)
    assert early.next()["shown"] == late.next()["shown"] == "sad"
    events.close()
    assert early.next()["event"] == late.next()["event"] == "bye"
    assert early.lines.readline() == ""
    assert not path.exists()
    early.close()
    late.close()


def test_slow_and_gone_clients_harm_nobody(tmp_path: Path) -> None:
    path = tmp_path / "mien.sock"
    events = Events(f"unix:{path}", interval_s=0.1)
    sleeper, quitter, reader = Reader(path), Reader(path), Reader(path)
    events.show(mood(), 0.0)
    quitter.close()
    got: list[dict[str, Any]] = []

    def listen() -> None:
        while True:
            line = reader.lines.readline()
            if not line:
                return
            got.append(json.loads(line))

    thread = threading.Thread(target=listen)
    thread.start()
    for step in range(1, 1500):  # 700 kB, more than the kernel keeps for the sleeper
        events.show(mood(), step * 0.1)
    assert '"bye"' not in sleeper.lines.read()  # it was let go long before: this does not wait
    events.close()
    thread.join(10)
    assert not thread.is_alive()
    assert got[0]["event"] == "hello"
    times = [line["t"] for line in got if line["event"] == "mood"]
    assert times == sorted(times)
    sleeper.close()
    reader.close()


def test_a_socket_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "mien.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(str(path))
    assert path.exists()
    events = Events(f"unix:{path}")
    reader = Reader(path)
    events.show(mood(), 0.0)
    assert reader.next()["event"] == "hello"
    reader.close()
    events.close()


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_stdout_on_a_disk_with_errors_goes_on_once_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with (tmp_path / "out").open("w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        events = Events("-")
        for step in range(20):
            with monkeypatch.context() as disk:
                disk.setattr(os, "write", refuse(number))
                with pytest.raises(OutputError, match=r"to stdout.*(make room|check the disk)"):
                    events.show(mood(), 2.0 * step)
            events.show(mood("sad"), 2.0 * step + 1)
        events.close()
    shown = [line.get("shown", line["event"]) for line in read(tmp_path / "out")]
    assert shown == ["hello", *["sad"] * 20, "bye"]


def test_after_a_full_disk_the_next_call_writes_though_no_mood_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = Events(str(tmp_path / "e"), interval_s=60)
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", refuse(errno.ENOSPC))
        for t_s in (0.0, 0.1, 0.2):  # it is not over just because nothing was to be written
            with pytest.raises(OutputError, match=r"no space left on device.*make room"):
                events.show(mood(), t_s)
    events.show(mood(), 0.3)
    events.close()
    assert [line["event"] for line in read(tmp_path / "e")] == ["hello", "mood", "bye"]


def test_a_pipe_without_a_reader_is_refused_and_one_with_a_reader_is_used(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="start its reader"):
        Events(str(pipe))
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    events = Events(str(pipe))
    for number in range(2_000):  # far more than the pipe holds: nobody reads, nothing blocks
        events.show(mood("sad" if number % 2 else "happy"), number)
    assert json.loads(os.read(reader, 65_536).splitlines()[0])["event"] == "hello"
    events.close()
    os.close(reader)


def test_a_disk_that_fills_in_the_middle_of_a_line_leaves_none_of_it_on_stdout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out"
    real_write = os.write
    with file.open("w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        events = Events("-")
        with monkeypatch.context() as filling:
            filling.setattr(os, "write", lambda n, data: real_write(n, data[:9]))
            with pytest.raises(OutputError, match="make room"):
                events.show(mood(), 0.0)
        events.show(mood("sad"), 1.0)
        events.close()
    assert [line.get("shown", line["event"]) for line in read(file)] == ["hello", "sad", "bye"]


def test_time_never_falls_from_line_to_line(tmp_path: Path) -> None:
    """Notices and moods come from different threads, each with the time of its own."""
    events = Events(str(tmp_path / "events.jsonl"), start_s=100.0)
    events.notice(Notice(101.0, "camera", "restart", "It crashed."))
    events.show(mood(), 100.9)
    events.show(mood("sad"), 101.5)
    events.notice(Notice(101.2, "camera", "back", "It works again."))
    events.show(mood(), 101.4)
    events.close()
    assert [line["t"] for line in read(tmp_path / "events.jsonl")[1:]] == [1, 1, 1.5, 1.5, 1.5, 1.5]


def test_what_is_no_number_is_never_written(tmp_path: Path) -> None:
    events = Events(str(tmp_path / "events.jsonl"))
    with pytest.raises(ValueError, match="JSON"):
        events.show(mood(gaze=(float("nan"), 0.0)), 1.0)
    assert "NaN" not in (tmp_path / "events.jsonl").read_text()


def test_a_standard_output_that_is_closed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(OutputError, match="the standard output, which is closed: leave it open"):
        Events("-")
