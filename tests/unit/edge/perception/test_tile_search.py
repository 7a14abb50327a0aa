import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.messages import Face, Frame
from edge.perception.blaze_face import as_face
from edge.perception.tile_search import TileSearch

GROUND, SKIN, GHOST = 40, 220, 90


def face_at(x: float, y: float, side: float, score: float) -> Face:
    return as_face((x, y), (side, side), [(x + side / 2, y + side / 2)] * 6, score)


class Detector:
    """Sees a bright square as a face if it is neither small nor large in the picture.

    A grey square is taken for one too, but only from afar.
    """

    closed = False

    def find(self, frame: Frame) -> list[Face]:
        longer = max(frame.image.shape[:2])
        faces = []
        for value, score, least, most in ((SKIN, 0.9, 0.0625, 0.6), (GHOST, 0.95, 0.05, 0.25)):
            seen = np.abs(frame.image[..., 0].astype(int) - value) <= 2
            rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
            if len(rows):
                side = float(columns.max() - columns.min() + 1)
                whole = abs(side - (rows.max() - rows.min() + 1)) <= 2
                if whole and least <= side / longer <= most:
                    faces.append(face_at(float(columns.min()), float(rows.min()), side, score))
        return faces

    def close(self) -> None:
        self.closed = True


def picture(width: int, height: int, x: int, y: int, side: int, value: int = SKIN) -> Frame:
    image = np.full((height, width, 3), GROUND, np.uint8)
    image[y : y + side, x : x + side] = value
    return Frame(image, 0.0)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_face_of_any_size_is_found_once_and_in_its_place(data: st.DataObject) -> None:
    width = data.draw(st.integers(640, 1600))
    height = data.draw(st.integers(width // 2, width))
    side = data.draw(st.integers(40, height))
    x, y = data.draw(st.integers(0, width - side)), data.draw(st.integers(0, height - side))
    (face,) = TileSearch(Detector()).find(picture(width, height, x, y, side))
    near = 3 + width / 200  # from afar a picture is scaled down
    assert abs(face.x_px - x) <= near
    assert abs(face.y_px - y) <= near
    assert abs(face.width_px - side) <= near
    assert abs(face.mouth[0] - x - side / 2) <= near


def test_what_is_no_face_from_close_by_is_none() -> None:
    frame = picture(1600, 1200, 1000, 800, 100)
    frame.image[100:260, 200:360] = GHOST
    (face,) = TileSearch(Detector()).find(frame)
    assert (face.x_px, face.y_px) == (1000, 800)
    assert TileSearch(Detector()).find(picture(1600, 1200, 200, 100, 160, GHOST)) == []


def test_closing_the_search_closes_its_finder() -> None:
    detector = Detector()
    TileSearch(detector).close()
    assert detector.closed
