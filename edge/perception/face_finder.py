"""Finds faces with BlazeFace, MediaPipe's face detector."""

import hashlib
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.messages import Face, Frame
from edge.perception.blaze_face import as_face
from edge.perception.detector_files import DETECTOR_FILES
from edge.perception.lite_detector import LiteDetector
from edge.perception.mediapipe_tasks import check_processor, import_vision
from edge.process.no_network import offline
from edge.process.pip_command import pip_install
from edge.process.regular_files import read_regular

FETCH: Final = "python -m edge.fetch"
LARGEST_BYTES: Final = 10_000_000
"""The detectors have less than 1 MB."""


class Detector(Protocol):
    """What looks for faces."""

    runtime: str
    """What it is run by, for people: "MediaPipe" or "LiteRT"."""

    def detect(self, small: NDArray[np.uint8], frame: Frame) -> list[Face]:
        """All faces in *small*, a scaled copy of *frame*, in the pixels of *frame*."""

    def close(self) -> None:
        """Free what it holds."""


class FaceFinder:
    """BlazeFace, on a downscaled copy of each frame.

    Run by MediaPipe, or by LiteRT on a processor that MediaPipe cannot use.
    """

    def __init__(
        self,
        models: Path,
        reach: str = "full",
        min_score: float = 0.5,
        search_width_px: int = 320,
    ) -> None:
        """Load the detector.

        Args:
            models: folder with the two models that `python -m edge.fetch` fetches.
            reach: "full" (faces from 40 px in a 640 px frame) or "short" (from 80 px, cheaper);
                `python -m convert finders` measures both.
            min_score: weaker detections are dropped, 0-1.
            search_width_px: width of the picture that is searched.

        Raises:
            ModelError: the detector's model is missing, damaged or cannot be loaded, or MediaPipe
                cannot be kept from the network.
        """
        file = models / DETECTOR_FILES[reach].name
        self._detector = _open(file, read_detector(models, reach), reach, min_score)
        self.runtime = self._detector.runtime
        self._width_px = search_width_px

    def find(self, frame: Frame) -> list[Face]:
        """All faces in *frame*, in its own pixels."""
        return self._detector.detect(_shrink(frame.image, self._width_px), frame)

    def close(self) -> None:
        """Free the detector."""
        self._detector.close()


class MediaPipeDetector:
    """MediaPipe's face detector in VIDEO mode."""

    runtime = "MediaPipe"

    def __init__(self, file: Path, content: bytes, min_score: float) -> None:
        """Load the net *content* that was read from *file*.

        Raises:
            ModelError: MediaPipe cannot load it, or it cannot be kept from the network.
        """
        try:
            vision, base_options, self._image = import_vision()
            from mediapipe import ImageFormat
        except (ImportError, OSError) as error:
            raise ModelError(
                f"MediaPipe cannot be loaded ({error}); install what it needs with: "
                f"sudo apt install libegl1 libgles2 libgl1 && {pip_install('mediapipe>=1.2')}"
            ) from error
        try:
            options = vision.FaceDetectorOptions(
                base_options=base_options(model_asset_buffer=content),
                running_mode=vision.RunningMode.VIDEO,
                min_detection_confidence=min_score,
            )
            self._detector: Any = offline(lambda: vision.FaceDetector.create_from_options(options))
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"MediaPipe cannot use {file} ({error}); delete it and fetch it again with: {FETCH}"
            ) from error
        self._format = ImageFormat.SRGB
        self._last_ms = -1

    def detect(self, small: NDArray[np.uint8], frame: Frame) -> list[Face]:
        """All faces in *small*, a scaled copy of *frame*, in the pixels of *frame*."""
        height, width = frame.image.shape[:2]
        # VIDEO mode refuses a time stamp that does not rise.
        self._last_ms = max(self._last_ms + 1, int(frame.t_s * 1000))
        found = self._detector.detect_for_video(
            self._image(image_format=self._format, data=small), self._last_ms
        )
        scale = width / small.shape[1]
        return [_face(detection, width, height, scale) for detection in found.detections]

    def close(self) -> None:
        """Free the detector."""
        self._detector.close()


def read_detector(models: Path, reach: str) -> bytes:
    """The file of the detector "short" or "full" in the folder *models*.

    Raises:
        ModelError: it is missing, or another file: a damaged one can end the whole program (SIGSEGV).
    """
    wanted = DETECTOR_FILES[reach]
    file = models / wanted.name
    again = f"delete it and fetch it again with: {FETCH}"
    try:
        content = read_regular(file, LARGEST_BYTES)
    except FileNotFoundError as error:
        raise ModelError(
            f"MediaPipe's face model {wanted.name} is not in {models}; fetch it with: {FETCH}"
        ) from error
    except OSError as error:
        raise ModelError(f"{file} cannot be read ({error.strerror}); {again}") from error
    if hashlib.sha256(content).hexdigest() != wanted.sha256:
        raise ModelError(f"{file} is damaged or another file (its SHA-256 is wrong); {again}")
    return content


def _open(file: Path, content: bytes, reach: str, min_score: float) -> Detector:
    try:
        check_processor()
    except ModelError:
        # Only here: elsewhere MediaPipe stays, see docs/decisions/002.
        return LiteDetector(file, reach, min_score, content=content)
    return MediaPipeDetector(file, content, min_score)


def _shrink(image: NDArray[np.uint8], width_px: int) -> NDArray[np.uint8]:
    """Scale down to *width_px*, keeping the aspect; never up."""
    import cv2

    height, width = image.shape[:2]
    if width <= width_px:
        return np.ascontiguousarray(image)
    size = (width_px, max(1, round(height * width_px / width)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _face(detection: Any, width: int, height: int, scale: float) -> Face:
    box = detection.bounding_box
    return as_face(
        (box.origin_x * scale, box.origin_y * scale),
        (box.width * scale, box.height * scale),
        [(point.x * width, point.y * height) for point in detection.keypoints[:6]],
        float(detection.categories[0].score),
    )
