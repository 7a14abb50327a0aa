"""Made-up sounds for the tests of windows and their augmentation."""

import numpy as np
from numpy.typing import NDArray


def burst(length: int, start: int, stop: int, seed: int = 0) -> NDArray[np.float32]:
    """Faint hiss with a loud stretch in it."""
    sound = np.random.default_rng(seed).standard_normal(length) * 1e-4
    sound[start:stop] *= 2_000
    return sound.astype(np.float32)
