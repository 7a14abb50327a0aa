"""BlazeFace as MediaPipe runs it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.messages import Face, Frame
from edge.perception.blaze_face import as_face
from edge.perception.detector_files import FETCH
from edge.perception.mediapipe_tasks import import_vision
from edge.process.no_network import offline
from edge.process.pip_command import pip_install


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


def _face(detection: Any, width: int, height: int, scale: float) -> Face:
    box = detection.bounding_box
    return as_face(
        (box.origin_x * scale, box.origin_y * scale),
        (box.width * scale, box.height * scale),
        [(point.x * width, point.y * height) for point in detection.keypoints[:6]],
        float(detection.categories[0].score),
    )
