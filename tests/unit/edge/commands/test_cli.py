import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge import __version__
from edge.config import paths
from edge.config.schema import Settings
from edge.diagnostics.checks import Check
from edge.errors import SensorError
from edge.outputs.display import DisplaySettings
from edge.outputs.events import EventSettings
from tests.fakes.command import Mien


class Appliance:
    """Stands in for the appliance and remembers how it was started."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.options: dict[str, Any] = {}
        self.ends_with: int | Exception = 0

    def run(self, settings: Settings, **options: Any) -> int:
        self.settings, self.options = settings, options
        if isinstance(self.ends_with, Exception):
            raise self.ends_with
        return self.ends_with


@pytest.fixture
def appliance(monkeypatch: pytest.MonkeyPatch) -> Appliance:
    stand_in = Appliance()
    module = ModuleType("edge.build.appliance")
    module.run_appliance = stand_in.run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "edge.build.appliance", module)
    return stand_in


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_is_shown_without_a_command(mien: Mien, arguments: list[str]) -> None:
    done = mien(*arguments)
    assert done.code == 0
    for command in ("run", "calibrate", "explain", "config", "devices", "doctor", "bench"):
        assert f"\n  {command} " in done.out


COMMANDS = ("run", "try", "devices", "doctor", "bench", "calibrate", "explain", "config")


@pytest.mark.parametrize("command", [*COMMANDS, "config show", "config check", "config default"])
def test_every_command_has_help_with_examples(mien: Mien, command: str) -> None:
    done = mien(*command.split(), "--help")
    assert done.code == 0
    assert f"Usage: mien {command}" in done.out
    assert f"  Examples:\n    mien {command.split()[0]}" in done.out


def test_prints_its_version(mien: Mien) -> None:
    assert mien("--version") == (0, f"mien {__version__}\n", "")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom edge.cli import main\nsys.argv = ['mien', 'run', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'cv2', 'mediapipe', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_run_passes_its_flags_on(mien: Mien, appliance: Appliance, tmp_path: Path) -> None:
    appliance.ends_with = 3
    clip = tmp_path / "a.mp4"
    flags = ("--repeat", "--seconds", "2.5", "--no-voice", "--display", "terminal", "--events", "-")
    assert mien("run", "--clip", clip, *flags).code == 3
    assert appliance.options == {"seconds": 2.5, "clip": clip, "repeat": True, "keep_trying": False}
    assert appliance.settings.microphone.enabled is False
    assert appliance.settings.camera.enabled is True
    assert appliance.settings.of(DisplaySettings).kind == "terminal"
    assert appliance.settings.of(EventSettings).to == "-"


def test_a_sense_that_is_named_is_switched_on(
    mien: Mien, appliance: Appliance, tmp_path: Path
) -> None:
    config = tmp_path / "my.toml"
    config.write_text("[camera]\nenabled = false\n[microphone]\nenabled = false\n")
    mien("run", "--config", config, "--camera", "2", "--microphone", "USB")
    assert (appliance.settings.camera.enabled, appliance.settings.camera.source) == (True, 2)
    assert appliance.settings.microphone.enabled is True
    assert appliance.settings.microphone.device == "USB"


def test_a_picture_file_may_be_named_as_the_display(mien: Mien, appliance: Appliance) -> None:
    assert mien("run", "--display", "out/face.gif").code == 0
    display = appliance.settings.of(DisplaySettings)
    assert (display.kind, display.file) == ("gif", "out/face.gif")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--no-face --no-voice", "leave nothing to do"),
        ("--clip a.mp4 --demo", "exclude each other"),
        ("--clip a.mp4 --camera 1", "stands in for both"),
        ("--demo --microphone 1", "stands in for both"),
        ("--camera 1 --no-face", "both chosen and switched off"),
        ("--seconds 0", "above 0"),
        ("--seconds nan", "above 0"),
        ("--display olde", '--display is "olde", but has to be one of auto, none, terminal, oled'),
        ("--display png", "--display png does not say where to; name the file: --display face.png"),
        ("--display .png", "such as face.png"),
        ("--display face.png/", "such as face.png"),
        ("--display face.jpg", "or a file whose name ends in .png or .gif"),
        (
            "--camera rtsp://me:pw@host/1",
            "--camera is an address (rtsp://), and Mien opens cameras of",
        ),
        ("--microphone tcp://host", "--microphone is an address (tcp://)"),
        ("--clip https://host/a.mp4", "https:// is an address, and Mien reads and writes files of"),
        ("--config https://host/a", "https:// is an address"),
        (
            "--events mqtt://host/t",
            "--events is an address (mqtt:), and Mien sends nothing to a net",
        ),
        ("--events tcp:host", "--events is an address (tcp:)"),
        ("--events UNIX:/run/a", 'or "unix:" in small letters'),
        ("--events unix:", '--events is "unix:" without the path'),
        ("--camera -1", "--camera is -1, but has to be"),
        ("--seconds soon", '--seconds is "soon", but has to be a number'),
        ("--seconds 1e12", "--seconds has to be a number above 0 and below a billion"),
        ("--config /nonexistent/my.toml", "There is no settings file"),
        ("--no-face --config no-voice.toml", "both switched off"),
    ],
)
def test_run_refuses_what_makes_no_sense(
    mien: Mien,
    appliance: Appliance,
    arguments: str,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("no-voice.toml").write_text("[microphone]\nenabled = false\n")
    done = mien("run", *arguments.split())
    assert done.code == 2
    assert sentence in done.err
    assert done.err.startswith("mien: ")
    assert done.err.count("\n") == 1
    assert not appliance.options


@pytest.mark.parametrize(
    ("place", "code", "sentence"),
    [
        ("", 2, "--events does not say where to"),
        (".", 5, "which is a folder: name a file in it"),
        ("absent/events.jsonl", 5, "There is no folder absent"),
        ("unix:absent/socket", 5, "There is no folder absent"),
        ("unix:taken.txt", 5, "a file of that name is there"),
        (f"unix:{'x' * 108}", 5, "more than 107 bytes"),
        ("x" * 300, 5, "file name too long): name another place"),
        ("taken.txt/events.jsonl", 5, "taken.txt is no folder"),
        ("soon/", 5, "which is a folder: name a file in it"),
        ("taken.txt/", 5, "which is a folder: name a file in it"),
    ],
)
def test_events_that_can_go_nowhere_end_the_run_before_it_begins(
    mien: Mien,
    appliance: Appliance,
    place: str,
    code: int,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken.txt").write_text("mine")
    done = mien("run", "--events", place)
    assert (done.code, sentence in done.err, done.err.count("\n")) == (code, True, 1), done.err
    assert not appliance.options
    assert [path.name for path in tmp_path.iterdir()] == ["taken.txt"]


def test_demo_takes_the_demo_clip_or_says_how_to_make_it(
    mien: Mien, appliance: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = tmp_path / "demo.mp4"
    monkeypatch.setattr(paths, "DEMO_CLIP", clip)
    done = mien("run", "--demo")
    assert (done.code, "./setup.sh run" in done.err) == (2, True)
    clip.touch()
    assert mien("run", "--demo").code == 0
    assert appliance.options["clip"] == clip


def test_a_failure_is_one_sentence_with_its_exit_code(mien: Mien, appliance: Appliance) -> None:
    appliance.ends_with = SensorError("The camera is busy: close the other program.")
    assert mien("run") == (3, "", "mien: The camera is busy: close the other program.\n")


def test_a_library_that_finds_no_memory_is_not_told_to_be_missing(
    mien: Mien, appliance: Appliance
) -> None:
    appliance.ends_with = SensorError("Playing a clip needs PyAV: install it.")
    appliance.ends_with.__cause__ = ImportError("av.so: failed to map segment from shared object")
    done = mien("run")
    assert done.code == 6
    assert done.err.startswith("mien: There is too little memory")
    assert "install" not in done.err


def test_an_accident_is_one_sentence_unless_asked_for_more(
    mien: Mien, appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    appliance.ends_with = ZeroDivisionError("oh")
    done = mien("run")
    assert done.code == 70
    assert "ZeroDivisionError: oh" in done.err
    assert "MIEN_DEBUG=1" in done.err
    assert "Traceback" not in done.err
    monkeypatch.setenv("MIEN_DEBUG", "1")
    done = mien("run")
    assert (done.code, "Traceback" in done.err) == (70, True)


def test_bench_passes_its_flags_on(
    mien: Mien, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[tuple[Any, ...]] = []

    def run_bench(*arguments: Any) -> int:
        calls.append(arguments)
        return 0

    module = ModuleType("edge.diagnostics.bench")
    module.run_bench = run_bench  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "edge.diagnostics.bench", module)
    clip = tmp_path / "a.mp4"
    assert mien("bench", "--clip", clip, "--seconds", "5", "--json").code == 0
    assert calls == [(Settings(), clip, 5.0, True)]


def test_config_default_can_be_checked_and_shown(mien: Mien, tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(mien("config", "default").out)
    checked = mien("config", "check", file)
    assert (checked.code, str(file) in checked.out) == (0, True)
    shown = mien("config", "show", "--config", file)
    assert shown.code == 0
    assert 'i2c_address = "auto"' in shown.out
    assert "my.toml, line " in shown.out


def test_config_check_prints_every_mistake(mien: Mien, tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[camera]\nsorce = 1\nrate_hz = 500\n")
    done = mien("config", "check", file)
    assert (done.code, done.err.count("\n")) == (2, 2)


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("warning", 0), ("problem", 1)])
def test_doctor_fails_only_on_a_problem(
    mien: Mien, monkeypatch: pytest.MonkeyPatch, state: Any, code: int
) -> None:
    monkeypatch.setattr(
        "edge.diagnostics.doctor.examine", lambda config: [Check("camera", state, "x", "y")]
    )
    done = mien("doctor", "--json")
    assert done.code == code
    told = json.loads(done.out)
    assert told["healthy"] is (code == 0)
    assert told["checks"] == [{"name": "camera", "state": state, "says": "x", "fix": "y"}]
    done = mien("doctor")
    assert (done.code, "fix: y" in done.out) == (code, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_behind_the_output_is_one_sentence() -> None:
    command = [sys.executable, "-m", "edge", "config", "default"]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            command, cwd=paths.REPO_ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert ended.returncode == 5
    assert "make room" in ended.stderr
    assert "Traceback" not in ended.stderr
