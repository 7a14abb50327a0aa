"""The search for faces near and far, with a detector that sees what is not too small or too large."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.messages import Face, Frame
from edge.perception.auto_finder import FAR_ODDS, NEAR_ODDS, AutoFinder, sureness
from edge.perception.blaze_face import as_face

GROUND, SKIN, GHOST = 40, 220, 130
FRAME_S = 1 / 15


class Detector:
    """Sees bright squares as faces, best if they take up half of what it looks at.

    A square of another brightness is a likely face to it from afar, and hardly one from close by.
    """

    most = 1.0
    """How sure it is at most."""

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, image: NDArray[np.uint8], frame: Frame) -> list[Face]:
        self.calls += 1
        side = max(image.shape[:2])
        found = []
        for value in (SKIN, GHOST):
            seen = np.abs(image[..., 0].astype(int) - value) <= 40
            for x, y, width, height in self.squares(seen):
                share = max(width, height) / side
                if min(width, height) < 0.8 * max(width, height) or not 0.09 < share < 0.8:
                    continue
                score = 0.95 - abs(share - 0.5) if value == SKIN else 0.9 - 1.5 * share
                points = [(x + width / 2, y + height / 2)] * 6
                found.append(as_face((x, y), (width, height), points, min(score, self.most)))
        return [face for face in found if face.score > 0.15]

    @staticmethod
    def squares(seen: NDArray[np.bool_]) -> list[tuple[float, float, float, float]]:
        """Each run of columns with something in it, and its rows."""
        columns = np.flatnonzero(np.diff(np.pad(seen.any(axis=0), 1).astype(int)))
        runs = zip(columns[::2], columns[1::2], strict=True)
        boxes = []
        for first, end in runs:
            rows = np.flatnonzero(seen[:, first:end].any(axis=1))
            boxes.append((first, rows[0], end - first, rows[-1] + 1 - rows[0]))
        return boxes


def room(*squares: tuple[int, int, int], value: int = SKIN) -> NDArray[np.uint8]:
    """640x480 with squares at x, y of a side."""
    image = np.full((480, 640, 3), GROUND, np.uint8)
    for x, y, side in squares:
        image[max(0, y) : max(0, y + side), max(0, x) : max(0, x + side)] = value
    return image


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_face_of_any_size_is_found_in_the_first_frame(data: st.DataObject) -> None:
    side = data.draw(st.integers(40, 480))
    x, y = data.draw(st.integers(0, 640 - side)), data.draw(st.integers(0, 480 - side))
    (face,) = AutoFinder(Detector().detect).find(Frame(room((x, y, side)), 5.0))
    near = 3 + side / 30
    assert face.x_px == pytest.approx(x, abs=near)
    assert face.y_px == pytest.approx(y, abs=near)
    assert face.width_px == pytest.approx(side, abs=near)


def test_a_head_larger_than_the_frame_is_found() -> None:
    assert AutoFinder(Detector().detect).find(Frame(room((60, -24, 528)), 0.0))


def test_what_is_a_face_only_from_afar_is_none() -> None:
    detector = Detector()
    finder = AutoFinder(detector.detect)
    frames = [Frame(room((200, 200, 90), value=GHOST), number * FRAME_S) for number in range(40)]
    assert not any(finder.find(frame) for frame in frames)


def test_a_face_is_followed_with_one_look_at_most_frames() -> None:
    detector = Detector()
    finder = AutoFinder(detector.detect)
    calls = []
    for number in range(60):
        before, x = detector.calls, 40 + 5 * number
        (face,) = finder.find(Frame(room((x, 100, 120)), number * FRAME_S))
        assert face.x_px == pytest.approx(x, abs=6)
        calls.append(detector.calls - before)
    assert sorted(calls)[30] == 1
    assert max(calls[1:]) <= 2


def test_a_face_that_goes_is_gone_at_once_and_a_new_one_is_found_soon() -> None:
    finder = AutoFinder(Detector().detect)
    t_s = 0.0
    for squares, expected in (([(100, 100, 120)], 1), ([], 0), ([(500, 40, 60)], 1)):
        waited = 0
        while len(finder.find(Frame(room(*squares), t_s))) != expected:
            t_s, waited = t_s + FRAME_S, waited + 1
            assert waited < 8 and squares, "half a second"
        t_s += FRAME_S


def test_a_second_face_joins_the_first_and_both_stay() -> None:
    finder = AutoFinder(Detector().detect)
    for number in range(60):
        squares = [(40, 100, 120)] + [(400, 300, 60)] * (number >= 10)
        faces = finder.find(Frame(room(*squares), number * FRAME_S))
    assert sorted(round(face.x_px / 10) for face in faces) == [4, 40]


def test_a_known_face_may_become_less_sure_and_what_stands_beside_it_may_not() -> None:
    for x, expected in ((100, 1), (225, 0)):
        detector = Detector()
        finder = AutoFinder(detector.detect)
        assert finder.find(Frame(room((100, 100, 120)), 0.0))
        detector.most = 0.55
        seen = [len(finder.find(Frame(room((x, 100, 120)), n * FRAME_S))) for n in range(1, 20)]
        assert seen == [expected] * 19


def test_a_doubtful_face_is_one_only_while_there_is_no_surer_one() -> None:
    class Badge(Detector):
        """Sees a face in a darker square too, not as surely."""

        def detect(self, image: NDArray[np.uint8], frame: Frame) -> list[Face]:
            found = []
            for value, most in ((SKIN, 1.0), (160, 0.77)):
                shown = np.where(np.abs(image.astype(int) - value) <= 20, SKIN, 0).astype(np.uint8)
                self.most = most
                found += super().detect(shown, frame)
            return found

    image = room((60, 60, 200), value=160)
    finder = AutoFinder(Badge().detect)
    assert len(finder.find(Frame(image, 0.0))) == 1
    image[300:400, 400:500] = SKIN
    seen = [finder.find(Frame(image, n * FRAME_S)) for n in range(1, 12)]
    assert round(seen[-1][0].x_px / 10) == 40 and len(seen[-1]) in (1, 2)
    (only,) = AutoFinder(Badge().detect).find(Frame(image, 0.0))
    assert only.x_px == pytest.approx(400, abs=6)


def test_of_a_crowd_nobody_comes_and_goes() -> None:
    finder = AutoFinder(Detector().detect)
    people = room(*((20 + 78 * n, 60 + 40 * (n % 3), 56) for n in range(8)))
    counts = [len(finder.find(Frame(people, n * FRAME_S))) for n in range(60)]
    assert counts == sorted(counts)
    assert counts[-1] == 8
    gone = [len(finder.find(Frame(room(), (60 + n) * FRAME_S))) for n in range(12)]
    assert gone[-1] == 0


def test_what_is_no_number_is_no_face_and_a_frame_of_another_size_is_searched_anew() -> None:
    nowhere = as_face((float("nan"), 1.0), (9.0, 9.0), [(1.0, 1.0)] * 6, 0.9)
    flat = as_face((1.0, 1.0), (0.0, 9.0), [(1.0, 1.0)] * 6, 0.9)
    broken = AutoFinder(lambda image, frame: [nowhere, flat])
    assert broken.find(Frame(room(), 0.0)) == broken.find(Frame(room(), FRAME_S)) == []
    finder = AutoFinder(Detector().detect)
    assert finder.find(Frame(room((100, 100, 120)), 0.0))
    small = np.ascontiguousarray(room((400, 200, 120))[::2, ::2])
    (face,) = finder.find(Frame(small, FRAME_S))
    assert face.x_px == pytest.approx(200, abs=6)


def test_no_frame_of_a_busy_picture_is_searched_without_end() -> None:
    detector = Detector()
    finder = AutoFinder(detector.detect)
    ghosts = room(*((30 + 100 * n, 200, 60) for n in range(6)), value=GHOST)
    counts = [0]
    for number in range(30):
        finder.find(Frame(ghosts, number * FRAME_S))
        counts.append(detector.calls)
    first, *others = [after - before for before, after in pairwise(counts)]
    assert first <= 14
    assert max(others) <= 8


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 3), (1080, 1920), (96, 96)])
def test_a_frame_of_any_shape_is_searched(size: tuple[int, int]) -> None:
    finder = AutoFinder(Detector().detect)
    for number in range(20):
        assert finder.find(Frame(np.full((*size, 3), GROUND, np.uint8), number * FRAME_S)) == []


def test_a_judge_has_a_say_in_what_is_new_and_the_detector_in_what_it_is_asked() -> None:
    asked: list[float] = []

    def judge(face: Face, frame: Frame) -> float:
        asked.append(face.width_px)
        return 9.0 if face.width_px > 150 else -9.0

    finder = AutoFinder(Detector().detect)
    finder.judged_by(judge)
    assert finder.find(Frame(room((200, 150, 80)), 0.0)) == []
    (face,) = finder.find(Frame(room((200, 150, 200)), 10.0))
    assert face.width_px == pytest.approx(200, abs=9)
    assert asked and all(width == pytest.approx(80, abs=9) for width in asked[:-1])
    before = len(asked)
    assert finder.find(Frame(room((203, 150, 200)), 10.0 + FRAME_S))
    assert len(asked) == before  # what is followed is known already


def test_a_judge_can_be_surer_than_the_detector() -> None:
    detector = Detector()
    detector.most = 0.55
    image = room((200, 150, 200))
    assert AutoFinder(detector.detect).find(Frame(image, 0.0)) == []
    finder = AutoFinder(detector.detect)
    finder.judged_by(lambda face, frame: 5.0)
    assert finder.find(Frame(image, 0.0))


def test_who_a_judge_let_in_stays_beside_somebody_surer() -> None:
    detector = Detector()
    image = room((60, 150, 180))
    image[150:330, 420:600] = SKIN - 30

    def doubted(small: NDArray[np.uint8], frame: Frame) -> list[Face]:
        """The darker of both is a face to it only just."""
        found = []
        for face in detector.detect(small, frame):
            middle = small[int(face.nose[1]), int(face.nose[0]), 0]
            found.append(replace(face, score=0.6) if middle < SKIN - 10 else face)
        return found

    finder = AutoFinder(doubted)
    finder.judged_by(lambda face, frame: 6.0)
    assert [len(finder.find(Frame(image, step * FRAME_S))) for step in range(9)] == [2] * 9


def test_what_is_beside_something_else_has_to_be_surer() -> None:
    finder = AutoFinder(Detector().detect)
    between = (NEAR_ODDS + FAR_ODDS) / 2
    finder.judged_by(lambda face, frame: between - sureness(face, 0.0))
    both = Frame(room((60, 150, 180), (420, 150, 180)), 0.0)
    assert len(finder.find(both)) == 1
    finder.judged_by(lambda face, frame: FAR_ODDS + 0.1 - sureness(face, 0.0))
    assert len(finder.find(replace(both, t_s=10.0))) == 2


def test_a_judge_that_gives_no_number_lets_nobody_in_and_hides_nobody() -> None:
    finder = AutoFinder(Detector().detect)
    finder.judged_by(lambda face, frame: math.nan if face.x_px < 300 else 5.0)
    (face,) = finder.find(Frame(room((60, 150, 180), (420, 150, 180)), 0.0))
    assert face.x_px > 300


def test_a_judge_is_asked_about_few_things_in_one_frame() -> None:
    asked: list[Face] = []

    def judge(face: Face, frame: Frame) -> float:
        asked.append(face)
        return -9.0

    finder = AutoFinder(Detector().detect)
    finder.judged_by(judge)
    finder.find(Frame(room(*((40 + 110 * index, 200, 70) for index in range(5))), 0.0))
    assert 1 <= len(asked) <= 2


def test_candidates_are_all_that_the_detector_half_believes_in() -> None:
    finder = AutoFinder(Detector().detect, 0.2)
    finder.judged_by(lambda face, frame: -9.0)
    frame = Frame(room((100, 200, 70), (400, 200, 70)), 0.0)
    assert [near for _, near in finder.candidates(frame)] == [True, True]
    assert finder.find(frame) == []
