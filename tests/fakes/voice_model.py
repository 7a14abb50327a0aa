"""An int8 voice model that hears which band is loudest."""

import numpy as np
from numpy.typing import NDArray


class LoudestBand:
    """Names the emotion whose four bands hold the loudest; hears a voice where it stands out."""

    def __init__(self, *_: object) -> None:
        """Take what `Int8Voice` takes."""

    def logits(
        self, features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features float32 [n, bands, frames, 1] -> logits [n, 7] and [n]."""
        bands = features[..., 0].mean(axis=2)
        loudest = np.minimum(bands.argmax(axis=1) // 4, 6)
        emotions = np.zeros((len(features), 7), np.float32)
        emotions[np.arange(len(features)), loudest] = 3
        heard = bands.max(axis=1) - bands.mean(axis=1) - 1
        return emotions, heard.astype(np.float32)
