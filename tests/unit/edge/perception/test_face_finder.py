from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.perception.face_finder import FaceFinder


def test_missing_detector_is_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"face_detection_short_range.*python -m edge.fetch"):
        FaceFinder(tmp_path)
