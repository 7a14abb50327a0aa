"""WebRTC's speech detector: band energies and Gaussian mixtures, hundreds of times cheaper than Silero.

It takes a fan for speech, as docs/decisions/010-speech-gate.md shows: for quiet rooms and boards
that have no time for better.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.config.adapters import NoSettings
from edge.errors import ModelError
from edge.messages import SAMPLE_RATE_HZ
from edge.perception.speech_gate import GateAdapter
from edge.process.pip_command import pip_install

TAKEN_SAMPLES: Final = 480
"""30 ms, the longest that it takes: the newest part of a block."""
STRICTEST: Final = 3


class WebRtcDetector:
    """Says only yes or no: its probability is 0 or 1."""

    def __init__(self, strictness: int = 2) -> None:
        """Load the detector.

        Args:
            strictness: 0 (takes much for speech) to 3 (little).

        Raises:
            ModelError: the package is not installed or does not run here.
        """
        try:
            import webrtcvad

            self._make: Any = lambda: webrtcvad.Vad(strictness)
            self._detector: Any = self._make()
            self._detector.is_speech(bytes(2 * TAKEN_SAMPLES), SAMPLE_RATE_HZ)
        except Exception as error:  # a broken native module may raise anything
            raise ModelError(
                f"The speech detector webrtc cannot be loaded ({error}); "
                f"install it with: {pip_install('webrtcvad-wheels')}"
            ) from error

    def probability(self, block: NDArray[np.float32]) -> float:
        """1 if float32 [512] ends in speech, else 0."""
        samples = (np.clip(block[-TAKEN_SAMPLES:], -1, 1) * 32767).astype("<i2")
        return float(self._detector.is_speech(samples.tobytes(), SAMPLE_RATE_HZ))

    def reset(self) -> None:
        """Forget what was heard."""
        self._detector = self._make()


def make(threshold: float) -> WebRtcDetector:
    """The detector, as strict as a *threshold* of 0 to 1 asks for: 2 at one half."""
    return WebRtcDetector(min(STRICTEST, int(threshold * (STRICTEST + 1))))


ADAPTER = GateAdapter(NoSettings, make)
