import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from edge.config.schema import Settings
from edge.diagnostics.checks import Check
from edge.diagnostics.checks.access import check_access
from edge.diagnostics.checks.files import check_detectors, check_models
from edge.diagnostics.checks.machine import (
    check_disk,
    check_memory,
    check_temperature,
    check_throttling,
)
from edge.diagnostics.checks.outputs import check_display, check_lights
from edge.diagnostics.checks.sensors import check_camera, check_microphone, holder_of
from edge.diagnostics.checks.software import Package, check_libraries, check_packages, check_python
from edge.diagnostics.doctor import examine, guarded, print_as_lines
from edge.errors import SensorError
from edge.hardware.gpio_mock import MockGpio
from edge.hardware.i2c import I2cBus
from edge.hardware.thermal import Throttling
from edge.messages import Audio, Frame


def settings(**sections: dict[str, Any]) -> Settings:
    return Settings.model_validate(sections)


def only(checks: Iterator[Check]) -> Check:
    (check,) = checks
    return check


class Sensor:
    """A camera and a microphone in one, that delivers what it is told to."""

    name = "C920"
    overflows = 0

    def __init__(self, delivers: Any) -> None:
        self.delivers, self.closed = delivers, 0

    def read(self, timeout_s: float) -> Any:
        if isinstance(self.delivers, Exception):
            raise self.delivers
        return self.delivers

    def close(self) -> None:
        self.closed += 1


PICTURE = Frame(np.zeros((480, 640, 3), np.uint8), 0.0)
SOUND = Audio(np.full(512, 0.25, np.float32), 0.0)


def test_python_outside_the_range_is_a_problem() -> None:
    assert only(check_python((3, 10), 64)).state == "ok"
    assert only(check_python((3, 13), 64)).state == "ok"
    for version, bits in (((3, 9), 64), ((3, 14), 64), ((3, 11), 32)):
        check = only(check_python(version, bits))
        assert check.state == "problem"
        assert check.fix


def test_packages_are_really_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mien_good.py").write_text("__version__ = '1.2'\nprint('noise [1, 2]')\n")
    (tmp_path / "mien_unlinked.py").write_text(
        "raise ImportError('libEGL.so.1: cannot open shared object file')\n"
    )
    (tmp_path / "mien_crashing.py").write_text("import os\nos.kill(os.getpid(), 6)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    names = ("mien_unlinked", "mien_crashing", "mien_good", "mien_missing")
    packages = [Package(name, name, "no voice" if name == "mien_missing" else "") for name in names]
    found = {check.name: check for check in check_packages(packages)}
    assert list(found) == list(names)
    assert (found["mien_good"].state, found["mien_good"].says) == ("ok", "1.2")
    assert found["mien_unlinked"].fix == "sudo apt-get install libegl1"
    assert "crashes (signal 6)" in found["mien_crashing"].says
    assert found["mien_crashing"].state == "problem"
    assert found["mien_missing"].state == "warning"
    assert "no voice" in found["mien_missing"].says


def test_an_import_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mien_hanging.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check = only(check_packages([Package("mien_hanging", "mien_hanging")], limit_s=1))
    assert "does not end within 1 s" in check.says


def test_missing_libraries_are_told_with_their_packages() -> None:
    def load(library: str) -> object:
        if "GLES" in library or "portaudio" in library:
            raise OSError
        return None

    check = only(check_libraries(load))
    assert check.state == "problem"
    assert check.fix == "sudo apt-get install libgles2 libportaudio2"
    assert only(check_libraries(lambda library: None)).state == "ok"


def test_a_damaged_detector_is_a_problem_only_when_it_is_the_one_in_use(tmp_path: Path) -> None:
    (tmp_path / "face_detection_short_range.tflite").write_bytes(b"no")
    short, full = check_detectors(settings(), tmp_path)
    assert (short.state, full.state) == ("problem", "warning")
    assert "damaged" in short.says
    assert "is not in" in full.says
    assert "edge.fetch" in short.fix
    states = [c.state for c in check_detectors(settings(face={"range": "full"}), tmp_path)]
    assert states == ["warning", "problem"]
    assert not list(check_detectors(settings(camera={"enabled": False}), tmp_path))


def test_a_folder_without_manifest_is_a_problem(tmp_path: Path) -> None:
    check = only(check_models(settings(models={"folder": str(tmp_path)})))
    assert check.state == "problem"
    assert "manifest.json is not there" in check.says
    assert str(tmp_path) in check.fix


def test_camera_is_tried_with_one_picture() -> None:
    sensor = Sensor(PICTURE)
    check = only(check_camera(settings(), lambda: ["/dev/video4"], lambda wanted: sensor))
    assert check == Check("camera", "ok", "C920 delivers 640 x 480")
    assert sensor.closed == 1


def test_recording_light_is_on_exactly_while_a_sensor_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpio = MockGpio()
    gpio.setmode(gpio.BCM)
    monkeypatch.setattr("edge.hardware.host.open_gpio", lambda backend: gpio)
    lit: list[float | None] = []

    class Watched(Sensor):
        def read(self, timeout_s: float) -> Any:
            lit.append(gpio.level(26))
            return super().read(timeout_s)

        def close(self) -> None:
            lit.append(gpio.level(26))

    chosen = settings(leds={"backend": "mock", "recording_pin": 26})
    only(check_camera(chosen, lambda: ["/dev/video4"], lambda wanted: Watched(PICTURE)))
    only(check_microphone(chosen, lambda: [(0, "C920")], lambda wanted: Watched(SOUND)))
    assert lit == [1, 1, 1, 1]
    assert gpio.history[-1].state == 0


def test_no_camera_is_a_warning_and_a_named_one_a_problem() -> None:
    assert only(check_camera(settings(), lambda: [])).state == "warning"

    def missing(wanted: Settings) -> Sensor:
        assert wanted.camera.source == "/dev/video9"
        raise SensorError("There is no camera /dev/video9: plug a camera in.")

    check = only(check_camera(settings(camera={"source": "/dev/video9"}), lambda: [], missing))
    assert check == Check("camera", "problem", "There is no camera /dev/video9", "plug a camera in")
    assert only(check_camera(settings(camera={"enabled": False}))).state == "ok"


@pytest.mark.parametrize(("other", "words"), [(True, "goes by the "), (False, "the demo clip")])
def test_without_a_device_it_says_what_is_left(other: bool, words: str) -> None:
    for look in (check_camera, check_microphone):
        check = only(look(settings(), lambda: [], others=lambda: other))
        assert words in check.says
        assert check.state == "warning"
    alone = settings(camera={"enabled": False})
    assert "demo clip" in only(check_microphone(alone, lambda: [])).says


def test_a_busy_camera_is_told_with_who_has_it(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    (tmp_path / "proc/4711/fd").mkdir(parents=True)
    (tmp_path / "proc/4711/comm").write_text("cheese\n")
    (tmp_path / "proc/4711/fd/9").symlink_to(device)
    assert holder_of(str(device), tmp_path / "proc") == "cheese (process 4711)"
    assert holder_of("/dev/video99", tmp_path / "proc") == ""

    def busy(wanted: Settings) -> Sensor:
        raise SensorError("The camera is busy: another program uses it.")

    chosen = settings(camera={"source": str(device)})
    check = only(check_camera(chosen, lambda: [], busy, tmp_path / "proc"))
    assert check.fix == "stop cheese (process 4711), which has it"


@pytest.mark.parametrize("failure", [SensorError("It is gone: plug it in."), None])
def test_a_camera_that_fails_is_let_go(
    failure: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.diagnostics.checks.sensors.PICTURE_S", 0.01)
    sensor = Sensor(failure)
    check = only(check_camera(settings(), lambda: ["/dev/video0"], lambda wanted: sensor))
    assert check.state == "problem"
    assert check.fix
    assert sensor.closed == 1


def test_microphone_is_tried_with_a_moment_of_sound() -> None:
    sensor = Sensor(SOUND)
    check = only(check_microphone(settings(), lambda: [(0, "C920")], lambda wanted: sensor))
    assert check == Check("microphone", "ok", "C920 delivers (peak 0.250 of 1)")
    assert sensor.closed == 1
    assert only(check_microphone(settings(), lambda: [])).state == "warning"


I2C_BOARD = "Raspberry Pi 4 Model B Rev 1.5"


@pytest.mark.parametrize(
    ("bus", "state", "words"),
    [
        (I2cBus(1, answering=(0x3C,)), "ok", "answers"),
        (I2cBus(1, answering=(0x3D,)), "problem", "but at 0x3D"),
        (I2cBus(1, in_use=(0x3C,)), "problem", "kernel driver"),
        (I2cBus(1), "problem", "nothing answers"),
        (I2cBus(1, trouble="/dev/i2c-1 may not be opened; run: usermod."), "problem", "may not"),
    ],
)
def test_oled_is_asked_whether_it_answers(bus: I2cBus, state: str, words: str) -> None:
    place = {"i2c_port": 1, "i2c_address": 0x3C}
    wanted = settings(display={"kind": "oled", **place})
    check = only(check_display(wanted, I2C_BOARD, lambda port: bus))
    assert check.state == state
    assert words in check.says
    assert bool(check.fix) is (state != "ok")
    relaxed = only(check_display(settings(display=place), I2C_BOARD, lambda port: bus))
    assert relaxed.state == ("ok" if state == "ok" else "warning")


def test_oled_is_looked_for_on_every_bus_but_those_of_monitors(tmp_path: Path) -> None:
    for port, name in ((1, "bcm2835 (i2c@7e804000)"), (3, "MCP2221 usb-i2c bridge"),
                       (20, "fef04500.i2c")):  # fmt: skip
        (tmp_path / f"i2c-{port}").touch()
        (tmp_path / f"class/i2c-dev/i2c-{port}").mkdir(parents=True)
        (tmp_path / f"class/i2c-dev/i2c-{port}/name").write_text(name)
    buses = {1: I2cBus(1, answering=(0x48,)), 3: I2cBus(3, answering=(0x3D,))}
    check = only(check_display(settings(), I2C_BOARD, buses.__getitem__, tmp_path, str(tmp_path)))
    assert check.state == "ok"
    assert "0x3D on" in check.says and "i2c-3 answers" in check.says
    assert "not asked: I2C 20" in check.says


def test_a_desktop_needs_no_i2c(tmp_path: Path) -> None:
    assert only(check_display(settings(), "", dev=tmp_path)).state == "ok"
    assert only(check_display(settings(display={"kind": "terminal"}), "")).state == "ok"


def test_spi_that_is_switched_off_is_told(tmp_path: Path) -> None:
    wanted = settings(display={"kind": "oled", "interface": "spi"})
    assert "do_spi 0" in only(check_display(wanted, I2C_BOARD, dev=tmp_path)).fix
    (tmp_path / "spidev0.0").touch()
    there = only(check_display(wanted, I2C_BOARD, dev=tmp_path, has_spidev=lambda: True))
    assert there.state == "ok"
    bare = only(check_display(wanted, I2C_BOARD, dev=tmp_path, has_spidev=lambda: False))
    assert bare.fix.endswith("-m pip install spidev")


HERE, THERE = Path("/venv"), Path("/usr/lib")


@pytest.mark.parametrize(
    ("board", "kernel", "installed", "state", "words"),
    [
        ("Raspberry Pi 5 Model B", "6.6.1", {"rpi-lgpio": HERE}, "ok", "rpi-lgpio"),
        ("Raspberry Pi 5 Model B", "6.1.1", {"rpi.gpio": HERE}, "problem", "does not work"),
        ("Raspberry Pi 4 Model B", "6.12.1+rpt", {"rpi.gpio": HERE}, "problem", "does not work"),
        ("Raspberry Pi 4 Model B", "5.15.1", {"rpi.gpio": HERE}, "ok", "RPi.GPIO"),
        ("Raspberry Pi 4 Model B", "5.15.1", {}, "problem", "no GPIO library"),
        ("Raspberry Pi 5", "6.6.1", {"rpi-lgpio": HERE, "rpi.gpio": HERE}, "problem", "over each"),
        ("Raspberry Pi 5", "6.6.1", {"rpi-lgpio": HERE, "rpi.gpio": THERE}, "ok", "rpi-lgpio"),
        ("NVIDIA Jetson Orin Nano", "5.15.1", {"jetson.gpio": HERE}, "ok", "Jetson.GPIO"),
        ("NVIDIA Jetson Orin Nano", "5.15.1", {}, "problem", "Jetson.GPIO is not installed"),
        ("", "6.12.1", {}, "ok", "no GPIO in use"),
    ],
)
def test_gpio_library_matches_the_board(
    board: str, kernel: str, installed: dict[str, Path], state: str, words: str
) -> None:
    check = only(check_lights(settings(), board, lambda: installed, kernel))
    assert check.state == state
    assert words in check.says
    assert bool(check.fix) is (state != "ok")


def test_gpio_of_another_board_is_a_problem() -> None:
    check = only(check_lights(settings(leds={"backend": "rpi"}), "", dict))
    assert (check.state, check.fix) == ("problem", 'set [leds] backend to "auto"')


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    for name in ("video0", "video1", "i2c-1"):
        (tmp_path / name).touch()
    return tmp_path


def groups(node: Path) -> str:
    return "i2c" if "i2c" in node.name else "video"


def test_groups_that_are_missing_are_named_together(dev: Path) -> None:
    check = only(check_access(dev, lambda node: False, groups, ["audio"]))
    assert check.state == "warning"
    assert "usermod -aG video,i2c " in check.fix
    assert (
        "log out and in"
        in only(check_access(dev, lambda node: False, groups, ["video", "i2c"])).fix
    )
    assert only(check_access(dev, lambda node: True, groups, [])).state == "ok"


def test_little_memory_is_a_warning(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 437000 kB\nMemAvailable: 120000 kB\n")
    assert only(check_memory(meminfo)).state == "warning"
    meminfo.write_text("MemAvailable: 900000 kB\n")
    assert only(check_memory(meminfo)).says == "900 MB available"
    assert not list(check_memory(tmp_path / "none"))


@pytest.mark.parametrize(
    ("cpu", "state"), [("41000", "ok"), ("74900", "ok"), ("75000", "warning"), ("78500", "warning")]
)
def test_a_hot_board_is_a_warning_but_not_a_power_chip_that_always_says_100(
    tmp_path: Path, cpu: str, state: str
) -> None:
    assert not list(check_temperature(sys=tmp_path))
    zones = [("cpu-thermal", cpu), ("dead", "broken"), ("PMIC-Die", "100000")]
    for number, (kind, text) in enumerate(zones):
        zone = tmp_path / f"class/thermal/thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "type").write_text(kind)
        (zone / "temp").write_text(text)
    check = only(check_temperature(sys=tmp_path))
    assert (check.state, check.says) == (state, f"{int(cpu) / 1000:.0f} °C")
    assert only(check_temperature(hot_c=95, sys=tmp_path)).state == "ok"


@pytest.mark.parametrize(
    ("bits", "state", "words"),
    [
        (0x0, "ok", "no under-voltage"),
        (0x50005, "warning", "under voltage now; it is throttled now"),
        (0x80000, "warning", "temperature limit since the start"),
    ],
)
def test_a_weak_supply_is_told(bits: int, state: str, words: str) -> None:
    check = only(check_throttling(lambda: Throttling(bits)))
    assert check.state == state
    assert words in check.says
    assert ("supply" in check.fix) is (bits == 0x50005)
    assert not list(check_throttling(lambda: None))


def test_disk_is_measured(tmp_path: Path) -> None:
    free_mb = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize / 1e6
    said = only(check_disk(tmp_path)).says.replace(" ", "").removesuffix("MBfree")
    assert abs(int(said) - free_mb) < 0.05 * free_mb + 100


def test_a_check_that_falls_over_is_a_problem_of_its_own() -> None:
    def look() -> Iterator[Check]:
        yield Check("camera", "ok", "fine")
        raise ZeroDivisionError("oh")

    fine, fallen = guarded("camera", look)
    assert fine.state == "ok"
    assert fallen.state == "problem"
    assert "ZeroDivisionError: oh" in fallen.says


def test_wrong_settings_are_a_problem_and_the_rest_is_still_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "my.toml"
    config.write_text("[camera]\nsorce = 1\n")
    for name in ("check_packages", "check_camera", "check_microphone"):
        monkeypatch.setattr(
            f"edge.diagnostics.doctor.{name}", lambda *rest: iter([Check("x", "ok", "y")])
        )
    checks = list(examine(config))
    assert checks[0].state == "problem"
    assert checks[0].fix == 'did you mean "source"?'
    assert [check.name for check in checks].count("x") == 3


@pytest.mark.parametrize(
    ("states", "ending"),
    [
        (["ok"], "All is well."),
        (["ok", "warning"], "Mien can run; 1 warning."),
        (["problem", "warning", "problem"], "2 problems, 1 warning."),
    ],
)
def test_lines_end_with_the_count(states: list[Any], ending: str) -> None:
    screen = io.StringIO()
    checks = [Check("camera", state, "says [red]", "fix") for state in states]
    failed = print_as_lines(checks, Console(file=screen, width=80))
    assert screen.getvalue().splitlines()[-1] == ending
    assert "says [red]" in screen.getvalue()
    assert failed is ("problem" in states)
