"""From a window of speech to seven probabilities."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.messages import VoiceReading
from edge.perception.interpreter import softmax
from edge.perception.spectrogram import FrontEnd, Spectrogram
from edge.perception.speech_gate import SpeechWindow


class VoiceNet(Protocol):
    """The int8 model behind real numbers."""

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits float32 [7] of features float32 [1, bands, frames, 1]."""


class VoiceReader:
    """Reads the emotion of a voice."""

    def __init__(self, net: VoiceNet, front_end: FrontEnd, temperature: float) -> None:
        """Join a net with the front end that it was trained on.

        Args:
            net: gives logits.
            front_end: the parameters in the net's manifest entry.
            temperature: divides the logits so that probabilities mean what they say.
        """
        self._net = net
        self._spectrogram = Spectrogram(front_end)
        self._temperature = temperature

    def read(self, window: SpeechWindow | None) -> VoiceReading | None:
        """The reading of *window*; None when there is none or it holds no speech.

        Raises:
            ModelError: the net gave something that is no vector of finite logits.
        """
        if window is None or window.quality <= 0:
            return None
        features = self._spectrogram.features(window.samples)
        logits = np.asarray(self._net.predict(features.T[None, :, :, None])).reshape(-1)
        if logits.shape != (7,) or not np.isfinite(logits).all():
            raise ModelError("The voice model gave no seven finite numbers; restore it.")
        probabilities = softmax(logits, self._temperature)
        return VoiceReading(window.t_s, probabilities, window.quality)
