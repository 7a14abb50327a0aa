"""What Mien does about its own parts, in the event stream."""

import json
from pathlib import Path
from typing import get_args

from edge.messages import Mood, Notice, NoticeKind
from edge.outputs.events import Events

NOTICE = Notice(102.5, "camera", "restart", "The camera hangs; it is started again.")


def test_notice_is_written_with_its_time_and_a_mood_follows_at_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = Events(str(path), interval_s=10)
    events.show(Mood(100.0, "happy"), 100.0)
    events.show(Mood(101.0, "happy"), 101.0)
    events.notice(NOTICE)
    events.show(Mood(102.6, "happy"), 102.6)
    events.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["hello", "mood", "notice", "mood", "bye"]
    assert lines[2] == {
        "event": "notice",
        "t": 2.5,
        "part": "camera",
        "kind": "restart",
        "text": "The camera hangs; it is started again.",
    }


def test_notice_before_the_first_mood_starts_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = Events(str(path))
    events.notice(NOTICE)
    events.show(Mood(104.0, "happy"), 104.0)
    events.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line.get("t") for line in lines] == [None, 0.0, 1.5, 1.5]


def test_every_member_of_a_notice_is_documented() -> None:
    page = (Path(__file__).parents[4] / "docs/events.md").read_text(encoding="utf-8")
    section = page.split("### notice")[1].split("###")[0]
    for word in ("t", "part", "kind", "text", *get_args(NoticeKind)):
        assert f"`{word}`" in section
