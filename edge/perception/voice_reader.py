"""From a window of speech to seven probabilities."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.messages import VoiceReading
from edge.perception.interpreter import softmax
from edge.perception.manifest import Entry, open_model
from edge.perception.spectrogram import FrontEnd, Spectrogram
from edge.perception.speech_gate import SpeechWindow


class VoiceNet(Protocol):
    """The int8 model behind real numbers."""

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits float32 [7] of features float32 [1, bands, frames, 1]."""


class Int8VoiceNet:
    """The int8 model of a manifest entry."""

    def __init__(self, folder: Path, entry: Entry, threads: int = 1) -> None:
        """Load it.

        Raises:
            ModelError: it is not the model that the manifest names.
        """
        self._model, self._output = open_model(folder, entry, threads)

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits float32 [7] of features float32 [1, bands, frames, 1]."""
        batch = self._model.run(self._model.input.quantise(features), self._output)
        return np.asarray(batch[0], np.float32)


def open_voice_reader(folder: Path, entry: Entry, threads: int = 1) -> "VoiceReader":
    """The reader that a manifest entry describes.

    Raises:
        ModelError: the model is not the one that the manifest names, or does not fit its front end.
    """
    try:
        front_end = FrontEnd(**(entry.front_end or {}))
        Spectrogram(front_end)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"The front end in the manifest is not of this version ({error}); restore models_tflite "
            "from the release."
        ) from error
    if entry.input.shape != (1, front_end.bands, front_end.frames, 1):
        raise ModelError(
            f"{folder / entry.file} takes {list(entry.input.shape)}, but its front end gives "
            f"{[1, front_end.bands, front_end.frames, 1]}; restore models_tflite from the release."
        )
    return VoiceReader(Int8VoiceNet(folder, entry, threads), front_end, entry.temperature)


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
