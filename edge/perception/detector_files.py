"""The files of MediaPipe's face detectors. Imports nothing that has to be installed."""

from typing import Final, NamedTuple

FETCH: Final = "python -m edge.fetch"


class DetectorFile(NamedTuple):
    """One of them, as MediaPipe 0.10.18 had it."""

    name: str
    sha256: str


DETECTOR_FILES: Final = {
    "short": DetectorFile(
        "face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    "full": DetectorFile(
        "face_detection_full_range_sparse.tflite",
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    ),
}
