"""From a window of speech to seven probabilities."""

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.config.paths import restore_models
from edge.errors import ModelError
from edge.messages import SAMPLE_RATE_HZ, VoiceReading
from edge.perception.manifest import Entry, claimed_output, open_model
from edge.perception.probability import sigmoid, softmax
from edge.perception.spectrogram import FrontEnd, Spectrogram
from edge.perception.speech_gate import WINDOW_SAMPLES, SpeechWindow


class VoiceLogits(NamedTuple):
    """What the net says of one window."""

    emotions: NDArray[np.float32]
    """Logits [7] in the order of `EMOTIONS`."""
    heard: float | None
    """Logit that there is a voice; None where the model has no such output."""


class VoiceNet(Protocol):
    """The int8 model behind real numbers."""

    def predict(self, features: NDArray[np.float32]) -> VoiceLogits:
        """Logits of features float32 [1, bands, frames, 1]."""


class Int8VoiceNet:
    """The int8 model of a manifest entry."""

    def __init__(self, folder: Path, entry: Entry, threads: int = 1) -> None:
        """Load it.

        Raises:
            ModelError: it is not the model that the manifest names.
        """
        self._model, emotions = open_model(folder, entry, threads)
        self._outputs = [emotions]
        if entry.heard is not None:
            path = folder / entry.file
            self._outputs.append(claimed_output(path, self._model, entry.heard.output))

    def predict(self, features: NDArray[np.float32]) -> VoiceLogits:
        """Logits of features float32 [1, bands, frames, 1]."""
        given = self._model.run_all(self._model.input.quantize(features), self._outputs)
        heard = float(given[1].reshape(-1)[0]) if len(given) > 1 else None
        return VoiceLogits(np.asarray(given[0][0], np.float32), heard)


def open_voice_reader(folder: Path, entry: Entry, threads: int = 1) -> "VoiceReader":
    """The reader that a manifest entry describes.

    Raises:
        ModelError: the model is not the one that the manifest names, or does not fit its front end.
    """
    try:
        front_end = FrontEnd(**(entry.front_end or {}))
        spectrogram = Spectrogram(front_end)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"The front end in the manifest is not of this version ({error}); "
            f"{restore_models(folder)}."
        ) from error
    if entry.input.shape != (1, front_end.bands, front_end.frames, 1):
        raise ModelError(
            f"{folder / entry.file} takes {list(entry.input.shape)}, but its front end gives "
            f"{[1, front_end.bands, front_end.frames, 1]}; "
            f"{restore_models(folder)}."
        )
    if (front_end.rate_hz, front_end.window_samples) != (SAMPLE_RATE_HZ, WINDOW_SAMPLES):
        raise ModelError(
            f"The front end in the manifest takes {front_end.window_samples} samples at "
            f"{front_end.rate_hz} Hz, but Mien hears {WINDOW_SAMPLES} at {SAMPLE_RATE_HZ} Hz; "
            f"{restore_models(folder)}."
        )
    threshold = entry.heard.threshold if entry.heard else 0.0
    net = Int8VoiceNet(folder, entry, threads)
    return VoiceReader(net, spectrogram, entry.temperature, threshold)


class VoiceReader:
    """Reads the emotion of a voice."""

    def __init__(
        self, net: VoiceNet, spectrogram: Spectrogram, temperature: float, threshold: float = 0.0
    ) -> None:
        """Join a net with the front end that it was trained on.

        Args:
            net: gives logits.
            spectrogram: made with the parameters in the net's manifest entry.
            temperature: divides the logits so that probabilities mean what they say.
            threshold: least probability, 0-1, of there being a voice; what is less likely is a
                fan or a door, whatever emotion it may sound like.
        """
        self._net = net
        self._spectrogram = spectrogram
        self._temperature = temperature
        self._threshold = threshold

    def read(self, window: SpeechWindow | None) -> VoiceReading | None:
        """The reading of *window*; None when there is none or it holds no voice.

        Raises:
            ModelError: the net gave something that is no vector of finite logits.
        """
        if window is None or window.quality <= 0:
            return None
        features = self._spectrogram.features(window.samples)
        given = self._net.predict(features.T[None, :, :, None])
        logits = np.asarray(given.emotions).reshape(-1)
        if logits.shape != (7,) or not np.isfinite(logits).all():
            raise ModelError(
                "The voice model gave no seven finite numbers; convert it from sound weights again, "
                'or take that of Mien with [models] folder = "auto".'
            )
        if given.heard is not None and not sigmoid(given.heard) >= self._threshold:
            return None
        probabilities = softmax(logits, self._temperature)
        return VoiceReading(window.t_s, probabilities, window.quality)
