"""The Raspberry Pi's own camera through picamera2."""

import contextlib
import gc
import logging
import os
import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from edge.config.adapters import NoSettings
from edge.errors import SensorError
from edge.hardware.host import Host
from edge.process.time_limit import within
from edge.sensors import CameraAdapter, CameraRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.messages import Frame

BUFFERS: Final = 4
"""One is being filled, one waits, one is read, one to spare; each costs camera memory."""
STALE_S: Final = 0.25
"""A frame older than this at the moment it is read is let go: a newer one is on its way."""
STALL_S: Final = 4.0
"""A camera that delivers nothing for this long is gone."""
CLOSE_S: Final = 3.0


def taken_s(stamp_ns: int, monotonic_ns: int, boottime_ns: int) -> float:
    """When a frame was taken, in monotonic seconds.

    libcamera's `SensorTimestamp` is documented as time since boot. Kernels stamp with the monotonic
    clock, some pipelines with the boot clock, which also counts suspended time and so is never
    behind it. A stamp from the future of the monotonic clock must come from the boot clock.

    Args:
        stamp_ns: `SensorTimestamp` of the frame's metadata.
        monotonic_ns: the monotonic clock now.
        boottime_ns: the boot clock now.
    """
    tolerance_ns = 5_000_000
    if stamp_ns <= monotonic_ns + tolerance_ns:
        return stamp_ns / 1e9
    return (stamp_ns - (boottime_ns - monotonic_ns)) / 1e9


def yuv420_to_rgb(
    planes: "NDArray[np.uint8]", width_px: int, height_px: int
) -> "NDArray[np.uint8]":
    """Convert what picamera2 gives for a YUV420 stream in BT.601's colours, limited in range.

    Args:
        planes: shape [height * 3 / 2, stride]: the Y rows, then U and V, two of their rows side by
            side in each; the hardware pads every row from the width to its stride.
        width_px: of the picture, at most the stride.
        height_px: of the picture, even.

    Returns:
        Shape [height, width, 3], RGB.
    """
    import cv2
    import numpy as np

    rgb = cv2.cvtColor(planes[: height_px * 3 // 2], cv2.COLOR_YUV2RGB_I420)
    return np.ascontiguousarray(rgb[:, :width_px], np.uint8)


def _load_picamera2() -> Any:
    # libcamera writes a page of information to the terminal unless told otherwise beforehand.
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
    # Its own log says with a traceback what is said here in a sentence.
    logging.getLogger("picamera2").setLevel(logging.CRITICAL)
    try:
        from picamera2 import Picamera2
    except Exception as error:  # ValueError where a part of it was built for another numpy
        raise SensorError(
            "picamera2, which reads the Raspberry Pi's camera, cannot be loaded "
            f"({_innermost(error)}): install it with `sudo apt install python3-picamera2`, and make "
            "the virtual environment with --system-site-packages."
        ) from error
    return Picamera2


def ribbon_cameras() -> list[str]:
    """Models of the cameras on a ribbon cable, each at the place that is its number.

    Raises:
        SensorError: picamera2 cannot be loaded.
        Exception: whatever libcamera raises where it cannot look for cameras.
    """
    return _on_ribbons(_load_picamera2())


def _on_ribbons(picamera2: Any) -> list[str]:
    # Behind these picamera2 lists USB cameras, which give no YUV420 and are read through V4L2.
    known = [info for info in picamera2.global_camera_info() if "/usb" not in info["Id"]]
    return [str(info.get("Model", "Raspberry Pi camera")) for info in known]


class PiCamera:
    """The ribbon-cable camera of a Raspberry Pi; always its newest picture."""

    has_sensor = True
    """No two of its pictures are the same; see `edge.sensors.stuck_camera`."""

    def __init__(
        self, width: int = 640, height: int = 480, rate: int = 30, number: int = 0
    ) -> None:
        """Open the camera and start it.

        Args:
            width: of the pictures, px.
            height: of the pictures, px.
            rate: pictures a second.
            number: which camera, where there are two.

        Raises:
            SensorError: picamera2 or the camera is missing, or it is busy; says what to do.
        """
        picamera2 = _load_picamera2()
        self._job: Any = None
        self._closed = False
        self._camera: Any = None
        try:
            cameras = _on_ribbons(picamera2)
            if number >= len(cameras):
                raise SensorError(_not_there(number, len(cameras)))
            self.name = cameras[number]
            # In two steps: an __init__ that fails leaves a pipe open, which is then ours to close.
            self._camera = picamera2.__new__(picamera2)
            self._camera.__init__(number)
            self._start(width, height, rate)
        except Exception as error:  # libcamera raises RuntimeError, IndexError and others
            self.close()
            if isinstance(error, SensorError):
                raise
            raise SensorError(
                "The Raspberry Pi's camera does not start, most often because another program uses "
                "it: `fuser /dev/media* /dev/video*` names it "
                f"({_innermost(error)})."
            ) from error
        self._last_s = time.monotonic()

    def _start(self, width: int, height: int, rate: int) -> None:
        """Ask for a small stream beside a larger one.

        The larger one is not read: it makes libcamera choose a sensor mode with the full field of
        view, where asking for the small size alone gets a crop of the middle.
        """
        from libcamera import ColorSpace  # type: ignore[import-not-found, unused-ignore]

        period_us = round(1_000_000 / rate)
        wanted = self._camera.create_video_configuration(
            main={"size": (2 * width, 2 * height), "format": "YUV420"},
            lores={"size": (width, height), "format": "YUV420"},
            raw=None,
            # Which yuv420_to_rgb undoes; left to itself picamera2 takes another for a large stream.
            colour_space=ColorSpace.Smpte170m(),
            buffer_count=BUFFERS,
            controls={"FrameDurationLimits": (period_us, period_us)},
            display=None,
            encode=None,
        )
        self._camera.configure(wanted)
        given = self._camera.camera_configuration()["lores"]
        # libcamera puts what a camera can do in the place of what it was asked for.
        if given["format"] != "YUV420":
            raise SensorError(
                f"The camera {self.name} gives its pictures as {given['format']}, and Mien reads "
                "YUV420 from picamera2: name its device instead, as in --camera /dev/video0."
            )
        self._width, self._height = given["size"]
        self._camera.start()

    def read(self, timeout_s: float) -> "Frame | None":
        """Wait for the next picture, at most *timeout_s*; None if none came in time.

        Raises:
            SensorError: the camera is gone and has to be reopened.
        """
        if self._closed:
            raise SensorError(f"The camera {self.name} has been closed.")
        deadline_s = time.monotonic() + timeout_s
        while True:
            request = self._next_request(max(0.0, deadline_s - time.monotonic()))
            if request is None:
                return None
            try:
                frame = self._frame(request)
            finally:
                request.release()
            if frame is not None:
                return frame

    def _next_request(self, timeout_s: float) -> Any:
        """The next completed request, or None; one that was waited for in vain is kept in mind."""
        try:
            if self._job is None:
                self._job = self._camera.capture_request(wait=False)
            request = self._job.get_result(timeout=timeout_s)
        except (FutureTimeoutError, TimeoutError):
            if time.monotonic() - self._last_s > STALL_S:
                raise SensorError(
                    f"The camera {self.name} has stopped delivering pictures: check its cable."
                ) from None
            return None
        except Exception as error:  # what the camera's event loop raised, or its cancelling
            self._job = None
            if self._closed:  # by another thread
                raise SensorError(f"The camera {self.name} has been closed.") from None
            raise SensorError(
                f"The camera {self.name} has failed ({_innermost(error)}): check its cable."
            ) from error
        self._job = None
        self._last_s = time.monotonic()
        return request

    def _frame(self, request: Any) -> "Frame | None":
        """Turn a request into a frame; None if it is stale."""
        from edge.messages import Frame

        stamp = request.get_metadata().get("SensorTimestamp")
        now_ns = time.monotonic_ns()
        if stamp is None:  # some USB cameras behind libcamera do not stamp
            t_s = now_ns / 1e9
        else:
            t_s = taken_s(int(stamp), now_ns, time.clock_gettime_ns(time.CLOCK_BOOTTIME))
        if now_ns / 1e9 - t_s > STALE_S:
            return None
        image = yuv420_to_rgb(request.make_array("lores"), self._width, self._height)
        return Frame(image=image, t_s=t_s)

    def close(self) -> None:
        """Stop the camera and let go of it. May be called twice."""
        self._closed = True
        camera, self._camera, self._job = self._camera, None, None
        if camera is None:
            return
        within(CLOSE_S, partial(_let_go, camera), "camera-close")
        # picamera2 leaves three descriptors to objects that refer to each other.
        del camera
        gc.collect()


def _let_go(camera: Any) -> None:
    with contextlib.suppress(Exception):  # one that was never opened has nothing to cancel
        camera.cancel_all_and_flush()  # whoever waits for a picture need not wait longer
    # Not stop(), which waits for ever for an event loop that has died; this ends the loop first.
    camera.close()
    pipe = getattr(camera, "notifymeread", None)  # of picamera2's own, and not in every release
    if pipe is not None and not pipe.closed:
        pipe.close()
        os.close(camera.notifyme_w)


def _not_there(number: int, count: int) -> str:
    if count:
        return f"There is no Raspberry Pi camera number {number}: there are {count}, from 0 on."
    return (
        "No camera is connected to the Raspberry Pi: check the ribbon cable at both ends; "
        "`rpicam-hello --list-cameras` shows what is found."
    )


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__


def find(settings: NoSettings, host: Host) -> list[tuple[str, str]]:
    """The ribbon-cable cameras that libcamera sees; none without picamera2."""
    with contextlib.suppress(Exception):  # libcamera raises what it likes where there is no camera
        return [("picamera", name) for name in ribbon_cameras()]
    return []


def make(settings: NoSettings, asked: CameraRequest, host: Host) -> PiCamera:
    """Open the first of them."""
    return PiCamera(asked.width_px, asked.height_px, asked.rate_hz)


def on_a_board(host: Host) -> bool:
    """Whether "auto" looks for one: elsewhere libcamera may offer a webcam that V4L2 has as well."""
    return bool(host.board)


ADAPTER = CameraAdapter(NoSettings, find, make, on_a_board)
