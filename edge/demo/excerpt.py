"""A picture and the sound of the demo clip, without the clip: for the self-test of an installation."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.config.paths import PORTRAIT
from edge.demo.command import read_portrait
from edge.demo.picture import Pictures
from edge.demo.sound import RATE_HZ, make_sound

SMILE_S: Final = 9.0
"""In the middle of her first smile."""


class Excerpt(NamedTuple):
    """What is read."""

    picture: NDArray[np.uint8]
    """Shape [480, 640, 3], RGB: she smiles."""
    sound: NDArray[np.float32]
    """Shape [n], -1 to 1, 16 kHz."""


def excerpt() -> Excerpt:
    """Draw and speak it.

    Raises:
        SettingsError: the portrait that she is drawn from is not there.
    """
    import soxr

    from edge.messages import SAMPLE_RATE_HZ

    picture = Pictures(read_portrait(PORTRAIT)).at(SMILE_S, 0.0)
    sound, _ = make_sound()
    return Excerpt(picture, np.asarray(soxr.resample(sound, RATE_HZ, SAMPLE_RATE_HZ), np.float32))
