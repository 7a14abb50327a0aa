import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest

from edge.config.paths import REPO_ROOT, SYSTEM_CONFIG
from edge.face.draw import draw
from edge.outputs.display import DisplaySettings
from edge.splash import boot
from edge.splash.boot import Panel, display_settings, pictures, quick_panel, setup, show
from edge.splash.render import SIZES, pages, poses
from tests.acceptance.devices.ssd1306 import Ssd1306
from tests.fakes.oled_chip import Chip


@pytest.mark.parametrize("size", SIZES)
def test_pictures_are_those_that_the_face_is_drawn_with(size: tuple[int, int]) -> None:
    panel = Panel(width=size[0], height=size[1])
    expected = tuple(pages(pose, size) for pose in poses())
    assert pictures(panel) == expected, (
        "write them anew: python -m edge.splash.render > edge/splash/pictures.py"
    )


@pytest.mark.parametrize(
    "panel",
    [
        Panel(),
        Panel(height=32),
        Panel(driver="sh1106"),
        Panel(upside_down=True),
        Panel(driver="sh1106", upside_down=True),
    ],
)
def test_face_is_upright_on_every_panel(panel: Panel) -> None:
    chip = Chip(panel.driver == "sh1106")
    chip.write(b"\0" + setup(panel))
    assert not chip.on
    show(panel, pictures(panel)[0], chip.write)
    face = np.asarray(draw(poses()[0], (panel.width, panel.height), "1"), bool)
    expected = face[::-1, ::-1] if panel.upside_down else face
    assert np.array_equal(chip.pixels(panel.height, 2 if panel.driver == "sh1106" else 0), expected)


@pytest.mark.parametrize("height", [32, 64])
def test_chip_is_set_up_as_luma_does(height: int) -> None:
    from luma.oled.device import ssd1306

    bus = MagicMock()
    ssd1306(bus, width=128, height=height)
    ours, theirs = Chip(), Chip()
    ours.write(b"\0" + setup(Panel(height=height)))
    for call in bus.command.call_args_list:
        theirs.write(bytes([0, *call.args]))
    contrast = 0x81
    for command, values in ours.registers.items():
        if command not in (contrast, 0xAE):
            assert theirs.registers[command] == values, hex(command)


def test_defaults_are_those_of_the_settings() -> None:
    display = DisplaySettings()
    assert quick_panel({}) == Panel()
    assert Panel() == Panel(
        display.i2c_port,
        display.i2c_address,
        display.driver,
        128,
        64,
        display.rotate == 2,
        display.contrast,
    )
    assert str(SYSTEM_CONFIG) == boot.SYSTEM_CONFIG


@pytest.mark.parametrize(
    ("table", "panel"),
    [
        ({"i2c_port": 3, "i2c_address": 0x3D}, Panel(3, 0x3D)),
        ({"driver": "sh1106", "rotate": 2}, Panel(driver="sh1106", upside_down=True)),
        ({"height_px": 32, "contrast": 5}, Panel(height=32, contrast=5)),
        ({"interface": "spi"}, None),
        ({"driver": "ssd1351"}, None),
        ({"rotate": 1}, None),
        ({"driver": "sh1106", "height_px": 32}, None),
        ({"i2c_port": "1"}, None),
        ({"i2c_address": 0x78}, None),
        ({"contrast": True}, None),
    ],
)
def test_drives_the_usual_panels_and_leaves_the_rest_to_luma(
    table: dict[str, Any], panel: Panel | None
) -> None:
    assert quick_panel(table) == panel


def test_reads_the_display_from_file_and_environment(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[camera]\nsource = 1\n[display]\ndriver = "sh1106"\ni2c_port = 3\n')
    environ = {"MIEN_DISPLAY__I2C_PORT": "0x0B", "HOME": "/", "MIEN_DISPLAY__KIND": "oled"}
    assert display_settings(str(config), environ) == {
        "driver": "sh1106",
        "i2c_port": 11,
        "kind": "oled",
    }
    assert display_settings(str(tmp_path / "none.toml"), {}) == {}
    config.write_text("[display\n")
    with pytest.raises(ValueError, match="at line 1"):
        display_settings(str(config), {})


def run(script: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT), **environment},
    )


RECORDING = """
import sys
from edge.splash import boot
def open_panel(panel):
    def write(data):
        print(data[:3].hex(), flush=True)
    return panel, write
boot.open_panel = open_panel
boot.main("/nonexistent")
print(sorted(set(sys.modules) & {"numpy", "PIL", "pydantic", "luma", "typer", "pathlib"}))
"""


def test_draws_before_anything_heavy_is_imported_and_leaves_the_picture_when_asked_to_end() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = run(RECORDING)
    assert process.stdout is not None
    try:
        lines = []
        while "00af" not in lines:
            lines.append(process.stdout.readline().strip())
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process.returncode == 0
    assert err == ""
    assert "00ae" not in out, "the panel has to stay lit"
    heavy = out.splitlines()[-1]
    assert heavy in ("[]", "['pathlib']"), heavy
    # Time on the processor, which a busy machine does not stretch as it does the time on the wall.
    assert used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime < 0.25


def test_without_a_bus_it_ends_soon_with_one_sentence() -> None:
    process = run("import sys; from edge.splash import boot; boot.BUS_WAIT_S = 0.2; "
                  "sys.exit(boot.main('/nonexistent'))",
                  MIEN_DISPLAY__I2C_PORT="213")  # fmt: skip
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert err == (
        "mien: No face while starting: there is no I2C bus 213; the settings of the system "
        "switch it on.\n"
    )


@pytest.fixture
def splash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs it until it ends well, and gives what it says."""
    monkeypatch.setattr(signal, "pthread_sigmask", lambda how, numbers: None)

    def ended(config: Path | str = "/nonexistent") -> str:
        assert boot.main(str(config)) == 0
        return capsys.readouterr().err

    return ended


def test_waits_for_a_bus_that_comes_up_after_another_and_for_its_group(
    monkeypatch: pytest.MonkeyPatch, splash: Callable[..., str]
) -> None:
    answers: list[OSError] = [FileNotFoundError(2, ""), PermissionError(13, "")]
    written: list[bytes] = []

    def open_panel(panel: Panel) -> tuple[Panel, Callable[[bytes], object]]:
        if answers:
            raise answers.pop(0)
        return panel, written.append

    asked = iter([False, False, True])
    monkeypatch.setattr(boot, "open_panel", open_panel)
    monkeypatch.setattr(boot, "_asked_to_end", lambda wait_s: next(asked))
    assert splash() == ""
    assert b"\x00\xaf" in written


def test_asked_to_end_while_it_waits_for_the_bus_it_ends_without_a_word(
    monkeypatch: pytest.MonkeyPatch, splash: Callable[..., str]
) -> None:
    def open_panel(panel: Panel) -> tuple[Panel, Callable[[bytes], object]]:
        raise FileNotFoundError(2, "")

    monkeypatch.setattr(boot, "open_panel", open_panel)
    monkeypatch.setattr(boot, "_asked_to_end", lambda wait_s: True)
    assert splash() == ""


def test_display_that_does_not_answer_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, splash: Callable[..., str]
) -> None:
    def write(data: bytes) -> None:
        raise OSError(121, "Remote I/O error")

    monkeypatch.setattr(boot, "open_panel", lambda panel: (panel, write))
    err = splash()
    assert err.startswith(
        "mien: No face while starting: no display can be used at address 0x3c or 0x3d of any I2C bus"
    )
    assert err.count("\n") == 1


def test_no_display_wanted_is_no_splash(
    monkeypatch: pytest.MonkeyPatch, splash: Callable[..., str]
) -> None:
    monkeypatch.setenv("MIEN_DISPLAY__KIND", "none")
    assert splash() == ""


def test_wrong_settings_are_told_in_one_sentence(
    splash: Callable[..., str], tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[display]\ndriver = "sdd1306"\n')
    err = splash(config)
    assert "sdd1306" in err
    assert err.count("\n") == 1


def test_other_displays_are_drawn_on_through_luma(
    monkeypatch: pytest.MonkeyPatch, splash: Callable[..., str]
) -> None:
    shown = []

    class Oled:
        def show(self, mood: Any, t_s: float) -> None:
            shown.append(mood.shown)

    monkeypatch.setattr("edge.outputs.display.open_oled", lambda settings, host: Oled())
    monkeypatch.setattr(boot, "_asked_to_end", lambda wait_s: True)
    monkeypatch.setenv("MIEN_DISPLAY__DRIVER", "ssd1351")
    monkeypatch.setenv("MIEN_DISPLAY__INTERFACE", "spi")
    splash()
    assert shown == ["starting"]


class Buses:
    """The I2C buses as the kernel gives them: by number, the status of each chip by address."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, chips: dict[int, dict[int, int]]) -> None:
        self._chips = chips
        self._at: dict[int, int] = {}
        monkeypatch.setattr(boot, "bus_numbers", lambda: sorted(chips))
        monkeypatch.setattr(boot, "whose", lambda port: "a monitor's" if port == 20 else "")
        monkeypatch.setattr(os, "open", lambda path, flags: int(path.rpartition("-")[2]))
        monkeypatch.setattr(os, "close", lambda number: None)
        monkeypatch.setattr("fcntl.ioctl", self._choose)
        monkeypatch.setattr(os, "read", self._read)

    def _choose(self, number: int, request: int, address: int) -> None:
        self._at[number] = address

    def _read(self, number: int, count: int) -> bytes:
        if self._at[number] not in self._chips[number]:
            raise OSError(121, "Remote I/O error")
        return bytes([self._chips[number][self._at[number]]])


@pytest.mark.parametrize(
    ("chips", "wanted", "found"),
    [
        ({1: {0x3C: 0x46}}, Panel(), (1, 0x3C, "ssd1306")),
        ({1: {}, 3: {0x3D: 0x08}, 20: {0x3C: 0x06}}, Panel(), (3, 0x3D, "sh1106")),
        ({1: {0x3C: 0x08}}, Panel(driver="ssd1309"), (1, 0x3C, "ssd1309")),
        ({1: {0x3C: 0x08}}, Panel(1, 0x3C, height=32), (1, 0x3C, "ssd1306")),
        ({1: {}}, Panel(1, 0x3C), (1, 0x3C, "ssd1306")),  # it cannot be read, and may be there
    ],
)
def test_finds_the_display_and_tells_its_chip_as_the_appliance_does(
    monkeypatch: pytest.MonkeyPatch,
    chips: dict[int, dict[int, int]],
    wanted: Panel,
    found: tuple[int, int, str],
) -> None:
    Buses(monkeypatch, chips)
    panel, _ = boot.open_panel(wanted)
    assert panel[:3] == found


def test_without_an_answer_on_any_bus_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    Buses(monkeypatch, {1: {}, 20: {0x3C: 0x06}})
    with pytest.raises(OSError, match="Remote"):
        boot.open_panel(Panel())


def test_one_of_twenty_transfers_refused_leaves_the_same_picture(
    monkeypatch: pytest.MonkeyPatch, splash: Callable[..., str]
) -> None:
    chip, refused = Ssd1306(), random.Random(3)
    count = 0

    def write(data: bytes) -> None:
        nonlocal count
        if refused.random() < 0.05:
            count += 1
            chip.write(data[: refused.randrange(2, len(data) + 1)])
            raise OSError(121, "Remote I/O error")
        chip.write(data)

    panel = Panel(1, 0x3C, "ssd1306")
    blinks = iter([False] * 60 + [True] * 2)
    monkeypatch.setattr(boot, "open_panel", lambda wanted: (panel, write))
    monkeypatch.setattr(boot, "_asked_to_end", lambda wait_s: next(blinks))
    assert splash() == ""
    assert count > 3
    assert (chip.picture(), chip.contrast) == (pictures(panel)[0], 200)


def test_offsets_are_those_of_the_settings() -> None:
    panel = quick_panel({"driver": "sh1106", "column_offset": 4, "row_offset": 8})
    assert panel is not None
    chip = Chip(sh1106=True)
    chip.write(b"\0" + setup(panel))
    show(panel, pictures(panel)[0], chip.write)
    assert chip.registers[0xD3] == (8,)
    drawn = np.asarray(draw(poses()[0], (128, 64), "1"), bool)
    assert np.array_equal(chip.pixels(64, 4), drawn)
    assert quick_panel({"driver": "ssd1306", "column_offset": 4}) is None
