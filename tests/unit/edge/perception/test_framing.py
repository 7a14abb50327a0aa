import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.messages import Face, Frame
from edge.perception.framing import align, fit_similarity
from edge.perception.manifest import Geometry

GEOMETRY = Geometry(
    width_px=48, height_px=48, right_eye=(14.6, 19.0), left_eye=(32.4, 19.0), mouth=(23.5, 37.4)
)


def posed_face(center: tuple[float, float], scale: float, degrees: float) -> Face:
    """A face whose features lie as in training, turned, scaled and put at *center*."""
    turn = scale * complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))

    def at(point: tuple[float, float]) -> tuple[float, float]:
        moved = (complex(*point) - complex(23.5, 23.5)) * turn + complex(*center)
        return (moved.real, moved.imag)

    side = 40 * scale
    return Face(
        center[0] - side / 2,
        center[1] - side / 2,
        side,
        side,
        right_eye=at(GEOMETRY.right_eye),
        left_eye=at(GEOMETRY.left_eye),
        nose=at((23.5, 28)),
        mouth=at(GEOMETRY.mouth),
        right_ear=at((4, 22)),
        left_ear=at((43, 22)),
        score=0.9,
    )


def frame_with_dots(face: Face, radius_px: float) -> Frame:
    """Dark frame with white discs at the eyes and the mouth of *face*."""
    y, x = np.mgrid[:480, :640]
    image = np.full((480, 640), 40, np.uint8)
    for px, py in (face.right_eye, face.left_eye, face.mouth):
        image[(x - px) ** 2 + (y - py) ** 2 <= radius_px**2] = 255
    return Frame(np.dstack([image] * 3), 0.0)


def center_of_mass(crop: NDArray[np.uint8], near: tuple[float, float]) -> tuple[float, float]:
    x0, y0 = round(near[0]) - 5, round(near[1]) - 5
    patch = crop[y0 : y0 + 11, x0 : x0 + 11].astype(float) - 40
    y, x = np.mgrid[:11, :11]
    return (
        float((patch * x).sum() / patch.sum()) + x0,
        float((patch * y).sum() / patch.sum()) + y0,
    )


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.5, 5.0])
@pytest.mark.parametrize("degrees", [-35, 0, 20])
def test_crop_has_eyes_and_mouth_where_training_has_them(scale: float, degrees: float) -> None:
    face = posed_face((320, 240), scale, degrees)
    crop = align(frame_with_dots(face, 2.2 * scale), face, GEOMETRY)
    assert crop.shape == (48, 48)
    assert crop.dtype == np.uint8
    for wanted in (GEOMETRY.right_eye, GEOMETRY.left_eye, GEOMETRY.mouth):
        assert math.dist(center_of_mass(crop, wanted), wanted) < 0.5


@given(
    st.floats(0.1, 10),
    st.floats(-math.pi, math.pi),
    st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_similarity_is_recovered_exactly(
    scale: float, angle: float, shift: tuple[float, float]
) -> None:
    source = np.array([[10.0, 20.0], [40.0, 22.0], [25.0, 50.0]])
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    found = fit_similarity(source, source @ turn.T + shift)
    np.testing.assert_allclose(found[:, :2], turn, atol=1e-6)
    np.testing.assert_allclose(found[:, 2], shift, atol=1e-4)


def test_three_equal_points_do_not_break_the_fit() -> None:
    assert np.isfinite(fit_similarity(np.zeros((3, 2)), np.eye(3)[:, :2])).all()


def test_a_face_half_outside_and_eyes_and_mouth_in_one_point_still_give_a_crop() -> None:
    outside, face = posed_face((5, 470), 3.0, 10), posed_face((320, 240), 2, 0)
    point = dataclasses.replace(face, right_eye=face.mouth, left_eye=face.mouth)
    for each in (outside, point):
        assert align(frame_with_dots(each, 5), each, GEOMETRY).shape == (48, 48)
