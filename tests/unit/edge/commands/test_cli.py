import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge import __version__, cli
from edge.config import paths
from edge.config.schema import Settings
from edge.diagnostics.checks import Check
from edge.errors import SensorError
from edge.outputs.display import DisplaySettings
from edge.outputs.events import EventSettings


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("MIEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(paths, "SYSTEM_CONFIG", tmp_path / "none.toml")


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


def mien(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mien", *arguments])
    with pytest.raises(SystemExit) as ending:
        cli.main()
    return int(ending.value.code or 0)


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_is_shown_without_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert mien(monkeypatch, *arguments) == 0
    shown = capsys.readouterr().out
    for command in ("run", "calibrate", "explain", "config", "devices", "doctor", "bench"):
        assert f"\n  {command} " in shown


@pytest.mark.parametrize(
    "command",
    [
        ["run"],
        ["devices"],
        ["doctor"],
        ["bench"],
        ["calibrate"],
        ["explain"],
        ["config"],
        ["config", "show"],
        ["config", "check"],
        ["config", "default"],
    ],
)
def test_every_command_has_help_with_examples(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert mien(monkeypatch, *command, "--help") == 0
    shown = capsys.readouterr().out
    assert f"Usage: mien {' '.join(command)}" in shown
    assert f"  Examples:\n    mien {command[0]}" in shown


def test_prints_its_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mien(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"mien {__version__}\n"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom edge.cli import main\nsys.argv = ['mien', 'run', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'cv2', 'mediapipe', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_run_passes_its_flags_on(
    monkeypatch: pytest.MonkeyPatch, appliance: Appliance, tmp_path: Path
) -> None:
    appliance.ends_with = 3
    clip = tmp_path / "a.mp4"
    code = mien(
        monkeypatch, "run", "--clip", str(clip), "--repeat", "--seconds", "2.5",
        "--no-voice", "--display", "terminal", "--events", "-",
    )  # fmt: skip
    assert code == 3
    assert appliance.options == {"seconds": 2.5, "clip": clip, "repeat": True, "keep_trying": False}
    assert appliance.settings.microphone.enabled is False
    assert appliance.settings.camera.enabled is True
    assert appliance.settings.of(DisplaySettings).kind == "terminal"
    assert appliance.settings.of(EventSettings).to == "-"


def test_a_sense_that_is_named_is_switched_on(
    monkeypatch: pytest.MonkeyPatch, appliance: Appliance, tmp_path: Path
) -> None:
    config = tmp_path / "my.toml"
    config.write_text("[camera]\nenabled = false\n[microphone]\nenabled = false\n")
    mien(monkeypatch, "run", "--config", str(config), "--camera", "2", "--microphone", "USB")
    assert (appliance.settings.camera.enabled, appliance.settings.camera.source) == (True, 2)
    assert appliance.settings.microphone.enabled is True
    assert appliance.settings.microphone.device == "USB"


def test_a_picture_file_may_be_named_as_the_display(
    monkeypatch: pytest.MonkeyPatch, appliance: Appliance
) -> None:
    assert mien(monkeypatch, "run", "--display", "out/face.gif") == 0
    assert appliance.settings.of(DisplaySettings).kind == "gif"
    assert appliance.settings.of(DisplaySettings).file == "out/face.gif"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--no-face", "--no-voice"], "leave nothing to do"),
        (["--clip", "a.mp4", "--demo"], "exclude each other"),
        (["--clip", "a.mp4", "--camera", "1"], "stands in for both"),
        (["--demo", "--microphone", "1"], "stands in for both"),
        (["--camera", "1", "--no-face"], "both chosen and switched off"),
        (["--seconds", "0"], "above 0"),
        (["--seconds", "nan"], "above 0"),
        (["--display", "olde"], '--display: [display] kind is "olde"'),
        (["--config", "/nonexistent/my.toml"], "There is no settings file"),
    ],
)
def test_run_refuses_flags_that_make_no_sense(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    appliance: Appliance,
    arguments: list[str],
    sentence: str,
) -> None:
    assert mien(monkeypatch, "run", *arguments) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.startswith("mien: ")
    assert told.err.count("\n") == 1
    assert not appliance.options


def test_run_refuses_when_the_settings_leave_no_sense(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    appliance: Appliance,
    tmp_path: Path,
) -> None:
    config = tmp_path / "my.toml"
    config.write_text("[microphone]\nenabled = false\n")
    assert mien(monkeypatch, "run", "--no-face", "--config", str(config)) == 2
    assert "both switched off" in capsys.readouterr().err


def test_demo_takes_the_demo_clip_or_says_how_to_make_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    appliance: Appliance,
    tmp_path: Path,
) -> None:
    clip = tmp_path / "demo.mp4"
    monkeypatch.setattr(paths, "DEMO_CLIP", clip)
    assert mien(monkeypatch, "run", "--demo") == 2
    assert "./setup.sh run" in capsys.readouterr().err
    clip.touch()
    assert mien(monkeypatch, "run", "--demo") == 0
    assert appliance.options["clip"] == clip


def test_a_failure_is_one_sentence_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], appliance: Appliance
) -> None:
    appliance.ends_with = SensorError("The camera is busy: close the other program.")
    assert mien(monkeypatch, "run") == 3
    assert capsys.readouterr().err == "mien: The camera is busy: close the other program.\n"


def test_a_library_that_finds_no_memory_is_not_told_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], appliance: Appliance
) -> None:
    appliance.ends_with = SensorError("Playing a clip needs PyAV: install it.")
    appliance.ends_with.__cause__ = ImportError("av.so: failed to map segment from shared object")
    assert mien(monkeypatch, "run") == 6
    told = capsys.readouterr().err
    assert told.startswith("mien: There is too little memory")
    assert "install" not in told


def test_an_accident_is_one_sentence_unless_asked_for_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], appliance: Appliance
) -> None:
    appliance.ends_with = ZeroDivisionError("oh")
    assert mien(monkeypatch, "run") == 70
    told = capsys.readouterr().err
    assert "ZeroDivisionError: oh" in told
    assert "MIEN_DEBUG=1" in told
    assert "Traceback" not in told
    monkeypatch.setenv("MIEN_DEBUG", "1")
    assert mien(monkeypatch, "run") == 70
    assert "Traceback" in capsys.readouterr().err


def test_bench_passes_its_flags_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[Any, ...]] = []

    def run_bench(*arguments: Any) -> int:
        calls.append(arguments)
        return 0

    module = ModuleType("edge.diagnostics.bench")
    module.run_bench = run_bench  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "edge.diagnostics.bench", module)
    clip = tmp_path / "a.mp4"
    assert mien(monkeypatch, "bench", "--clip", str(clip), "--seconds", "5", "--json") == 0
    assert calls == [(Settings(), clip, 5.0, True)]


def test_config_default_can_be_checked_and_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert mien(monkeypatch, "config", "default") == 0
    file = tmp_path / "my.toml"
    file.write_text(capsys.readouterr().out)
    assert mien(monkeypatch, "config", "check", str(file)) == 0
    assert str(file) in capsys.readouterr().out
    assert mien(monkeypatch, "config", "show", "--config", str(file)) == 0
    shown = capsys.readouterr().out
    assert "i2c_address = 0x3C" in shown
    assert "my.toml, line " in shown


def test_config_check_prints_every_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[camera]\nsorce = 1\nrate_hz = 500\n")
    assert mien(monkeypatch, "config", "check", str(file)) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("warning", 0), ("problem", 1)])
def test_doctor_fails_only_on_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Any, code: int
) -> None:
    monkeypatch.setattr(
        "edge.diagnostics.doctor.examine", lambda config: [Check("camera", state, "x", "y")]
    )
    assert mien(monkeypatch, "doctor", "--json") == code
    told = json.loads(capsys.readouterr().out)
    assert told["healthy"] is (code == 0)
    assert told["checks"] == [{"name": "camera", "state": state, "says": "x", "fix": "y"}]
    assert mien(monkeypatch, "doctor") == code
    assert "fix: y" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_behind_the_output_is_one_sentence() -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "edge", "config", "default"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            cwd=paths.REPO_ROOT,
            check=False,
        )
    assert ended.returncode == 5
    assert "make room" in ended.stderr
    assert "Traceback" not in ended.stderr
