import numpy as np
import pytest
from numpy.typing import NDArray

from edge.perception.motion import Motion, cells

RNG = np.random.default_rng(7)


def smooth_room() -> NDArray[np.float32]:
    """A room changes slowly from pixel to pixel, unlike the noise of a sensor."""
    room = RNG.standard_normal((240, 320, 3), np.float32)
    for axis in (0, 1):
        room = np.cumsum(room - room.mean(axis=axis, keepdims=True), axis=axis)
    scaled = 100 + 40 * (room - room.mean()) / room.std()
    return np.asarray(np.clip(scaled, 40, 180), np.float32)


ROOM = smooth_room()


def picture(
    scene: NDArray[np.float32], noise: float = 8.0, light: float = 1.0
) -> NDArray[np.uint8]:
    noisy = scene * light + noise * RNG.standard_normal(scene.shape, np.float32)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def with_person(x: int) -> NDArray[np.float32]:
    scene = ROOM.copy()
    scene[75:165, x : x + 45] = 170
    return scene


def test_still_room_with_sensor_noise_does_not_move() -> None:
    motion = Motion()
    assert not any(motion.seen(picture(ROOM, noise=15)) for _ in range(50))


def test_person_who_comes_in_is_seen_at_once() -> None:
    motion = Motion()
    for _ in range(5):
        motion.seen(picture(ROOM))
    assert motion.seen(picture(with_person(10)))


def test_neither_a_lamp_nor_dusk_is_movement() -> None:
    motion = Motion()
    for _ in range(5):
        motion.seen(picture(ROOM))
    assert not motion.seen(picture(ROOM, light=1.3))
    motion = Motion()
    assert not any(motion.seen(picture(ROOM, light=0.99**step)) for step in range(100))


def test_what_comes_in_too_slowly_for_one_picture_is_seen_after_some() -> None:
    motion, still = Motion(), ROOM.copy()
    still[75:165, 100:145] = 100.0
    for _ in range(5):
        motion.seen(picture(still))
    # Three of 255 steps a picture are half of what tells movement from noise.
    for step in range(1, 13):
        still[75:165, 100:145] = 100.0 + 3 * step
        seen = motion.seen(picture(still))
    assert seen


def test_what_has_come_to_rest_moves_no_more() -> None:
    motion = Motion()
    motion.seen(picture(ROOM))
    said = [motion.seen(picture(with_person(100))) for _ in range(20)]
    assert said[0]
    assert not any(said[15:])


def test_first_picture_after_forgetting_is_compared_with_nothing() -> None:
    motion = Motion()
    motion.seen(picture(ROOM))
    motion.forget()
    assert not motion.seen(picture(with_person(100)))


@pytest.mark.parametrize("size", [(480, 640), (120, 160), (24, 32), (1080, 1920), (720, 1280)])
def test_cells_are_the_means_of_the_picture(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    image[:, size[1] // 2 :] = 200
    found = cells(image)
    assert found.shape == (24, 32)
    assert found[:, :15].max() == 0
    assert found[:, 18:].min() == 200
