"""`mien try` as a whole: what it refuses, how it goes on, how it ends."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.config.schema import Settings
from edge.diagnostics.trying import session
from edge.diagnostics.trying.guide import Guide, NotWiredError, StoppedError
from edge.diagnostics.trying.session import held_by, run_session
from edge.errors import OutputError, SensorError
from edge.hardware.host import Host
from tests.fakes.command import Mien

Part = Callable[[Settings, Host, Guide], None]


def nobody(*command: str) -> str:
    return "inactive\n"


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Part]:
    """The parts, all well; nobody else holds anything."""
    found: dict[str, Part] = dict.fromkeys(session.PARTS, lambda settings, host, guide: None)
    monkeypatch.setattr(session, "PARTS", found)
    monkeypatch.setattr(session, "held_by", lambda: "")
    monkeypatch.setattr(session, "try_camera", lambda *given: found["camera"](*given[:3]))
    return found


def failing(error: Exception) -> Part:
    def part(settings: Settings, host: Host, guide: Guide) -> None:
        raise error

    return part


def test_all_goes_on_past_what_is_missing_or_broken(
    parts: dict[str, Part], capsys: pytest.CaptureFixture[str]
) -> None:
    parts["display"] = failing(OutputError("No OLED answers; check its wiring."))
    parts["lights"] = failing(NotWiredError("No lights are set up here."))
    assert run_session(Settings(), None, 0.1) == OutputError.exit_code
    said = capsys.readouterr().out
    for words in ("== display ==", "check its wiring", "No lights", "== camera =="):
        assert words in said


def test_one_that_was_named_fails_as_the_command(parts: dict[str, Part]) -> None:
    parts["camera"] = failing(SensorError("No camera found; plug one in."))
    with pytest.raises(SensorError):
        run_session(Settings(), "camera", 0.1)


def test_what_is_not_well_is_exit_code_1(parts: dict[str, Part]) -> None:
    parts["microphone"] = lambda settings, host, guide: guide.judge(False, "too quiet.")
    assert run_session(Settings(), "microphone", 0.1) == 1
    assert run_session(Settings(), "display", 0.1) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_in_order(
    parts: dict[str, Part], capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    closed: list[bool] = []

    def part(settings: Settings, host: Host, guide: Guide) -> None:
        try:
            os.kill(os.getpid(), number)
            guide.wait(longest_s=60.0)
        except StoppedError:
            closed.append(True)
            raise

    parts["display"] = part
    assert run_session(Settings(), None, 0.1) == 130
    assert closed == [True]
    assert "everything is off" in capsys.readouterr().out


def test_running_service_is_refused_with_the_command_that_stops_it(tmp_path: Path) -> None:
    told = held_by(lambda *command: "active\n", tmp_path)
    assert "sudo systemctl stop mien" in told
    assert held_by(nobody, tmp_path) == ""


@pytest.mark.parametrize(
    ("words", "opened", "held"),
    [
        (["/usr/bin/python3", "/opt/mien/venv/bin/mien", "run"], "/dev/i2c-1", True),
        (["python", "-m", "edge", "run", "--demo"], "/dev/video0", True),
        (["python", "-m", "edge", "run", "--demo"], "/dev/null", False),
        (["/opt/mien/venv/bin/python", "-m", "edge.splash"], "/dev/i2c-1", True),
        (["python", "-m", "edge", "doctor"], "/dev/i2c-1", False),
        (["nano", "mien.toml"], "/dev/i2c-1", False),
    ],
)
def test_another_mien_is_refused_only_if_it_holds_devices(
    tmp_path: Path, words: list[str], opened: str, held: bool
) -> None:
    process = tmp_path / "4711"
    (process / "fd").mkdir(parents=True)
    (process / "cmdline").write_bytes("\0".join([*words, ""]).encode())
    (process / "fd/3").symlink_to(opened)
    assert ("kill 4711" in held_by(nobody, tmp_path)) is held


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["teapot"], "choose one of display, lights, microphone, camera"),
        (["display", "--seconds", "0"], "--seconds has to be a number"),
        (["lights", "--picture", "a.png"], "--picture is for the camera"),
        (["camera", "--picture", "a.jpg"], "takes the name of a .png file"),
    ],
)
def test_wrong_arguments_are_one_sentence(mien: Mien, arguments: list[Any], words: str) -> None:
    done = mien("try", *arguments)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert words in done.err
