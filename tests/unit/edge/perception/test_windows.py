"""Parts of a picture that are looked at."""

import numpy as np
import pytest

from edge.perception.blaze_face import as_face
from edge.perception.windows import cut

PICTURE = np.zeros((480, 640, 3), np.uint8)


@pytest.mark.parametrize(
    ("left", "top", "holds"),
    [(0, 0, {"left", "top"}), (320, 0, {"right", "top"}), (160, 160, {"bottom"}), (100, 80, set())],
)
def test_a_face_at_an_edge_is_whole_only_where_the_picture_ends_too(
    left: int, top: int, holds: set[str]
) -> None:
    window = cut(PICTURE, left, top, 320, 128)
    corners = {"left": (0, 50), "right": (98, 50), "top": (50, 0), "bottom": (50, 98)}
    points = [(60.0, 60.0)] * 6
    seen = {
        edge
        for edge, corner in corners.items()
        if window.holds(as_face(corner, (30, 30), points, 1))
    }
    assert seen == holds
    assert window.holds(as_face((50, 50), (30, 30), points, 1))


def test_what_is_seen_in_a_window_is_where_it_is_in_the_picture() -> None:
    window = cut(PICTURE, -40, 100, 320, 128)
    assert window.image.shape == (128, 128, 3)
    face = window.to_whole(as_face((32, 40), (20, 24), [(36.0, 44.0)] * 6, 0.9))
    assert (face.x_px, face.y_px) == pytest.approx((40, 200))
    assert (face.width_px, face.height_px) == pytest.approx((50, 60))
    assert face.nose == pytest.approx((50, 210))
