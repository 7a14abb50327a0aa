"""Measures where eyes and mouth lie in the training crops, so that the device can frame alike."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from convert.errors import DataError
from convert.face.data import FaceData
from edge.messages import Frame
from edge.perception.face_finder import FaceFinder
from edge.perception.manifest import Geometry

SAMPLE_ROWS = 1_500
_ZOOM = 4
_MARGIN_PX = 64


def measure_framing(data: FaceData, detectors: Path, seed: int) -> Geometry:
    """Median positions over a random sample of training rows, in pixels of the 48x48 crop.

    MediaPipe's short-range detector, the better one at close-ups, looks at each crop, enlarged
    four times and with its border repeated so that there is room around the face. Medians, because
    a few detections miss; made symmetric, because training mirrors half of all crops.

    Raises:
        DataError: no crop shows a face.
    """
    import cv2

    finder = FaceFinder(detectors, "short", search_width_px=48 * _ZOOM + 2 * _MARGIN_PX)
    rows = np.random.default_rng(seed).choice(data.rows("Training"), SAMPLE_ROWS, replace=False)
    found = []
    for index, row in enumerate(tqdm(rows, desc="framing")):
        large = cv2.resize(
            data.pixels[row], None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_CUBIC
        )
        padded = cv2.copyMakeBorder(
            large, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX, cv2.BORDER_REPLICATE
        )
        rgb = np.ascontiguousarray(np.dstack([padded] * 3), np.uint8)
        # Ten seconds apart: VIDEO mode must not carry one crop's face over to the next.
        faces = finder.find(Frame(rgb, index * 10.0))
        if faces:
            face = max(faces, key=lambda each: each.width_px)
            found.append([face.right_eye, face.left_eye, face.mouth])
    finder.close()
    if not found:
        raise DataError(
            f"No face is found in any of {SAMPLE_ROWS:,} training crops; are the pixels faces?"
        )
    right, left, mouth = (np.median(np.array(found), axis=0) - _MARGIN_PX) / _ZOOM
    print(f"framing: faces found in {len(found)} of {SAMPLE_ROWS} training crops")
    half = (left[0] - right[0]) / 2
    middle, eye_line = 23.5, float((right[1] + left[1]) / 2)
    return Geometry(
        width_px=48,
        height_px=48,
        right_eye=(round(middle - half, 2), round(eye_line, 2)),
        left_eye=(round(middle + half, 2), round(eye_line, 2)),
        mouth=(middle, round(float(mouth[1]), 2)),
    )
