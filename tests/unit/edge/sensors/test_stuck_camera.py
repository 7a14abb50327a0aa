"""Which pictures count as repeated ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.sensors.stuck_camera import RepeatDetector

Picture = NDArray[np.uint8]

LEAST = 5
"""Two equal pictures may be an accident, and reopening a camera for it blinks its light."""
BUFFERS = 8
"""The most that a camera's driver hands out in turn."""


def scene(seed: int = 0, size: tuple[int, int] = (48, 64), noise: int = 0) -> Picture:
    random = np.random.default_rng(seed)
    picture = random.integers(0, noise + 1, (*size, 3), np.uint8)
    picture += np.linspace(60, 200, size[1]).astype(np.uint8)[None, :, None]
    return picture


def judged(repeats: RepeatDetector, pictures: list[Picture]) -> list[bool]:
    return [repeats.seen(picture) for picture in pictures]


def test_same_picture_is_a_repeated_one_after_some() -> None:
    said = judged(RepeatDetector(), [scene()] * (LEAST + 3))
    assert said == [False] * LEAST + [True] * 3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([(48, 64), (120, 160), (17, 20)]))
def test_noise_of_one_step_makes_every_picture_new(seed: int, size: tuple[int, int]) -> None:
    pictures = [scene(100 * seed + n, size, noise=1) for n in range(4 * BUFFERS)]
    assert not any(judged(RepeatDetector(), pictures))


@pytest.mark.parametrize("buffers", [2, 4, BUFFERS])
def test_old_pictures_that_are_handed_out_in_turn_are_repeated_ones(buffers: int) -> None:
    pictures = [scene(seed, noise=9) for seed in range(buffers)]
    said = judged(RepeatDetector(), pictures * 6)
    assert not any(said[: buffers + LEAST - 1])
    assert all(said[buffers + LEAST :])


def test_one_new_picture_ends_it_and_it_begins_anew() -> None:
    repeats = RepeatDetector()
    assert judged(repeats, [scene()] * (LEAST + 1))[-1]
    assert not repeats.seen(scene(1, noise=9))
    assert judged(repeats, [scene()] * LEAST) == [False] * (LEAST - 1) + [True]


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((48, 64, 3), np.uint8),
        np.full((48, 64, 3), (16, 16, 16), np.uint8),
        np.full((48, 64, 3), 32, np.uint8),
        np.full((48, 64, 3), 250, np.uint8),
        np.full((48, 64), 255, np.uint8),
    ],
)
def test_covered_dark_or_dazzled_camera_may_repeat_itself_for_ever(picture: Picture) -> None:
    assert not any(judged(RepeatDetector(), [picture] * 500))


def test_green_of_a_driver_that_delivers_nothing_is_no_darkness() -> None:
    green = np.full((48, 64, 3), (0, 135, 0), np.uint8)  # zeros as YUV
    assert judged(RepeatDetector(), [green] * (LEAST + 1))[-1]


def test_a_picture_in_which_only_a_little_can_be_seen_is_judged_by_it() -> None:
    lamp = np.zeros((48, 64, 3), np.uint8)
    lamp[:, :4] = 128
    assert judged(RepeatDetector(), [lamp] * (LEAST + 1))[-1]
    lamp[:, 1:4] = 255
    assert not any(judged(RepeatDetector(), [lamp] * (LEAST + 9)))


def test_picture_that_more_than_eight_others_came_after_is_a_new_one() -> None:
    pictures = [scene(seed, noise=9) for seed in range(BUFFERS + 1)]
    assert not any(judged(RepeatDetector(), pictures * 6))
