"""The display as a whole: what it draws when, how it ends, and what it says when it fails."""

import errno
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge.errors import OutputError
from edge.face.draw import draw
from edge.hardware.gpio_mock import MockGpio
from edge.messages import Mood
from edge.outputs.oled import Oled
from edge.outputs.oled_packing import pack_pages

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # luma reads with getdata()

HAPPY = Mood(0.0, "happy", np.array([0, 0, 0, 1.0, 0, 0, 0]))
NOBODY = Mood(0.0, "nobody")


class Recorder:
    def __init__(self) -> None:
        self.commands: list[tuple[int, ...]] = []
        self.blocks: list[list[int]] = []
        self.cleaned = 0
        self.error: Exception | None = None

    def command(self, *command: int) -> None:
        if self.error is not None:
            raise self.error
        self.commands.append(command)

    def data(self, data: list[int]) -> None:
        if self.error is not None:
            raise self.error
        self.blocks.append(list(data))

    def cleanup(self) -> None:
        self.cleaned += 1


class Bus:
    """An smbus in which one address answers, or none."""

    def __init__(self, error: OSError | None = None) -> None:
        self.error = error

    def write_i2c_block_data(self, address: int, mode: int, data: list[int]) -> None:
        if self.error is not None:
            raise self.error


def test_shows_the_face_and_sends_it_once() -> None:
    serial = Recorder()
    display = Oled(serial=serial)
    display.show(HAPPY, 0.0)
    first = len(serial.blocks)
    assert first >= 2  # luma's own clearing, then the face
    assert any(any(block) for block in serial.blocks)
    display.show(HAPPY, 0.0)
    assert len(serial.blocks) == first


def test_a_still_face_does_not_reach_the_chip_s_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Image.Image] = []
    sender = types.SimpleNamespace(send=shown.append)
    monkeypatch.setattr("edge.outputs.oled.Sender", lambda *given: sender)
    display = Oled(device="ssd1327", serial=Recorder())
    for _ in range(3):
        display.show(HAPPY, 0.0)
    assert len(shown) == 1
    display.show(HAPPY, 0.5)
    assert len(shown) == 2


def test_the_chip_holds_the_drawn_pixels() -> None:
    serial = Recorder()
    display = Oled(serial=serial, seed=5)
    display.show(HAPPY, 10.0)
    from edge.face.animation import Animator

    expected = draw(Animator(5).pose(HAPPY, 10.0))
    assert serial.blocks[-1] == pack_pages(expected).ravel().tolist()


def test_sends_little_for_a_small_movement() -> None:
    serial = Recorder()
    display = Oled(serial=serial)
    t_s = 0.0
    for _ in range(36):
        display.show(NOBODY, t_s)
        t_s += 1 / 12
    serial.blocks.clear()
    for _ in range(36):
        display.show(NOBODY, t_s)
        t_s += 1 / 12
    per_picture = sum(len(block) for block in serial.blocks) / 36
    assert 0 < per_picture < 256  # of 1024


def test_close_clears_and_switches_off_and_may_come_twice() -> None:
    serial = Recorder()
    display = Oled(serial=serial)
    display.show(HAPPY, 0.0)
    display.close()
    display.close()
    assert (0xAE,) in serial.commands[-3:]  # display off
    assert not any(serial.blocks[-1])
    assert len(serial.blocks[-1]) == 1024
    assert serial.cleaned == 1


def test_close_of_an_unplugged_display_is_silent() -> None:
    serial = Recorder()
    display = Oled(serial=serial)
    serial.error = OSError(errno.EREMOTEIO, "Remote I/O error")
    display.close()


def test_color_displays_get_the_color() -> None:
    serial = Recorder()
    display = Oled(device="ssd1351", interface="spi", serial=serial)
    assert display.size == (128, 128)
    for frame in range(30):
        display.show(HAPPY, frame / 12)
    pixels = np.array(next(b for b in serial.blocks[::-1] if any(b))).reshape(-1, 2)
    red, blue = pixels[:, 0] >> 3, pixels[:, 1] & 0x1F
    lit = red > 15
    assert (red[lit] > blue[lit]).mean() > 0.6


def test_rotated_and_small_panels_are_drawn_in_their_own_size() -> None:
    assert Oled(serial=Recorder(), device="sh1107", rotate=1).size == (128, 64)
    assert Oled(serial=Recorder(), height_px=32).size == (128, 32)


@pytest.mark.parametrize("chip", ["ssd1325", "ssd1327"])
def test_grey_displays_are_lit_fully(chip: str) -> None:
    serial = Recorder()
    display = Oled(device=chip, serial=serial)
    display.show(HAPPY, 0.0)
    assert max(max(block) for block in serial.blocks) == 255


def test_contrast_is_set() -> None:
    serial = Recorder()
    Oled(serial=serial, contrast=17)
    assert serial.commands[-1] == (0x81, 17)


def test_spi_uses_the_pins_and_releases_only_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class SpiDev:
        def open(self, port: int, device: int) -> None:
            self.where = (port, device)

        def writebytes(self, data: list[int]) -> None:
            return None

        def close(self) -> None:
            return None

    monkeypatch.setitem(sys.modules, "spidev", types.SimpleNamespace(SpiDev=SpiDev))
    gpio = MockGpio()
    gpio.setmode(gpio.BCM)
    gpio.setup(17, gpio.OUT)
    display = Oled(device="ssd1351", interface="spi", gpio=gpio, gpio_dc=24, gpio_rst=25)
    display.show(HAPPY, 0.0)
    assert {change.channel for change in gpio.history} >= {24, 25}
    display.close()
    assert gpio.level(24) is None and gpio.level(25) is None and gpio.level(17) == 0.0


def message(**arguments: Any) -> str:
    with pytest.raises(OutputError) as caught:
        Oled(**arguments)
    text = str(caught.value)
    assert text.endswith((".", "?")) and "\n" not in text
    return text


def test_says_how_to_enable_a_missing_bus() -> None:
    text = message(port=97)
    assert "bus 97" in text and "raspi-config nonint do_i2c 0" in text


def test_says_which_group_to_join(monkeypatch: pytest.MonkeyPatch) -> None:
    import smbus2

    def refuse(port: int) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", f"/dev/i2c-{port}")

    monkeypatch.setattr(smbus2, "SMBus", refuse)
    assert "usermod -aG i2c $USER" in message()


@pytest.mark.parametrize("code", [errno.EREMOTEIO, errno.ENXIO, errno.EIO])
def test_says_how_to_find_the_address(code: int) -> None:
    from luma.core.interface.serial import i2c

    serial = i2c(bus=Bus(OSError(code, "nothing there")), address=0x3D)
    text = message(serial=serial, address=0x3D)
    assert "0x3d" in text and "i2cdetect -y 1" in text


def test_a_display_that_goes_while_running_is_named() -> None:
    from luma.core.interface.serial import i2c

    bus = Bus()
    display = Oled(serial=i2c(bus=bus))
    display.show(HAPPY, 0.0)
    bus.error = OSError(errno.EREMOTEIO, "Remote I/O error")
    with pytest.raises(OutputError, match="check its wiring"):
        display.show(HAPPY, 0.5)


def test_a_timeout_on_the_bus_is_told() -> None:
    serial = Recorder()
    serial.error = OSError(errno.ETIMEDOUT, "Connection timed out")
    assert "Connection timed out" in message(serial=serial)


def test_names_the_display_that_was_meant() -> None:
    assert "Did you mean ssd1306?" in message(device="sd1306")
    assert "ssd1351" in message(device="quux")


def test_color_chips_do_not_go_on_i2c() -> None:
    assert "spi" in message(device="ssd1351")


def test_a_size_that_the_chip_does_not_have() -> None:
    assert "width and height" in message(serial=Recorder(), width_px=100, height_px=64)


def test_wrong_settings_are_refused() -> None:
    assert "rotation" in message(serial=Recorder(), rotate=7)
    assert "contrast" in message(serial=Recorder(), contrast=300)


def test_missing_spi_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi", None)
    monkeypatch.setitem(sys.modules, "RPi.GPIO", None)
    assert "-m pip install rpi-lgpio`." in message(device="ssd1351", interface="spi")


def test_missing_emulator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "luma.emulator", None)
    monkeypatch.setitem(sys.modules, "luma.emulator.device", None)
    assert "pip install luma.emulator" in message(device="window")


def test_emulated_display_writes_its_gif_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("luma.emulator")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    path = tmp_path / "face.gif"
    display = Oled(device="gifanim", options={"filename": str(path), "scale": 2})
    display.show(HAPPY, 0.0)
    display.show(HAPPY, 0.5)
    display.close()
    with Image.open(path) as picture:
        assert picture.size == (256, 128)
        assert getattr(picture, "n_frames") >= 2  # noqa: B009 - not in Pillow's types


def test_window_shows_the_face(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("luma.emulator")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    display = Oled(device="window")
    display.show(HAPPY, 0.0)
    surface = display._device._screen
    assert surface.get_size() == (512, 256)
    display.close()
