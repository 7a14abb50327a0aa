"""Turns a stream of sound of any rate into blocks of 512 samples at 16 kHz."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.messages import SAMPLE_RATE_HZ, Audio

Sound = NDArray[np.float32]

BLOCK: Final = 512
"""Samples in a block: 32 ms, what the speech gate takes at once."""


class Resampler:
    """Brings a mono stream to 16 kHz; its filter runs on from one piece to the next."""

    def __init__(self, rate_hz: float) -> None:
        """Args: rate_hz: of the sound that comes in, above 0."""
        self.rate_hz = rate_hz
        self._stream: Any = None
        if rate_hz != SAMPLE_RATE_HZ:
            import soxr

            self._stream = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")

    @property
    def delay_s(self) -> float:
        """How much of what came in is still inside the filter."""
        delay = getattr(self._stream, "delay", None)  # since soxr 0.5
        return float(delay()) / SAMPLE_RATE_HZ if delay is not None else 0.0

    def push(self, samples: Sound) -> Sound:
        """Resample the next piece: shape [n] to [about n * 16000 / rate], which may be empty."""
        if self._stream is None:
            return samples
        result: Sound = self._stream.resample_chunk(np.ascontiguousarray(samples, np.float32))
        return result


class Blocks:
    """Cuts a stream of sound of any rate into `Audio` of `BLOCK` samples at 16 kHz."""

    def __init__(self, rate_hz: float) -> None:
        """Args: rate_hz: of the sound that comes in, above 0."""
        self._resampler = Resampler(rate_hz)
        self._rest: Sound = np.zeros(0, np.float32)

    def push(self, samples: Sound, t_s: float) -> list[Audio]:
        """Add the next piece and take the blocks that it completes.

        Args:
            samples: shape [n], -1 to 1, at the rate that came in.
            t_s: when the last of them was taken.
        """
        self._rest = np.concatenate([self._rest, self._resampler.push(samples)])
        end_s = t_s - self._resampler.delay_s
        count = len(self._rest) // BLOCK
        blocks = []
        for k in range(count):
            after = len(self._rest) - (k + 1) * BLOCK
            # Resampled sound may leave the range a little where the filter overshoots.
            block = np.clip(self._rest[k * BLOCK : (k + 1) * BLOCK], -1.0, 1.0)
            blocks.append(Audio(samples=block, t_s=end_s - after / SAMPLE_RATE_HZ))
        self._rest = self._rest[count * BLOCK :]
        return blocks
