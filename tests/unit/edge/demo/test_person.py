import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.demo.cutout import cut_out
from edge.demo.landmarks import EXPRESSIONS, MOUTH_CENTER_X
from edge.demo.person import SCALE, X0, X1, Y0, Y1, Look, Person
from edge.demo.spline import backward_map, bend
from tests.fakes.portrait import IRIS, draw_portrait

coordinate = st.floats(-2, 2, allow_nan=False)


@pytest.fixture(scope="module")
def portrait() -> NDArray[np.uint8]:
    return draw_portrait()


@pytest.fixture(scope="module")
def person(portrait: NDArray[np.uint8]) -> Person:
    return Person(portrait)


def _at(portrait_x: float, portrait_y: float) -> tuple[int, int]:
    """Row and column in a drawn layer."""
    return round(portrait_y * SCALE), round(portrait_x * SCALE)


def _part(
    layer: NDArray[np.uint8], x0: float, y0: float, x1: float, y1: float
) -> NDArray[np.uint8]:
    (top, left), (bottom, right) = _at(x0, y0), _at(x1, y1)
    return layer[top:bottom, left:right, :3]


@given(st.tuples(*[coordinate] * 6))
@settings(deadline=None)
def test_spline_reproduces_any_affine_motion(numbers: tuple[float, ...]) -> None:
    random = np.random.default_rng(3)
    at, where = random.uniform(0, 100, (12, 2)), random.uniform(-50, 150, (30, 2))
    matrix, shift = np.array(numbers[:4]).reshape(2, 2), np.array(numbers[4:])
    found = bend(at, at @ matrix + shift, where)
    np.testing.assert_allclose(found, where @ matrix + shift, atol=1e-6)


def test_map_carries_a_point_to_where_it_shall_be_and_leaves_others() -> None:
    picture = np.zeros((120, 160), np.float32)
    cv2.circle(picture, (60, 50), 3, 1.0, -1)
    cv2.circle(picture, (130, 100), 3, 1.0, -1)
    fixed = [(0, 0), (159, 0), (0, 119), (159, 119), (130, 100), (110, 60)]
    source = np.array([(60, 50), *fixed], dtype=np.float64)
    moved = np.array([(72, 41), *fixed], dtype=np.float64)
    map_x, map_y = backward_map(source, moved, 160, 120)
    bent = cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR)
    rows, columns = np.nonzero(bent[:70, :100] > 0.5)
    assert columns.mean() == pytest.approx(72, abs=1)
    assert rows.mean() == pytest.approx(41, abs=1)
    rows, columns = np.nonzero(bent[80:] > 0.5)
    assert columns.mean() == pytest.approx(130, abs=1)
    assert rows.mean() + 80 == pytest.approx(100, abs=1)


def test_cut_out_keeps_the_woman_and_drops_the_room(portrait: NDArray[np.uint8]) -> None:
    alpha = cut_out(portrait)
    assert alpha.shape == (512, 512)
    for x, y in ((225, 120), (228, 40), (225, 240), (120, 330)):  # face, hair, collar, suit
        assert alpha[y, x] == 1.0
    for x, y in ((60, 60), (400, 100), (30, 200), (320, 180)):
        assert alpha[y, x] == 0.0
    assert ((alpha > 0.2) & (alpha < 0.8)).any()  # a soft edge


def test_her_own_smile_is_the_photograph_itself(
    person: Person, portrait: NDArray[np.uint8]
) -> None:
    layer = person.draw(Look({"happy": 1.0}))
    whole = cv2.resize(portrait, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
    difference = np.abs(layer[..., :3].astype(int) - whole[: len(layer)].astype(int))
    assert difference.max() <= 25  # where the cartoon's edges are sharper than any photograph's
    assert difference.mean() < 0.05


@pytest.mark.parametrize("name", [name for name in EXPRESSIONS if name != "happy"])
def test_expressions_change_the_face_and_nothing_else(person: Person, name: str) -> None:
    smile, other = person.draw(Look({"happy": 1.0})), person.draw(Look({name: 1.0}))
    changed = np.argwhere(np.abs(smile.astype(int) - other.astype(int)).max(axis=2) > 4)
    assert len(changed) > 1000
    assert np.array_equal(smile[..., 3], other[..., 3])
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
    assert top >= Y0 * SCALE and bottom <= Y1 * SCALE
    assert left >= X0 * SCALE and right <= X1 * SCALE


@pytest.mark.parametrize("name", ["neutral", "sad"])
def test_closed_mouth_shows_no_teeth(person: Person, name: str) -> None:
    def teeth(look: str) -> int:
        mouth = _part(person.draw(Look({look: 1.0})), 198, 136, 250, 160)
        return int(np.count_nonzero(mouth.min(axis=2) > 215))

    assert teeth("happy") > 300
    assert teeth(name) < 0.03 * teeth("happy")


def test_surprise_opens_a_dark_mouth_and_lifts_the_brows(person: Person) -> None:
    surprise = person.draw(Look({"surprise": 1.0}))
    inside = _part(surprise, MOUTH_CENTER_X - 3, 152, MOUTH_CENTER_X + 3, 157)
    assert inside.max() < 90
    assert _brow_y(surprise, inner=True) < _brow_y(person.draw(Look({"neutral": 1.0})), True) - 2


def _brow_y(layer: NDArray[np.uint8], inner: bool) -> float:
    """Height of her right brow's dark line, portrait pixels."""
    x0, x1 = (208, 220) if inner else (188, 194)
    part = _part(layer, x0, 83, x1, 99).astype(float).sum(axis=2)
    dark = np.clip(part.max() - part - 120, 0, None)
    rows = np.arange(len(part))[:, None]
    return 83 + float((dark * rows).sum() / dark.sum()) / SCALE


def test_anger_lowers_the_inner_brows_and_sadness_raises_them(person: Person) -> None:
    neutral, angry, sad = (person.draw(Look({n: 1.0})) for n in ("neutral", "angry", "sad"))
    assert _brow_y(angry, inner=True) > _brow_y(neutral, inner=True) + 2
    assert _brow_y(sad, inner=True) < _brow_y(neutral, inner=True) - 2


def test_shut_eyes_hide_the_iris(person: Person) -> None:
    def iris(closed: float) -> int:
        eyes = _part(person.draw(Look({"happy": 1.0}, eyes_closed=closed)), 195, 96, 256, 104)
        return int(np.count_nonzero(np.abs(eyes.astype(int) - IRIS).max(axis=2) < 25))

    assert iris(0.0) > 40
    assert iris(1.0) < 0.1 * iris(0.0)
