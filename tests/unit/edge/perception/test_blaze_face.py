import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.perception.blaze_face import (
    NETS,
    POINTS,
    VALUES,
    anchors,
    blend,
    decode,
    prepare,
    shared,
    to_frame,
)

Floats = NDArray[np.float32]


def detection(x: float, y: float, size: float) -> Floats:
    """Points of a square box from (x, y) on, the six points on its diagonal."""
    corners = [(x, y), (x + size, y + size)]
    inside = [(x + size * k / 7, y + size * k / 7) for k in range(1, 7)]
    return np.array(corners + inside, np.float32)


@st.composite
def detections(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Up to 12 boxes with their scores, best first."""
    tenths = st.integers(0, 100).map(lambda tenth: tenth / 100)
    boxes = draw(st.lists(st.tuples(tenths, tenths, tenths, tenths), max_size=12))
    boxes.sort(key=lambda box: -box[3])
    points = [detection(x, y, size / 2 + 0.01) for x, y, size, _ in boxes]
    scores = np.array([score for *_, score in boxes], np.float32)
    return np.array(points, np.float32).reshape(-1, POINTS, 2), scores


@pytest.mark.parametrize(("reach", "count"), [("short", 896), ("full", 2304)])
def test_anchors_are_the_middles_of_cells_row_by_row(reach: str, count: int) -> None:
    places = anchors(NETS[reach])
    assert places.shape == (count, 2)
    cells, repeats = NETS[reach].grids[0]
    assert places[0] == pytest.approx([0.5 / cells] * 2)
    assert places[repeats] == pytest.approx([1.5 / cells, 0.5 / cells])
    assert places[cells * repeats] == pytest.approx([0.5 / cells, 1.5 / cells])
    assert places.mean(axis=0) == pytest.approx([0.5, 0.5], abs=1e-6)


@pytest.mark.parametrize("side_px", [128, 192])
def test_a_wide_picture_lies_in_the_middle_of_a_black_square(side_px: int) -> None:
    given_to_net = prepare(np.full((240, 320, 3), 255, np.uint8), side_px)
    assert given_to_net.shape == (1, side_px, side_px, 3)
    assert given_to_net.dtype == np.float32
    border = side_px // 8
    rows = given_to_net[0].mean(axis=(1, 2))
    assert (rows[:border] == -1).all()
    assert (rows[border + 1 : -border - 1] > 0.98).all()
    assert (rows[-border + 1 :] == -1).all()


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_the_square_holds_the_whole_frame(width_px: int, height_px: int) -> None:
    middle, corner = np.array([[0.5, 0.5]], np.float32), np.zeros((1, 2), np.float32)
    assert to_frame(middle, width_px, height_px)[0] == pytest.approx([width_px / 2, height_px / 2])
    low, high = to_frame(corner, width_px, height_px), to_frame(corner + 1, width_px, height_px)
    assert (low <= 0).all()
    assert (high >= np.array([width_px, height_px]) - 1e-3).all()
    assert (high - low)[0] == pytest.approx([max(width_px, height_px)] * 2)


def test_values_count_from_their_anchor_in_pixels_of_the_input() -> None:
    values = np.zeros((3, VALUES), np.float32)
    values[1] = [10, -20, 40, 60, *range(12)]
    logits = np.array([-9, 3, -9], np.float32)
    places = np.array([[0, 0], [0.5, 0.25], [1, 1]], np.float32)
    points, scores = decode(values, logits, places, 100, 0.5)
    assert scores == pytest.approx([1 / (1 + np.exp(-3))])
    assert points[0, :2] == pytest.approx(np.array([[0.4, -0.25], [0.8, 0.35]]), abs=1e-6)
    inside = np.array([0.5, 0.25]) + np.arange(12).reshape(6, 2) / 100
    assert points[0, 2:] == pytest.approx(inside, abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_what_is_decoded_is_sure_enough_finite_and_best_first(seed: int, min_score: float) -> None:
    random = np.random.default_rng(seed)
    odd = np.array([np.nan, np.inf, -np.inf, 1e38], np.float32)
    values = random.normal(0, 50, (60, VALUES)).astype(np.float32)
    logits = random.normal(0, 60, 60).astype(np.float32)
    values[random.integers(60, size=8), random.integers(VALUES, size=8)] = random.choice(odd, 8)
    logits[random.integers(60, size=4)] = random.choice(odd, 4)
    points, scores = decode(values, logits, random.random((60, 2), np.float32), 128, min_score)
    assert points.shape == (len(scores), POINTS, 2)
    assert np.isfinite(points).all()
    assert (scores >= np.float32(min_score)).all()
    assert (scores <= 1).all()
    assert (np.diff(scores) <= 0).all()
    assert (points[:, 1] >= points[:, 0]).all()


def test_nothing_found_is_no_face() -> None:
    empty = np.zeros((5, VALUES), np.float32)
    found = decode(empty, np.full(5, -50, np.float32), np.zeros((5, 2), np.float32), 128, 0.5)
    points, scores = blend(*found)
    assert points.shape == (0, POINTS, 2)
    assert scores.shape == (0,)


def test_detections_of_one_face_become_their_mean_by_score() -> None:
    points = np.stack(
        [detection(0.2, 0.2, 0.4), detection(0.24, 0.2, 0.4), detection(0.8, 0.8, 0.1)]
    )
    faces, scores = blend(points, np.array([0.9, 0.6, 0.55], np.float32))
    assert scores == pytest.approx([0.9, 0.55])
    assert faces[0, 0] == pytest.approx([(0.9 * 0.2 + 0.6 * 0.24) / 1.5, 0.2], abs=1e-6)
    assert faces[1] == pytest.approx(points[2])


@pytest.mark.parametrize(("apart", "faces"), [(0.5, 1), (0.6, 2)])
def test_a_third_of_a_box_is_one_face_and_a_quarter_two(apart: float, faces: int) -> None:
    points = np.stack([detection(0, 0, 1), detection(apart, 0, 1)])
    assert len(blend(points, np.array([0.9, 0.8], np.float32))[1]) == faces


@given(detections())
def test_blending_keeps_the_best_and_invents_nothing(found: tuple[Floats, Floats]) -> None:
    points, scores = found
    faces, best = blend(points, scores)
    assert len(faces) == len(best) <= len(scores)
    assert (len(faces) > 0) == (len(scores) > 0)
    assert (np.diff(best) <= 0).all()
    assert set(best.tolist()) <= set(scores.tolist())
    if len(scores):
        assert best[0] == scores[0]
        assert (faces >= points.min(axis=0) - 1e-5).all()
        assert (faces <= points.max(axis=0) + 1e-5).all()


@given(detections())
def test_what_shares_little_stays_as_it_is(found: tuple[Floats, Floats]) -> None:
    points, scores = found
    apart = points + np.arange(len(points), dtype=np.float32)[:, None, None] * 2
    faces, best = blend(apart, scores)
    assert faces == pytest.approx(apart, rel=1e-5)
    assert (best == scores).all()


@given(detections())
def test_shares_lie_between_none_and_all(found: tuple[Floats, Floats]) -> None:
    points, _ = found
    for one in points:
        shares = shared(one, points)
        assert (shares >= 0).all()
        assert (shares <= 1 + 1e-5).all()
        assert shares.max() == pytest.approx(1, abs=1e-4)
