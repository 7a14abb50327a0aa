"""Short against full range: which faces each MediaPipe detector finds, how well, at what cost."""

import math
import time
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from convert.errors import DataError
from edge.messages import Face, Frame
from edge.perception.face_finder import FaceFinder

FRAME = (640, 480)
FACE_WIDTHS_PX = (24, 32, 40, 56, 80, 120, 180, 260)
SEARCH_WIDTHS_PX = (192, 320, 640)
_SHIFTS = 12


def compare_finders(portrait: Path, detectors: Path) -> None:
    """Print one table: the portrait's face at several sizes in a 640x480 frame.

    "eyes off" is the median distance of the eyes from where the short-range detector sees them in
    the unscaled portrait, in percent of the distance between the eyes.

    Raises:
        DataError: the portrait cannot be read or shows no face.
    """
    import cv2

    picture = cv2.imread(str(portrait)) if portrait.is_file() else None
    if picture is None:
        raise DataError(f"{portrait} is no picture that can be read; name one with --portrait.")
    rgb = np.ascontiguousarray(picture[:, :, ::-1], np.uint8)
    reference = _largest(FaceFinder(detectors, "short", search_width_px=640).find(Frame(rgb, 0)))
    if reference is None:
        raise DataError(f"No face is found in {portrait}.")
    apart = math.dist(reference.right_eye, reference.left_eye)
    print("| search width | face width | short: found | eyes off | full: found | eyes off |")
    print("|---|---|---|---|---|---|")
    costs: dict[tuple[int, str], list[float]] = {}
    for search_px in SEARCH_WIDTHS_PX:
        finders = {
            reach: FaceFinder(detectors, reach, search_width_px=search_px)
            for reach in ("short", "full")
        }
        t_s = 0.0
        for width_px in FACE_WIDTHS_PX:
            cells = []
            scale = width_px / reference.width_px
            for reach, finder in finders.items():
                errors = []
                for shift in range(_SHIFTS):
                    transform = _placement(reference, scale, shift)
                    image = cv2.warpAffine(
                        rgb, transform, FRAME, flags=cv2.INTER_AREA, borderValue=(96, 96, 96)
                    )
                    t_s += 10  # far apart: VIDEO mode must not carry a face over
                    began_s = time.perf_counter()
                    face = _largest(finder.find(Frame(np.asarray(image, np.uint8), t_s)))
                    costs.setdefault((search_px, reach), []).append(time.perf_counter() - began_s)
                    if face is not None:
                        errors.append(_eye_error(face, reference, transform) / (apart * scale))
                off = f"{median(errors):.0%}" if errors else "-"
                cells.append(f"{len(errors)}/{_SHIFTS} | {off}")
            print(f"| {search_px} px | {width_px} px | {cells[0]} | {cells[1]} |")
        for finder in finders.values():
            finder.close()
    for (search_px, reach), seconds in sorted(costs.items()):
        print(f"{reach}, {search_px} px: median {median(seconds) * 1000:.1f} ms a frame")


def _largest(faces: list[Face]) -> Face | None:
    return max(faces, key=lambda face: face.width_px, default=None)


def _placement(face: Face, scale: float, shift: int) -> NDArray[np.float64]:
    """Scale about the face's middle, which goes to one of twelve places on a ring."""
    angle = 2 * math.pi * shift / _SHIFTS
    x = FRAME[0] / 2 + 110 * math.cos(angle)
    y = FRAME[1] / 2 + 60 * math.sin(angle)
    middle_x, middle_y = face.x_px + face.width_px / 2, face.y_px + face.height_px / 2
    return np.array([[scale, 0, x - scale * middle_x], [0, scale, y - scale * middle_y]])


def _eye_error(face: Face, reference: Face, transform: NDArray[np.float64]) -> float:
    """Mean distance of both eyes from where the transform puts the reference's, px."""
    pairs = ((face.right_eye, reference.right_eye), (face.left_eye, reference.left_eye))
    return sum(
        math.dist(found, transform[:, :2] @ np.array(wanted) + transform[:, 2])
        for found, wanted in pairs
    ) / len(pairs)
