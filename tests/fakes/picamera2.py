"""A stand-in for picamera2 that obeys the same rules, after its version 0.3.

Frames come when the test delivers them. Buffers are limited: a request that is not released is
missing for ever, releasing twice is an error, and stopping waits behind jobs that are not done, or
for ever if the event loop has died. Closing ends the loop first. Opening a busy camera leaves a pipe.
"""

import os
import threading
from concurrent.futures import CancelledError, Future
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

STRIDE_ALIGNMENT = 64


class ColorSpace:
    """libcamera's: what makes luma of red, green and blue."""

    def __init__(self, red: float, blue: float) -> None:
        self.weights = np.array([red, 1 - red - blue, blue])

    @staticmethod
    def Smpte170m() -> "ColorSpace":  # noqa: N802 - the real name
        return ColorSpace(0.299, 0.114)

    @staticmethod
    def Rec709() -> "ColorSpace":  # noqa: N802
        return ColorSpace(0.2126, 0.0722)

    def encode(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Luma [height, width] and chroma [2, height / 2, width / 2], of limited range."""
        exact = rgb.astype(np.float64) / 255
        luma = exact @ self.weights
        blue, red = ((exact[..., c] - luma) / (1 - self.weights[c]) for c in (2, 0))
        chroma = np.stack([blue, red]).reshape(2, len(rgb) // 2, 2, -1, 2).mean(axis=(2, 4))
        return (
            np.rint(16 + 219 * luma).astype(np.uint8),
            np.rint(128 + 112 * chroma).astype(np.uint8),
        )


class Job:
    """An operation that the camera's event loop will carry out."""

    def __init__(self) -> None:
        self.future: Future[Any] = Future()
        self.future.set_running_or_notify_cancel()

    def get_result(self, timeout: float | None = None) -> Any:
        return self.future.result(timeout=timeout)


class CompletedRequest:
    def __init__(
        self, camera: "Picamera2", buffers: dict[str, NDArray[np.uint8]], metadata: dict[str, Any]
    ) -> None:
        self._camera = camera
        self._buffers: dict[str, NDArray[np.uint8]] | None = buffers
        self._metadata = metadata
        self._references = 1

    def release(self) -> None:
        self._references -= 1
        if self._references < 0:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        if self._references == 0:
            self._buffers = None
            self._camera.free_buffers += 1

    def get_metadata(self) -> dict[str, Any]:
        assert self._buffers is not None, "used after release"
        return dict(self._metadata)

    def make_array(self, name: str) -> NDArray[np.uint8]:
        assert self._buffers is not None, "used after release"
        config = self._camera.camera_config[name]
        rows = int(config["size"][1]) * 3 // 2
        planes: NDArray[np.uint8] = self._buffers[name].reshape(rows, int(config["stride"]))
        return np.array(planes)


class Picamera2:
    cameras: ClassVar[list[dict[str, Any]]] = [{"Model": "imx708", "Id": "/base/imx708", "Num": 0}]
    busy: ClassVar[bool] = False
    gives: ClassVar[str] = "YUV420"
    """The format that the camera has, whatever it is asked for."""
    opened: ClassVar[list["Picamera2"]] = []

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return list(Picamera2.cameras)

    def __init__(self, camera_num: int = 0) -> None:
        if camera_num >= len(Picamera2.cameras):
            raise RuntimeError(f"No camera number {camera_num} found")
        notifyme_r, self.notifyme_w = os.pipe2(os.O_NONBLOCK)
        self.notifymeread = os.fdopen(notifyme_r, "rb")
        self.is_open = False
        Picamera2.opened.append(self)
        if Picamera2.busy:
            try:
                raise RuntimeError("Failed to acquire camera: Device or resource busy")
            except RuntimeError as error:
                raise RuntimeError("Camera __init__ sequence did not complete.") from error
        self.camera_config: dict[str, Any] = {}
        self.started = False
        self.is_open = True
        self.loop_alive = True
        self.free_buffers = 0
        self._lock = threading.Lock()
        self.jobs: list[Job] = []
        self._completed: list[CompletedRequest] = []

    def create_video_configuration(
        self,
        main: dict[str, Any] = {},  # noqa: B006 - the real signature
        lores: dict[str, Any] | None = None,
        raw: dict[str, Any] | None = {},  # noqa: B006
        transform: Any = None,
        colour_space: Any = None,
        buffer_count: int = 6,
        controls: dict[str, Any] = {},  # noqa: B006
        display: str | None = "main",
        encode: str | None = "main",
        queue: bool = True,
        sensor: dict[str, Any] = {},  # noqa: B006
        use_case: str = "video",
    ) -> dict[str, Any]:
        for updates in (main, lores or {}):
            for key in updates:
                if key not in ("format", "size", "preserve_ar"):
                    raise ValueError(f"Bad key {key!r}")
        if colour_space is None:
            large = min(np.array(main.get("size", (1280, 720))) >= (1280, 720))
            colour_space = ColorSpace.Rec709() if large else ColorSpace.Smpte170m()
        for name, stream in (("display", display), ("encode", encode)):
            if stream is not None and {"main": main, "lores": lores, "raw": raw}[stream] is None:
                raise RuntimeError(f"{name} stream {stream} was not defined")
        config: dict[str, Any] = {
            "main": {"format": "XBGR8888", "size": (1280, 720)} | main,
            "lores": None if lores is None else {"format": "YUV420", "size": (1280, 720)} | lores,
            "raw": raw,
            "colour_space": colour_space,
            "buffer_count": buffer_count,
            "controls": {"FrameDurationLimits": (33333, 33333)} | controls,
            "display": display,
            "encode": encode,
            "queue": queue,
        }
        return config

    def configure(self, camera_config: dict[str, Any]) -> None:
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        main, lores = camera_config["main"], camera_config["lores"]
        if lores is not None:
            if lores["size"][0] > main["size"][0] or lores["size"][1] > main["size"][1]:
                raise RuntimeError("lores stream dimensions may not exceed main stream")
            if lores["format"] != "YUV420":
                raise RuntimeError("lores stream must be YUV")
        for stream in (main, lores):
            if stream is not None:
                width, height = stream["size"]
                if width % 2 or height % 2:
                    raise RuntimeError("width and height should be even")
                stream["stride"] = -(-width // STRIDE_ALIGNMENT) * STRIDE_ALIGNMENT
                stream["format"] = Picamera2.gives
        self.camera_config = camera_config
        self.free_buffers = camera_config["buffer_count"]

    def camera_configuration(self) -> dict[str, Any]:
        return self.camera_config

    def start(self) -> None:
        if not self.camera_config:
            raise RuntimeError("Camera has not been configured")
        self.started = True

    def capture_request(
        self, wait: bool | float | None = None, signal_function: Any = None, flush: Any = None
    ) -> Any:
        with self._lock:
            job = Job()
            self.jobs.append(job)
        self._work()
        return job if wait is False else job.get_result()

    def _work(self) -> None:
        with self._lock:
            while self.loop_alive and self.jobs and self._completed:
                self.jobs.pop(0).future.set_result(self._completed.pop(0))

    def cancel_all_and_flush(self) -> None:
        with self._lock:
            for job in self.jobs:
                job.future.set_exception(CancelledError())
            self.jobs = []

    def stop(self) -> None:
        if self.jobs or not self.loop_alive:
            raise AssertionError("the real one would wait here until the pending jobs are done")
        self.started = False

    def close(self) -> None:
        if not self.is_open:
            return
        self.started = self.is_open = self.loop_alive = False
        self.notifymeread.close()
        os.close(self.notifyme_w)

    def deliver(self, rgb: NDArray[np.uint8], stamp_ns: int | None) -> bool:
        """Let the sensor take a picture; whether a buffer was free for it."""
        if self.free_buffers == 0:
            return False
        self.free_buffers -= 1
        config = self.camera_config["lores"]
        width, height = config["size"]
        stride = config["stride"]
        bright, chroma = self.camera_config["colour_space"].encode(rgb)
        luma = np.full((height, stride), 77, np.uint8)  # the padding holds anything
        luma[:, :width] = bright
        padded = np.full((2, height // 2, stride // 2), 200, np.uint8)
        padded[:, :, : width // 2] = chroma
        buffer = np.concatenate([luma.ravel(), padded.ravel()])
        metadata = {} if stamp_ns is None else {"SensorTimestamp": stamp_ns}
        with self._lock:
            self._completed.append(CompletedRequest(self, {"lores": buffer}, metadata))
            while len(self._completed) > 1:  # it keeps one, the newest
                self._completed.pop(0).release()
        self._work()
        return True
