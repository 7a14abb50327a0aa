import errno
import fcntl
import io
import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from edge.diagnostics import devices
from edge.diagnostics.devices import (
    CameraFound,
    Found,
    GpioChip,
    find_devices,
    find_gpio_chips,
    print_devices,
)
from edge.errors import SensorError
from edge.hardware.bus_purpose import bus_numbers
from edge.hardware.i2c import ADDRESSES, SCAN_LIMIT_S, I2cBus, scan_bus


class FakeBus:
    """Answers at some addresses, says what it is told to at others, and counts."""

    def __init__(self, answering: Iterable[int], errors: dict[int, int] | None = None) -> None:
        self.answering, self.errors = set(answering), errors or {}
        self.asked: list[int] = []
        self.closed = 0

    def read_byte(self, i2c_addr: int) -> int:
        self.asked.append(i2c_addr)
        if i2c_addr in self.answering:
            return 0x43
        number = self.errors.get(i2c_addr, errno.EREMOTEIO)
        raise OSError(number, "no")

    def close(self) -> None:
        self.closed += 1


def test_finds_who_answers_and_asks_no_reserved_address() -> None:
    bus = FakeBus([0x3C, 0x48])
    assert scan_bus(1, open_bus=lambda port: bus) == I2cBus(1, "", (0x3C, 0x48))
    assert bus.asked == list(range(0x08, 0x78)) == list(ADDRESSES)
    assert bus.closed == 1


def test_a_device_of_the_kernel_is_told_apart() -> None:
    found = scan_bus(1, open_bus=lambda port: FakeBus([0x3C], {0x68: errno.EBUSY}))
    assert found.answering == (0x3C,)
    assert found.in_use == (0x68,)


def test_gives_up_on_a_bus_that_hangs() -> None:
    bus = FakeBus([0x08], dict.fromkeys(range(0x09, 0x78), errno.ETIMEDOUT))
    found = scan_bus(1, open_bus=lambda port: bus)
    assert bus.asked == [0x08, 0x09]
    assert found.answering == (0x08,)
    assert "SDA and SCL" in found.trouble
    assert bus.closed == 1


def test_gives_up_on_a_bus_that_is_slow() -> None:
    bus = FakeBus([])
    # One second for every question.
    found = scan_bus(1, open_bus=lambda port: bus, clock=lambda: float(len(bus.asked)))
    assert len(bus.asked) == SCAN_LIMIT_S + 1
    assert "too slow" in found.trouble


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "usermod -aG i2c"),
        (errno.ENOENT, "do_i2c 0"),
        (errno.EIO, "cannot be scanned"),
    ],
)
def test_says_why_a_bus_does_not_open(number: int, remedy: str) -> None:
    def refuse(port: int) -> FakeBus:
        raise OSError(number, "no")

    found = scan_bus(7, open_bus=refuse)
    assert "/dev/i2c-7" in found.trouble
    assert remedy in found.trouble


def test_a_bus_that_is_not_there_is_told_by_the_real_library() -> None:
    assert "/dev/i2c-250 is not there" in scan_bus(250).trouble


def test_reads_the_name_of_a_bus(tmp_path: Path) -> None:
    (tmp_path / "class/i2c-dev/i2c-1").mkdir(parents=True)
    (tmp_path / "class/i2c-dev/i2c-1/name").write_text("bcm2835 (i2c@7e804000)\n")
    found = scan_bus(1, open_bus=lambda port: FakeBus([]), sysfs=tmp_path)
    assert found.name == "bcm2835 (i2c@7e804000)"


def test_lists_buses_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("i2c-10", "i2c-2", "i2c-x", "video0"):
        (tmp_path / name).touch()
    assert bus_numbers(str(tmp_path)) == [2, 10]


def test_reads_label_and_lines_of_a_gpio_chip(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gpiochip0").touch()
    answer = struct.pack("=32s32sI", b"gpiochip0", b"pinctrl-rp1", 54)
    requests: list[int] = []

    def ioctl(handle: int, request: int, buffer: bytes) -> bytes:
        requests.append(request)
        assert len(buffer) == len(answer)
        return answer

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    path = str(tmp_path / "gpiochip0")
    assert find_gpio_chips(tmp_path) == [GpioChip(path, "pinctrl-rp1", 54)]
    # _IOR(0xB4, 0x01, struct gpiochip_info): direction, size, type and number.
    assert requests == [2 << 30 | len(answer) << 16 | 0xB4 << 8 | 0x01]


def test_a_file_that_is_no_gpio_chip_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "gpiochip0").touch()
    (chip,) = find_gpio_chips(tmp_path)
    assert "does not answer" in chip.trouble


@pytest.fixture
def nothing_attached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.sensors.opencv.list_cameras", lambda: [])
    monkeypatch.setattr("edge.sensors.picamera.ribbon_cameras", lambda: [])
    monkeypatch.setattr("edge.sensors.portaudio.list_microphones", lambda: [])
    monkeypatch.setattr(devices, "bus_numbers", lambda: [])
    monkeypatch.setattr(devices, "find_gpio_chips", lambda: [])


@pytest.mark.usefixtures("nothing_attached")
def test_what_cannot_be_looked_at_hides_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise SensorError("PyAudio cannot be loaded: install it.")

    monkeypatch.setattr("edge.sensors.portaudio.list_microphones", broken)
    monkeypatch.setattr("edge.sensors.opencv.list_cameras", lambda: [("/dev/video0", "C920")])
    monkeypatch.setattr("edge.sensors.picamera.ribbon_cameras", lambda: ["imx708"])
    found = find_devices()
    assert found.cameras == (CameraFound("picamera", "imx708"), CameraFound("/dev/video0", "C920"))
    assert found.troubles == ("PyAudio cannot be loaded: install it.",)


def test_looks_at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "bus_numbers", lambda: [])  # a desktop's are not ours to ask
    told = json.loads(find_devices().to_json())
    assert set(told) == {"board", "cameras", "microphones", "i2c", "gpio", "troubles"}


FULL = Found(
    "Raspberry Pi 5 Model B",
    (CameraFound("/dev/video0", "C920"),),
    (),
    (I2cBus(1, "bcm", (0x3C,), (0x68,)), I2cBus(2, trouble="/dev/i2c-2 hangs.")),
    (GpioChip("/dev/gpiochip0", "pinctrl", 54),),
    ("One sentence.",),
)


def test_prints_everything_as_a_table() -> None:
    screen = io.StringIO()
    print_devices(FULL, Console(file=screen, width=120))
    lines = [" ".join(line.split()) for line in screen.getvalue().splitlines()]
    assert lines == [
        "board Raspberry Pi 5 Model B",
        "camera --camera /dev/video0 C920",
        "microphone none",
        "I2C /dev/i2c-1 0x3C in use by the kernel: 0x68 (bcm)",
        "/dev/i2c-2 /dev/i2c-2 hangs.",
        "GPIO /dev/gpiochip0 pinctrl, 54 lines",
        "One sentence.",
    ]


def test_prints_everything_as_json() -> None:
    told = json.loads(FULL.to_json())
    assert told["i2c"][0]["answering"] == ["0x3C"]
    assert told["i2c"][0]["in_use"] == ["0x68"]
    assert told["cameras"] == [{"source": "/dev/video0", "name": "C920"}]
