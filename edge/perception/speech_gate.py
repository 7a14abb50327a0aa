"""Tells speech from other sound and cuts the windows that are worth reading.

`SpeechGate` takes the microphone's blocks, asks a detector how likely each block of 512 samples is
speech, and every half second offers the last three seconds together with how good they are, but
only if somebody spoke in them since the last offer. Time is counted in samples, so that a clip and
a microphone give the same windows. All buffers have a fixed length.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.config.adapters import Adapter, NoSettings
from edge.messages import SAMPLE_RATE_HZ, Audio

BLOCK_SAMPLES: Final = 512
"""What the detector takes at once: 32 ms."""
BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE_HZ
WINDOW_SAMPLES: Final = 3 * SAMPLE_RATE_HZ
"""Length of the windows that are offered on the device."""

_GAP_S = 0.5
"""Blocks that come later than this after the one before do not continue it. Less may be the
jitter of a busy machine."""
_CLIPPED = 0.99
"""Samples this large ran into the converter's end."""
_PAUSE_PROBABILITY = 0.2
"""Blocks under this are taken as background when its level is estimated."""
_BACKGROUND_SHARE = 0.05
"""How far one block of background moves the estimate: it follows the room within about a second."""
_LEAST_POWER = 1e-10
"""-100 dBFS: keeps ratios finite in digital silence."""


class SpeechDetector(Protocol):
    """Says how likely a block is speech."""

    def probability(self, block: NDArray[np.float32]) -> float:
        """Probability, 0-1, that a block of `BLOCK_SAMPLES` samples (-1 to 1) is speech.

        Blocks come in order; the detector may remember the ones before.
        """

    def reset(self) -> None:
        """Forget what was heard: the next block does not continue the last."""


@dataclass(frozen=True)
class GateAdapter(Adapter[NoSettings]):
    """A speech detector that can be plugged in; `[voice] gate` chooses it by its name."""

    make: Callable[[float], SpeechDetector]
    """Loads the detector; is given `[voice] gate_threshold`. Raises ModelError where it cannot."""


class Hangover:
    """Turns jumping probabilities into a steady "somebody is speaking".

    Starts when a block is at least *on*, goes on while blocks are at least *off*, and ends when none
    was for *hold_s*: pauses between words do not end it.
    """

    def __init__(self, on: float = 0.5, off: float = 0.35, hold_s: float = 0.4) -> None:
        self._on, self._off = on, off
        self._hold = max(1, round(hold_s / BLOCK_S))
        self._left = 0

    @property
    def speaking(self) -> bool:
        """Somebody is speaking, or paused only just now."""
        return self._left > 0

    def update(self, probability: float) -> bool:
        """Take the next block's probability; return whether this very block is speech."""
        is_speech = probability >= (self._off if self.speaking else self._on)
        self._left = self._hold if is_speech else max(0, self._left - 1)
        return is_speech

    def reset(self) -> None:
        """Nobody is speaking."""
        self._left = 0


@dataclass(frozen=True)
class Block:
    """What is remembered of 32 ms of sound."""

    power: float
    """Mean square, 0-1."""
    clipped_share: float
    """Part of its samples at the converter's end, 0-1."""
    is_speech: bool


@dataclass(frozen=True, eq=False)
class SpeechWindow:
    """Sound that is worth reading."""

    samples: NDArray[np.float32]
    """Shape [window samples], the newest last; zeros before the microphone was opened."""
    t_s: float
    """When its last sample was taken."""
    speech_share: float
    """Part of the window that is speech, 0-1."""
    snr_db: float
    """Power of the speech blocks over that of the background."""
    clipped_share: float
    """Part of the speech that was clipped, 0-1."""

    @property
    def quality(self) -> float:
        """0 (no speech in it) to 1 (clear speech throughout)."""
        return window_quality(self.speech_share, self.snr_db, self.clipped_share)


def window_quality(speech_share: float, snr_db: float, clipped_share: float) -> float:
    """How much a window can be trusted, 0-1: a product of three ramps.

    Speech in half of the window is as good as speech throughout (acted training clips have no
    more); 0 dB over the background is worth a fifth and 20 dB all; one clipped sample in 20 takes
    away four fifths.
    """
    enough = min(1.0, speech_share / 0.5)
    clear = 0.2 + 0.8 * min(1.0, max(0.0, snr_db / 20))
    clean = 1 - 0.8 * min(1.0, clipped_share / 0.05)
    return enough * clear * clean


def signal_to_noise_db(blocks: Iterable[Block], background: float | None) -> float:
    """Decibels, -20 to 60, of the speech blocks' mean power over the background's.

    Args:
        blocks: of one window.
        background: power of the room between utterances; None when there was no pause yet, then
            the quietest tenth of the blocks stands for it.
    """
    known = list(blocks)
    powers = [block.power for block in known if block.is_speech]
    if not powers:
        return -20.0
    if background is None:
        quiet = sorted(block.power for block in known)
        background = float(np.mean(quiet[: max(1, len(quiet) // 10)]))
    background = max(background, _LEAST_POWER)
    # Speech blocks hold the background too: take it off, as far as that leaves something.
    speech = max(float(np.mean(powers)) - background, _LEAST_POWER)
    return float(np.clip(10 * np.log10(speech / background), -20, 60))


class SpeechGate:
    """Hears everything, offers what is speech."""

    def __init__(
        self,
        detector: SpeechDetector,
        *,
        window_samples: int = WINDOW_SAMPLES,
        interval_s: float = 0.5,
        least_speech_s: float = 0.4,
        hangover: Hangover | None = None,
    ) -> None:
        """Start with silence.

        Args:
            detector: tells speech from other sound.
            window_samples: length of the windows that are offered.
            interval_s: time between two offers while somebody speaks.
            least_speech_s: windows with less speech than this are not offered.
            hangover: steadies the detector.
        """
        self._detector = detector
        self._hangover = hangover or Hangover()
        self._ring = np.zeros(window_samples, np.float32)
        self._blocks: deque[Block] = deque(maxlen=max(1, window_samples // BLOCK_SAMPLES))
        self._interval = max(1, round(interval_s / BLOCK_S))
        self._least = max(1, round(least_speech_s / BLOCK_S))
        self._pending: NDArray[np.float32] = np.zeros(0, np.float32)
        self._background: float | None = None
        self._since_offer = 0
        self._new_speech = False
        self._last_t_s: float | None = None
        self.probability = 0.0
        """Of the newest block."""

    @property
    def speaking(self) -> bool:
        """Somebody is speaking, or paused only just now."""
        return self._hangover.speaking

    def hear(self, audio: Audio) -> SpeechWindow | None:
        """Take the next sound of any length; return a window if one is due and worth reading.

        When several came due within one stretch, only the newest is returned.
        """
        length_s = len(audio.samples) / SAMPLE_RATE_HZ
        if self._last_t_s is not None and abs(audio.t_s - length_s - self._last_t_s) > _GAP_S:
            self.reset()
        self._last_t_s = audio.t_s
        sound = np.nan_to_num(audio.samples.astype(np.float32), posinf=1.0, neginf=-1.0)
        sound = np.concatenate([self._pending, sound])
        whole = len(sound) // BLOCK_SAMPLES * BLOCK_SAMPLES
        self._pending = sound[whole:].copy()
        offer: SpeechWindow | None = None
        for start in range(0, whole, BLOCK_SAMPLES):
            t_s = audio.t_s - (len(sound) - start - BLOCK_SAMPLES) / SAMPLE_RATE_HZ
            offer = self._hear_block(sound[start : start + BLOCK_SAMPLES], t_s) or offer
        return offer

    def reset(self) -> None:
        """Forget all sound, after a gap in it."""
        self._detector.reset()
        self._hangover.reset()
        self._ring[:] = 0
        self._blocks.clear()
        self._pending = self._pending[:0]
        self._since_offer, self._new_speech = 0, False
        self._last_t_s = None
        self.probability = 0.0

    def _hear_block(self, block: NDArray[np.float32], t_s: float) -> SpeechWindow | None:
        self._ring[:-BLOCK_SAMPLES] = self._ring[BLOCK_SAMPLES:]
        self._ring[-BLOCK_SAMPLES:] = block
        self.probability = self._detector.probability(block)
        is_speech = self._hangover.update(self.probability)
        power = float(np.mean(block.astype(np.float64) ** 2))
        clipped = float(np.mean(np.abs(block) >= _CLIPPED))
        self._blocks.append(Block(power, clipped, is_speech))
        self._new_speech |= is_speech
        if self.probability < _PAUSE_PROBABILITY and not self.speaking:
            if self._background is None:
                self._background = power
            self._background += _BACKGROUND_SHARE * (power - self._background)
        self._since_offer += 1
        if self._since_offer < self._interval:
            return None
        self._since_offer = 0
        speech = [heard for heard in self._blocks if heard.is_speech]
        worth = self._new_speech and len(speech) >= self._least
        self._new_speech = False
        if not worth:
            return None
        return SpeechWindow(
            samples=self._ring.copy(),
            t_s=t_s,
            speech_share=len(speech) / (self._blocks.maxlen or 1),
            snr_db=signal_to_noise_db(self._blocks, self._background),
            clipped_share=float(np.mean([heard.clipped_share for heard in speech])),
        )
