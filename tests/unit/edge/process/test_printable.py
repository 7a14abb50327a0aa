"""Names from outside, at every place where they are printed."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from edge.diagnostics.checks import Check
from edge.diagnostics.devices import CameraFound, Found, GpioChip, MicrophoneFound, print_devices
from edge.diagnostics.doctor import print_as_lines
from edge.messages import Mood, Notice, Sense
from edge.outputs.events import Events
from edge.outputs.terminal import Preview
from edge.process.printable import printable
from edge.process.systemd import Notifier
from tests.fakes.command import Mien
from tests.fakes.world import World

FORGED = "[/x] [usb-0:1] \x1b[2J\x9b31m\nmien: All is well.\r\u202e\u2028\x7f\udcff"
"""A name with markup, commands to the terminal, line ends, a mark that turns the writing round and a
byte that is no UTF-8."""
SHOWN = r"[/x] [usb-0:1] \x1b[2J\x9b31m\nmien: All is well.\r\u202e\u2028\x7f\xff"


@given(st.text(st.characters()))
def test_everything_is_one_line_that_prints_and_can_be_written(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    shown.encode("utf-8")
    assert shown == text or not text.isprintable()


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_devices_and_doctor_print_a_name_as_it_is() -> None:
    console = Console(file=io.StringIO(), width=400, highlight=False)
    print_devices(
        Found(
            FORGED,
            (CameraFound("/dev/video0", FORGED),),
            (MicrophoneFound(0, FORGED),),
            (),
            (GpioChip("/dev/gpiochip0", FORGED, 5),),
            (FORGED,),
        ),
        console,
    )
    print_as_lines([Check(FORGED, "warning", FORGED, FORGED)], console)
    assert printed(console).count(SHOWN) == 8
    assert all(sign.isprintable() or sign == "\n" for sign in printed(console))


@pytest.mark.parametrize("command", ["explain", "config check", "run --config"])
def test_an_error_of_the_command_line_is_one_line(
    command: str, mien: Mien, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.process.native_output.mute_native_code", lambda: None)
    said = mien(*command.split(), FORGED).err
    assert SHOWN in said
    assert said.endswith("\n")
    assert said[:-1].isprintable()


def test_settings_are_shown_with_the_place_that_they_came_from(mien: Mien, tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[2J\nb.toml"
    file.write_text("[camera]\nwidth_px = 320\n")
    assert r"a\x1b[2J\nb.toml, line 2" in mien("config", "show", "--config", file).out


def test_events_stay_json_and_texts_of_one_line(tmp_path: Path) -> None:
    events = Events(str(tmp_path / "events.jsonl"))
    events.notice(Notice(0.0, FORGED, "lost", FORGED))
    events.show(Mood(0.0, "fault", face=Sense("lost", trouble=FORGED), trouble=FORGED), 0.0)
    events.close()
    _, notice, mood, _ = map(json.loads, (tmp_path / "events.jsonl").read_text().splitlines())
    assert [notice["part"], notice["text"], mood["trouble"], mood["face"]["trouble"]] == [SHOWN] * 4


def test_systemd_and_the_preview_are_told_one_line() -> None:
    world = World()
    Notifier(world).status(f"Fault: {FORGED}")
    assert world.systemd[0].encode("latin-1").decode().isprintable()
    stream = io.StringIO()
    Preview(stream).show(Mood(0.0, "fault", trouble=FORGED), 0.0)
    assert SHOWN in stream.getvalue()
