"""Which candidates pass, by the rule of the finder."""

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("tqdm")

from convert.studies.judge import Sights


def test_what_shows_in_the_whole_frame_needs_less_than_what_shows_in_a_tile() -> None:
    sights = Sights(
        np.array([[1.5, -np.inf], [1.5, -np.inf], [0.5, 2.5], [-np.inf, -np.inf]]),
        np.array([[True, False], [False, False], [True, False], [False, False]]),
    )
    assert sights.passed(1.0, 2.0).tolist() == [True, False, True, False]
    assert sights.passed(0.0, 3.0).tolist() == [True, False, True, False]
    assert sights.passed(2.0, 3.0).tolist() == [False] * 4
