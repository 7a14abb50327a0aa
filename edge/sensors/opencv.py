"""The camera through OpenCV: USB cameras by V4L2, a Jetson's CSI camera by GStreamer."""

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge.config.adapters import NoSettings
from edge.errors import SensorError
from edge.hardware.host import Host
from edge.mailbox import Mailbox
from edge.process.time_limit import within
from edge.sensors import CameraAdapter, CameraRequest
from edge.sensors.v4l2 import has_sensor, list_cameras, others_named, refuse_others, why_not

__all__ = ["OpenCvCamera", "jetson_csi_pipeline", "list_cameras"]

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.messages import Frame

OPEN_S: Final = 10.0
"""Some USB cameras take several seconds to start."""
STALL_S: Final = 4.0
"""A camera that delivers nothing for this long is gone."""
CLOSE_S: Final = 1.5
BUFFERS: Final = 2
"""Pictures that the driver may hold. With one it has nowhere to put the next while this one is
read, which halves the rate; more would not make it newer, as a thread reads without pause."""
FAILURES: Final = 10
"""A single picture may be broken (a bad USB transfer); this many in a row are a lost camera."""


def jetson_csi_pipeline(sensor_id: int, width: int, height: int, rate: int) -> str:
    """GStreamer pipeline of a CSI camera on a Jetson, for `OpenCvCamera`.

    The sensor runs at 1280 x 720, which all common modules offer. Its middle is cropped to the
    wanted proportions and scaled by the Jetson's image processor, so faces keep their shape.

    Args:
        sensor_id: 0 or 1, the connector.
        width: of the pictures, px.
        height: of the pictures, px.
        rate: pictures a second.
    """
    full_w, full_h = 1280, 720
    if width * full_h <= full_w * height:
        crop_w, crop_h = 2 * round(full_h * width / height / 2), full_h
    else:
        crop_w, crop_h = full_w, 2 * round(full_w * height / width / 2)
    left, top = (full_w - crop_w) // 2, (full_h - crop_h) // 2
    return (
        f"nvarguscamerasrc sensor-id={sensor_id} ! "
        f"video/x-raw(memory:NVMM), width={full_w}, height={full_h}, framerate={rate}/1 ! "
        f"nvvidconv left={left} right={left + crop_w} top={top} bottom={top + crop_h} ! "
        f"video/x-raw, width={width}, height={height}, format=BGRx ! "
        "videoconvert ! video/x-raw, format=BGR ! "
        "appsink drop=true max-buffers=1 sync=false"
    )


def _load_cv2() -> Any:
    """Import OpenCV with its own warnings off: Mien says itself what is wrong."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_VIDEOIO_DEBUG", "0")
    import cv2

    for owner in (cv2, getattr(getattr(cv2, "utils", None), "logging", None)):
        silence = getattr(owner, "setLogLevel", None)  # where it is depends on the version
        if silence is not None:
            silence(0)
    return cv2


class OpenCvCamera:
    """A camera that OpenCV can read; always its newest picture."""

    def __init__(
        self,
        source: int | str = 0,
        width_px: int = 640,
        height_px: int = 480,
        rate_hz: int = 30,
    ) -> None:
        """Open the camera.

        Args:
            source: number n of /dev/videoN, the path of a node (also by name, such as
                `/dev/v4l/by-id/...`), or a GStreamer pipeline that ends in an appsink.
            width_px: wanted size; a camera without it takes its nearest.
            height_px: wanted size.
            rate_hz: wanted pictures a second.

        Raises:
            SensorError: it is missing, busy, not permitted or no camera; says what to do.
        """
        self._cv2 = _load_cv2()
        self._pipeline = isinstance(source, str) and "!" in source
        text = str(source)
        self._node = (
            None if self._pipeline else Path(f"/dev/video{text}" if text.isdigit() else text)
        )
        self.name = "CSI camera" if self._node is None else str(self._node)
        self._check()
        self.has_sensor = (
            "nvarguscamerasrc" in text if self._node is None else has_sensor(self._node)
        )
        """False where another program may show a still picture: a virtual camera, a stream."""
        self._wanted = (width_px, height_px, rate_hz)
        self._source = text if self._node is None else str(self._node.resolve())
        self._newest: Mailbox[tuple[NDArray[np.uint8], float]] = Mailbox()
        self._opened = threading.Event()
        self._closing = threading.Event()
        self._trouble = ""
        self._last_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()
        if not self._opened.wait(OPEN_S):
            self._closing.set()
            raise SensorError(
                f"The camera {self.name} does not answer: pull it out and plug it in again."
            )
        if self._trouble:
            raise SensorError(self._trouble)
        self._last_s = time.monotonic()

    def _check(self) -> None:
        """Refuse what can be known to fail before OpenCV tries it."""
        if self._node is None:
            if not self._cv2.videoio_registry.hasBackend(self._cv2.CAP_GSTREAMER):
                raise SensorError(
                    "This OpenCV was built without GStreamer, which a CSI camera needs: use a USB "
                    "camera, or put an OpenCV that was built with GStreamer into .venv."
                )
            return
        if not os.path.exists(self._node):
            raise SensorError(f"There is no camera {self._node}: {others_named()}.")
        refuse_others(self._node)
        if not os.access(self._node, os.R_OK | os.W_OK):
            raise SensorError(why_not(self._node))

    def _open(self) -> Any:
        cv2 = self._cv2
        backend = cv2.CAP_GSTREAMER if self._pipeline else cv2.CAP_V4L2
        capture = cv2.VideoCapture(self._source, backend)
        if capture.isOpened() and not self._pipeline:
            width_px, height_px, rate_hz = self._wanted
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, width_px)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height_px)
            capture.set(cv2.CAP_PROP_FPS, rate_hz)
            capture.set(cv2.CAP_PROP_BUFFERSIZE, BUFFERS)
        return capture

    def _run(self) -> None:
        """Read without pause: reading may block for long, so it has a thread of its own."""
        capture = None
        try:
            capture = self._open()
            if not capture.isOpened():
                self._trouble = self._why_not()
                return
            self._opened.set()
            failures = 0
            while not self._closing.is_set():
                ok, picture = capture.read()
                now_s = time.monotonic()
                if ok and picture is not None:
                    failures = 0
                    self._last_s = now_s
                    self._newest.put((picture, self._taken_s(capture, now_s)))
                    continue
                failures += 1
                if failures >= FAILURES or (
                    self._node is not None and not os.path.exists(self._node)
                ):
                    self._trouble = self._gone()
                    return
                self._closing.wait(0.02)
        except Exception as error:  # whatever OpenCV may throw must reach the reader as a sentence
            self._trouble = f"The camera {self.name} failed in OpenCV ({error}): plug it in again."
        finally:
            self._opened.set()
            if capture is not None:
                capture.release()

    def _taken_s(self, capture: Any, now_s: float) -> float:
        """When the picture was taken: the driver's stamp where it has one on the same clock."""
        stamp_s = float(capture.get(self._cv2.CAP_PROP_POS_MSEC)) / 1000
        return stamp_s if not self._pipeline and 0 <= now_s - stamp_s < 1.0 else now_s

    def _why_not(self) -> str:
        if self._node is None:
            return (
                "The CSI camera does not start: check its ribbon cable, and restart its service "
                "with `sudo systemctl restart nvargus-daemon`."
            )
        return why_not(self._node)

    def _gone(self) -> str:
        return f"The camera {self.name} has stopped delivering pictures: check its plug."

    def read(self, timeout_s: float) -> "Frame | None":
        """Wait for the next picture, at most *timeout_s*; None if none came in time.

        Raises:
            SensorError: the camera is gone and has to be reopened.
        """
        from edge.messages import Frame

        taken = self._newest.take(timeout_s)
        if taken is None:
            if self._trouble:
                raise SensorError(self._trouble)
            if self._closing.is_set():
                raise SensorError(f"The camera {self.name} has been closed.")
            if time.monotonic() - self._last_s > STALL_S:
                raise SensorError(self._gone())
            return None
        picture, t_s = taken
        if picture.ndim == 2:
            rgb = self._cv2.cvtColor(picture, self._cv2.COLOR_GRAY2RGB)
        else:
            rgb = self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2RGB)
        return Frame(image=rgb, t_s=t_s)

    def close(self) -> None:
        """Let go of the camera. May be called twice."""
        self._closing.set()
        # Releasing happens in the reading thread: doing it here during a read would crash OpenCV.
        within(CLOSE_S, self._thread.join, "camera-close")


def find(settings: NoSettings, host: Host) -> list[tuple[str, str]]:
    """Path and name of every camera on V4L2."""
    return list_cameras()


def make(settings: NoSettings, asked: CameraRequest, host: Host) -> OpenCvCamera:
    """Open a camera by its number or path, or a Jetson's as "csi"."""
    size = (asked.width_px, asked.height_px, asked.rate_hz)
    if asked.source == "csi":
        return OpenCvCamera(jetson_csi_pipeline(0, *size), *size)
    return OpenCvCamera(asked.source, *size)


ADAPTER = CameraAdapter(NoSettings, find, make)
