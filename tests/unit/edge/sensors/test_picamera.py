import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import SensorError
from edge.messages import Frame
from edge.sensors import picamera
from edge.sensors.picamera import PiCamera, taken_s
from tests.fakes import picamera2 as fake


@pytest.fixture(autouse=True)
def _fake_picamera2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "picamera2", fake)
    monkeypatch.setitem(sys.modules, "libcamera", fake)
    monkeypatch.setattr(fake.Picamera2, "cameras", [{"Model": "imx708", "Id": "a", "Num": 0}])
    monkeypatch.setattr(fake.Picamera2, "busy", False)
    monkeypatch.setattr(fake.Picamera2, "gives", "YUV420")
    monkeypatch.setattr(fake.Picamera2, "opened", [])
    yield


def _flat(width: int, height: int, rgb: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((height, width, 3), rgb, np.uint8)


def _frame(camera: PiCamera) -> Frame:
    frame = camera.read(1.0)
    assert frame is not None
    return frame


def test_gives_upright_rgb_without_the_padding_of_the_rows() -> None:
    camera = PiCamera(width=200, height=120)  # rows are padded to 256 bytes
    picture = _flat(200, 120, (200, 40, 60))
    picture[:60, :100] = (30, 60, 220)
    fake.Picamera2.opened[0].deliver(picture, time.monotonic_ns())
    frame = _frame(camera)
    assert frame.image.shape == (120, 200, 3)
    assert frame.image.flags["C_CONTIGUOUS"]
    # Subsampled colour blurs the edges between the quarters: compare away from them.
    for rows, columns in ((slice(0, 56), slice(0, 96)), (slice(64, 120), slice(104, 200))):
        difference = frame.image[rows, columns].astype(int) - picture[rows, columns].astype(int)
        assert np.abs(difference).max() <= 6
    camera.close()


def test_colors_are_right_at_a_size_where_picamera2_would_change_them() -> None:
    camera = PiCamera(width=640, height=480)
    fake.Picamera2.opened[0].deliver(_flat(640, 480, (30, 200, 60)), None)
    assert np.abs(_frame(camera).image.astype(int) - (30, 200, 60)).max() <= 6
    camera.close()


def test_stamps_frames_with_the_moment_of_exposure() -> None:
    camera = PiCamera(width=64, height=48)
    stamp_ns = time.monotonic_ns() - 40_000_000
    fake.Picamera2.opened[0].deliver(_flat(64, 48, (9, 9, 9)), stamp_ns)
    assert _frame(camera).t_s == pytest.approx(stamp_ns / 1e9)


def test_stamp_of_boot_clock_is_brought_to_monotonic_clock() -> None:
    # The machine has slept for 100 s, which only the boot clock counts.
    assert taken_s(1_099_960_000_000, 1_000_000_000_000, 1_100_000_000_000) == pytest.approx(999.96)
    assert taken_s(999_960_000_000, 1_000_000_000_000, 1_100_000_000_000) == pytest.approx(999.96)


def test_refuses_a_stale_frame_and_waits_for_the_next() -> None:
    camera = PiCamera(width=64, height=48)
    device = fake.Picamera2.opened[0]
    device.deliver(_flat(64, 48, (10, 10, 10)), time.monotonic_ns() - 2_000_000_000)
    assert camera.read(0.01) is None
    device.deliver(_flat(64, 48, (240, 240, 240)), time.monotonic_ns())
    assert _frame(camera).image.mean() > 200


def test_gives_the_newest_frame_and_every_buffer_back() -> None:
    camera = PiCamera(width=64, height=48)
    device = fake.Picamera2.opened[0]
    for _ in range(5):
        for level in (20, 120, 220):
            assert device.deliver(_flat(64, 48, (level,) * 3), time.monotonic_ns())
        assert _frame(camera).image.mean() > 200
    assert device.free_buffers == picamera.BUFFERS


@pytest.mark.parametrize("loop_alive", [True, False])  # without its loop, the fake's stop() refuses
def test_camera_that_stalls_is_reported_within_the_limit_and_closed_all_the_same(
    monkeypatch: pytest.MonkeyPatch, loop_alive: bool
) -> None:
    monkeypatch.setattr(picamera, "STALL_S", 0.05)
    camera = PiCamera(width=64, height=48)
    device = fake.Picamera2.opened[0]
    device.loop_alive = loop_alive
    if not loop_alive:
        device.deliver(_flat(64, 48, (9, 9, 9)), time.monotonic_ns())
    with pytest.raises(SensorError, match="imx708 has stopped delivering"):
        for _ in range(20):
            assert camera.read(0.01) is None
    camera.close()
    assert not device.is_open


def test_closing_ends_the_wait_of_whoever_reads() -> None:
    camera = PiCamera(width=64, height=48)
    with ThreadPoolExecutor() as others:
        reading = others.submit(camera.read, 60.0)
        while not fake.Picamera2.opened[0].jobs:
            time.sleep(0.001)
        camera.close()
        with pytest.raises(SensorError, match="imx708 has been closed"):
            reading.result(timeout=30)


def test_asks_for_the_rate_and_a_large_stream_for_the_full_view() -> None:
    camera = PiCamera(width=320, height=240, rate=20)
    config = fake.Picamera2.opened[0].camera_config
    assert config["controls"]["FrameDurationLimits"] == (50_000, 50_000)
    assert config["lores"]["size"] == (320, 240)
    assert config["main"]["size"] == (640, 480)
    camera.close()


def test_closes_twice_and_refuses_to_read_afterwards() -> None:
    camera = PiCamera(width=64, height=48)
    camera.close()
    camera.close()
    device = fake.Picamera2.opened[0]
    assert (device.started, device.is_open) == (False, False)
    with pytest.raises(SensorError, match="closed"):
        camera.read(0.01)


def test_usb_camera_is_left_to_v4l2(monkeypatch: pytest.MonkeyPatch) -> None:
    ribbon = {"Model": "imx708", "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Num": 1}
    webcam = {"Model": "C270", "Id": "/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.1:1.0", "Num": 0}
    monkeypatch.setattr(fake.Picamera2, "cameras", [ribbon, webcam])
    assert picamera.ribbon_cameras() == ["imx708"]
    with pytest.raises(SensorError, match="no Raspberry Pi camera number 1: there are 1"):
        PiCamera(number=1)
    monkeypatch.setattr(fake.Picamera2, "cameras", [webcam])
    assert picamera.ribbon_cameras() == []
    with pytest.raises(SensorError, match="No camera is connected to the Raspberry Pi"):
        PiCamera()


def test_busy_camera_names_how_to_find_the_other_program_and_costs_no_file_descriptor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fake.Picamera2, "busy", True)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(SensorError, match=r"fuser .*Device or resource busy"):
            PiCamera()
    assert len(os.listdir("/proc/self/fd")) == before


def test_camera_of_another_format_is_refused_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake.Picamera2, "gives", "NV12")
    with pytest.raises(SensorError, match=r"imx708 gives its pictures as NV12.*--camera /dev/v"):
        PiCamera()
    assert not fake.Picamera2.opened[0].is_open


def test_missing_picamera2_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(SensorError, match=r"apt install python3-picamera2.*system-site-packages"):
        PiCamera()


def test_picamera2_built_for_another_numpy_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "picamera2":
                raise ValueError("numpy.dtype size changed")

    monkeypatch.delitem(sys.modules, "picamera2")
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    with pytest.raises(SensorError, match=r"cannot be loaded \(numpy.dtype size changed\)"):
        PiCamera()
