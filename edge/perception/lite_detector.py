"""MediaPipe's face nets run by LiteRT, for processors that MediaPipe itself cannot use."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.messages import Face, Frame
from edge.perception.blaze_face import (
    NETS,
    VALUES,
    anchors,
    as_face,
    blend,
    decode,
    prepare,
    to_frame,
)
from edge.perception.interpreter import Model


class LiteDetector:
    """BlazeFace by `edge.perception.interpreter`. It opens no network."""

    runtime = "LiteRT"

    def __init__(
        self,
        file: Path,
        reach: str,
        min_score: float,
        threads: int = 1,
        content: bytes | None = None,
    ) -> None:
        """Load the net.

        Args:
            file: the one of *reach*.
            reach: "short" or "full".
            min_score: weaker detections are dropped, 0-1.
            threads: how many CPU threads it may use.
            content: of the file, where it has been read and checked already.

        Raises:
            ModelError: LiteRT is not there, or cannot use the file, or it is another net.
        """
        self._model = Model(file, threads, content=content)
        self._side_px = NETS[reach].side_px
        self._anchors = anchors(NETS[reach])
        self._outputs = [self._model.output((1, len(self._anchors), each)) for each in (VALUES, 1)]
        self._min_score = min_score

    def detect(self, small: NDArray[np.uint8], frame: Frame) -> list[Face]:
        """All faces in *small*, a scaled copy of *frame*, in the pixels of *frame*."""
        height, width = frame.image.shape[:2]
        values, logits = self._model.run_all(prepare(small, self._side_px), self._outputs)
        points, scores = blend(
            *decode(values[0], logits[0, :, 0], self._anchors, self._side_px, self._min_score)
        )
        small_height, small_width = small.shape[:2]
        places = to_frame(points, small_width, small_height)
        places *= np.array([width / small_width, height / small_height], np.float32)
        return [_face(*pair) for pair in zip(places, scores, strict=True)]

    def close(self) -> None:
        """Nothing is held that outlives it."""


def _face(points: NDArray[np.float32], score: np.float32) -> Face:
    (x, y), (end_x, end_y), *others = ((float(x), float(y)) for x, y in points)
    return as_face((x, y), (end_x - x, end_y - y), others, float(score))
