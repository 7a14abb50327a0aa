"""Reads an int8 voice model, with its outputs `emotions` and `heard`, many windows at a time."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.voice.mix import Features
from edge.emotions import EMOTIONS
from edge.perception.interpreter import Model

NetLogits = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Of the emotions [n, 7] and of a voice [n]."""
EMOTIONS_SHAPE, HEARD_SHAPE = (1, len(EMOTIONS)), (1, 1)


class VoiceRunner:
    """An int8 voice model."""

    def __init__(self, file: Path) -> None:
        """Load it.

        Raises:
            ModelError: it is no model, or lacks one of the two outputs.
        """
        self.model = Model(file)
        self.emotions = self.model.output(EMOTIONS_SHAPE)
        self.heard = self.model.output(HEARD_SHAPE)

    def logits(self, features: Features) -> NetLogits:
        """Features float32 [n, bands, frames, 1] -> logits [n, 7] and [n], one pass a window."""
        emotions = np.empty((len(features), len(EMOTIONS)), np.float32)
        heard = np.empty(len(features), np.float32)
        for row, window in enumerate(tqdm(features, desc="int8", leave=False, mininterval=5)):
            given = self.model.run_all(
                self.model.input.quantize(window[None]), (self.emotions, self.heard)
            )
            emotions[row], heard[row] = given[0][0], given[1].item()
        return emotions, heard
