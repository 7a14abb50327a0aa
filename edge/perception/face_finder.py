"""Finds the faces in a frame with BlazeFace, MediaPipe's face detector."""

import hashlib
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.messages import Face, Frame
from edge.perception.auto_finder import FAR_SIGN, AutoFinder, Judge
from edge.perception.detector_files import DETECTOR_FILES, FETCH
from edge.perception.lite_detector import LiteDetector
from edge.perception.mediapipe_detector import MediaPipeDetector
from edge.perception.mediapipe_tasks import check_processor
from edge.process.regular_files import read_regular

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
    """BlazeFace, by itself or following the faces that it knows.

    Run by MediaPipe, or by LiteRT on a processor that MediaPipe cannot use.
    """

    def __init__(
        self,
        models: Path,
        reach: str = "auto",
        min_score: float = 0.5,
        search_width_px: int = 320,
    ) -> None:
        """Load the detector.

        Args:
            models: folder with the two models that `python -m edge.fetch` fetches.
            reach: "auto" (near and far, see `AutoFinder`), or one detector on the whole frame:
                "full" (faces from 40 px in a 640 px frame) or "short" (from 80 px, cheaper);
                `python -m convert finders` measures all three.
            min_score: weaker detections are dropped, 0-1.
            search_width_px: width of the picture that is searched by "full" and "short".

        Raises:
            ModelError: the detector's model is missing, damaged or cannot be loaded, or MediaPipe
                cannot be kept from the network.
        """
        auto = reach == "auto"
        net = "short" if auto else reach
        lowest = min(FAR_SIGN, min_score) if auto else min_score
        file = models / DETECTOR_FILES[net].name
        self._detector = _open(file, read_detector(models, net), net, lowest)
        self._auto = AutoFinder(self._detector.detect, min_score) if auto else None
        self.runtime = self._detector.runtime
        self._width_px = search_width_px

    def judged_by(self, judge: Judge) -> None:
        """Let *judge* have a say in what is a face, where the finder looks more than once: "auto"."""
        if self._auto is not None:
            self._auto.judged_by(judge)

    def find(self, frame: Frame) -> list[Face]:
        """All faces in *frame*, in its own pixels."""
        if self._auto is not None:
            return self._auto.find(frame)
        return self._detector.detect(_shrink(frame.image, self._width_px), frame)

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
