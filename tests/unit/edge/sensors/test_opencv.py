import errno
import fcntl
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import SensorError
from edge.sensors import opencv, v4l2
from edge.sensors.opencv import OpenCvCamera, jetson_csi_pipeline
from edge.sensors.v4l2 import list_cameras, why_not

Picture = NDArray[np.uint8]


class FakeCapture:
    """Stands in for cv2.VideoCapture: opens what the test allows, reads what it gives."""

    opens: ClassVar[bool] = True
    read_next: ClassVar[Callable[[], tuple[bool, Picture | None]]]
    made: ClassVar[list["FakeCapture"]] = []

    def __init__(self, source: str, backend: int) -> None:
        self.source = source
        self.backend = backend
        self.settings: dict[int, float] = {}
        self.released = False
        FakeCapture.made.append(self)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return FakeCapture.opens

    def set(self, key: int, value: float) -> bool:
        self.settings[key] = value
        return True

    def get(self, key: int) -> float:
        return 0.0

    def read(self) -> tuple[bool, Picture | None]:
        return FakeCapture.read_next()

    def release(self) -> None:
        self.released = True


class Feed:
    """Pictures that the test lets through one by one; reading blocks until there is one."""

    def __init__(self) -> None:
        self._given = threading.Semaphore(0)
        self._pictures: list[Picture | None] = []
        self._at = 0
        self.asked = 0

    def give(self, picture: Picture | None) -> None:
        self._pictures.append(picture)
        self._given.release()

    def __call__(self) -> tuple[bool, Picture | None]:
        self.asked += 1
        if not self._given.acquire(timeout=10):
            return False, None
        picture = self._pictures[self._at]
        self._at += 1
        return picture is not None, picture


def _grey(level: int) -> Picture:
    return np.full((4, 6, 3), level, np.uint8)


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    feed = Feed()
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    monkeypatch.setattr(opencv, "CLOSE_S", 0.05)
    monkeypatch.setattr(FakeCapture, "opens", True)
    monkeypatch.setattr(FakeCapture, "made", [])
    monkeypatch.setattr(FakeCapture, "read_next", staticmethod(feed), raising=False)
    yield feed
    for _ in range(20):  # lets a reading thread that is left over come to its end
        feed.give(None)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "video0"
    path.touch()
    return path


def _until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.002)
    assert condition()


def test_gives_rgb_with_the_moment_it_was_taken(feed: Feed, node: Path) -> None:
    camera = OpenCvCamera(str(node), width_px=640, height_px=480, rate_hz=15)
    before_s = time.monotonic()
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[..., 2] = 200  # OpenCV's order is blue, green, red
    feed.give(picture)
    frame = camera.read(5.0)
    assert frame is not None
    assert frame.image.shape == (4, 6, 3)
    assert tuple(frame.image[0, 0]) == (200, 0, 0)
    assert before_s <= frame.t_s <= time.monotonic()
    settings = FakeCapture.made[0].settings
    assert settings[cv2.CAP_PROP_FRAME_WIDTH] == 640
    assert settings[cv2.CAP_PROP_FPS] == 15
    camera.close()


def test_a_slow_reader_gets_the_newest_picture(feed: Feed, node: Path) -> None:
    camera = OpenCvCamera(str(node))
    for level in (10, 20, 30):
        feed.give(_grey(level))
    _until(lambda: feed.asked == 4)  # so that it has done with the third
    frame = camera.read(1.0)
    assert frame is not None
    assert frame.image[0, 0, 0] == 30
    assert camera.read(0.01) is None
    camera.close()


def test_a_driver_that_blocks_does_not_hang_the_reader(
    feed: Feed, node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opencv, "STALL_S", 0.1)
    camera = OpenCvCamera(str(node))
    start_s = time.monotonic()
    assert camera.read(0.02) is None
    with pytest.raises(SensorError, match="stopped delivering"):
        for _ in range(50):
            assert camera.read(0.02) is None
    camera.close()
    assert time.monotonic() - start_s < 4.0


def test_one_broken_picture_is_forgiven_many_are_not(
    feed: Feed, node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opencv, "FAILURES", 3)
    camera = OpenCvCamera(str(node))
    feed.give(None)
    feed.give(_grey(50))
    assert camera.read(5.0) is not None
    for _ in range(3):
        feed.give(None)
    with pytest.raises(SensorError, match="stopped delivering pictures: check its plug"):
        for _ in range(50):
            assert camera.read(0.1) is None
    _until(lambda: FakeCapture.made[0].released)


def test_pulled_out_camera_is_reported_at_once(feed: Feed, node: Path) -> None:
    camera = OpenCvCamera(str(node))
    feed.give(_grey(1))
    assert camera.read(5.0) is not None
    node.unlink()
    feed.give(None)
    with pytest.raises(SensorError, match="check its plug"):
        for _ in range(50):
            assert camera.read(0.1) is None


def test_closing_releases_the_device_and_ends_reading(feed: Feed, node: Path) -> None:
    camera = OpenCvCamera(str(node))
    feed.give(_grey(1))
    camera.close()
    camera.close()
    feed.give(None)
    _until(lambda: FakeCapture.made[0].released)
    camera.read(0.01)  # the picture that was there already may still come
    with pytest.raises(SensorError, match="closed"):
        camera.read(0.01)


def test_by_id_link_is_followed_to_its_node(feed: Feed, node: Path, tmp_path: Path) -> None:
    link = tmp_path / "usb-Logitech-index0"
    link.symlink_to(node)
    camera = OpenCvCamera(str(link))
    assert FakeCapture.made[0].source == str(node)
    assert FakeCapture.made[0].backend == cv2.CAP_V4L2
    assert camera.name == str(link)
    camera.close()


def test_missing_camera_names_those_that_exist_or_asks_for_one(tmp_path: Path) -> None:
    assert "plug a camera in" in why_not(tmp_path / "video0")
    (tmp_path / "video2").touch()
    (tmp_path / "video10").touch()
    message = why_not(tmp_path / "video0")
    assert message.endswith(f"there are {tmp_path / 'video2'}, {tmp_path / 'video10'}.")
    with pytest.raises(SensorError, match="There is no camera /dev/video97"):
        OpenCvCamera(97)


@pytest.mark.parametrize(
    ("name", "words"), [("/dev/null", "is not a camera: "), (".", "is a folder, not a camera: ")]
)
def test_other_devices_and_folders_are_not_even_opened(feed: Feed, name: str, words: str) -> None:
    with pytest.raises(SensorError, match=words):
        OpenCvCamera(name)
    assert not FakeCapture.made


def test_a_name_that_is_too_long_is_no_camera(feed: Feed) -> None:
    with pytest.raises(SensorError, match="There is no camera"):
        OpenCvCamera("x" * 5_000)


def _ioctl(
    caps: int, busy: bool, driver: bytes = b"uvcvideo"
) -> Callable[[int, int, bytes], bytes]:
    """A driver that answers as Linux would."""

    def ioctl(file: int, request: int, argument: bytes) -> bytes:
        if request == 0x80685600:
            answer = bytearray(104)
            struct.pack_into("<16s", answer, 0, driver)
            struct.pack_into("<II", answer, 84, 0x84A00001, caps)
            return bytes(answer)
        assert request == 0xC0145608
        if busy:
            raise OSError(errno.EBUSY, "Device or resource busy")
        return argument

    return ioctl


@pytest.mark.parametrize(
    ("driver", "expected"),
    [(b"uvcvideo", True), (b"v4l2 loopback", False), (b"vivid", False), (None, False)],
)
def test_camera_knows_whether_there_is_a_sensor_behind_it(
    feed: Feed, node: Path, monkeypatch: pytest.MonkeyPatch, driver: bytes | None, expected: bool
) -> None:
    if driver is not None:  # else the node says nothing of itself
        monkeypatch.setattr(fcntl, "ioctl", _ioctl(caps=0x04200001, busy=False, driver=driver))
    camera = OpenCvCamera(str(node))
    assert camera.has_sensor is expected
    camera.close()


def test_no_camera_is_refused_and_a_busy_one_names_how_to_find_the_other_program(
    feed: Feed, node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeCapture, "opens", False)
    with pytest.raises(SensorError, match="video0 is a file, not a camera: watch a recording"):
        OpenCvCamera(str(node))
    monkeypatch.setattr(fcntl, "ioctl", _ioctl(caps=0x04200001, busy=True))
    with pytest.raises(SensorError, match=f"busy: another program uses it; `fuser {node}`"):
        OpenCvCamera(str(node))


def test_metadata_node_is_refused(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "ioctl", _ioctl(caps=0x04A00000, busy=False))
    assert "delivers no pictures, it is another kind of device" in why_not(node)


def test_camera_without_permission_names_the_group(
    node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SensorError, match="group video"):
        OpenCvCamera(str(node))


def _sysfs(root: Path, entries: dict[str, tuple[str, int]]) -> tuple[Path, Path]:
    sysfs, dev = root / "sys", root / "dev"
    dev.mkdir()
    for name, (human, index) in entries.items():
        (sysfs / name).mkdir(parents=True)
        (sysfs / name / "name").write_text(human + "\n")
        (sysfs / name / "index").write_text(f"{index}\n")
    return sysfs, dev


def test_lists_first_nodes_in_order_of_number_without_codecs(tmp_path: Path) -> None:
    sysfs, dev = _sysfs(
        tmp_path,
        {
            "video10": ("C922 Pro Stream Webcam", 0),
            "video11": ("C922 Pro Stream Webcam", 1),
            "video2": ("Integrated Camera", 0),
            "video12": ("bcm2835-codec-decode", 0),
        },
    )
    assert list_cameras(sysfs, dev) == [
        (str(dev / "video2"), "Integrated Camera"),
        (str(dev / "video10"), "C922 Pro Stream Webcam"),
    ]
    assert list_cameras(tmp_path / "none", dev) == []


def test_lists_by_what_the_driver_says_where_it_can_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sysfs, dev = _sysfs(tmp_path, {"video0": ("Depth camera", 1), "video1": ("Scaler", 0)})
    (dev / "video0").touch()
    (dev / "video1").touch()
    answers = {"video0": True, "video1": False}
    monkeypatch.setattr(v4l2, "_captures", lambda node: answers[node.name])
    assert list_cameras(sysfs, dev) == [(str(dev / "video0"), "Depth camera")]


def test_jetson_pipeline_crops_to_the_wanted_shape() -> None:
    pipeline = jetson_csi_pipeline(1, 640, 480, 30)
    assert "sensor-id=1" in pipeline
    assert "left=160 right=1120 top=0 bottom=720" in pipeline  # 960 x 720, as 4:3 as 640 x 480
    assert "width=640, height=480, format=BGRx" in pipeline
    assert pipeline.endswith("drop=true max-buffers=1 sync=false")
    assert "left=0 right=1280 top=0 bottom=720" in jetson_csi_pipeline(0, 640, 360, 30)


def test_csi_camera_asks_for_an_opencv_with_gstreamer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.videoio_registry, "hasBackend", lambda _: False)
    with pytest.raises(SensorError, match="without GStreamer"):
        OpenCvCamera(jetson_csi_pipeline(0, 640, 480, 30))


def test_csi_camera_that_does_not_start_names_its_service(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2.videoio_registry, "hasBackend", lambda _: True)
    monkeypatch.setattr(FakeCapture, "opens", False)
    with pytest.raises(SensorError, match="nvargus-daemon"):
        OpenCvCamera(jetson_csi_pipeline(0, 640, 480, 30))
    assert FakeCapture.made[0].backend == cv2.CAP_GSTREAMER
