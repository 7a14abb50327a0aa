"""Silero against WebRTC: how often each takes a sound for speech, and what a block costs.

pip install webrtcvad-wheels && python docs/decisions/compare_gates.py

The sounds are made here, 20 s each at 16 kHz; "demo clip" is the sound of the demo clip, in which
about a third of the time is speech. Belongs to 010-speech-gate.md.
"""

import importlib
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any, Final

import numpy as np
import soxr
from numpy.typing import NDArray

from edge.demo.sound import RATE_HZ, make_sound
from edge.messages import SAMPLE_RATE_HZ
from edge.perception.silero import SileroDetector
from edge.perception.speech_gate import BLOCK_SAMPLES

Sound = NDArray[np.float64]

_SECONDS: Final = 20
_LEVEL: Final = 0.05
"""-26 dBFS: a fan beside the microphone."""
_WEBRTC_BLOCK: Final = 480
"""30 ms, the longest that it takes."""


def sounds() -> dict[str, Sound]:
    """What is listened to, by name."""
    random = np.random.default_rng(0)
    count = _SECONDS * SAMPLE_RATE_HZ
    t_s = np.arange(count) / SAMPLE_RATE_HZ
    hum = np.sum([np.sin(2 * np.pi * 50 * k * t_s) / k for k in range(1, 20)], axis=0)
    knocks = np.zeros(count)
    for start in random.integers(0, count - 400, 100):
        knocks[start : start + 400] += random.normal(0, 0.2, 400) * np.exp(-np.arange(400) / 80)
    clip = soxr.resample(make_sound()[0], RATE_HZ, SAMPLE_RATE_HZ).astype(np.float64)
    return {
        "silence": np.zeros(count),
        "white noise": random.normal(0, _LEVEL, count),
        "mains hum": _LEVEL * hum / hum.std(),
        "tone of 440 Hz": 0.3 * np.sin(2 * np.pi * 440 * t_s),
        "knocks": knocks,
        "demo clip": clip,
    }


def silero(sound: Sound, detector: SileroDetector) -> list[bool]:
    """Which blocks of 32 ms are speech, at the built-in threshold."""
    detector.reset()
    starts = range(0, len(sound) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES)
    blocks = (sound[start : start + BLOCK_SAMPLES].astype(np.float32) for start in starts)
    return [detector.probability(block) >= 0.5 for block in blocks]


def webrtc(sound: Sound, detector: Any) -> list[bool]:
    """Which blocks of 30 ms are speech."""
    samples = (np.clip(sound, -1, 1) * 32767).astype("<i2")
    starts = range(0, len(samples) - _WEBRTC_BLOCK + 1, _WEBRTC_BLOCK)
    blocks = (samples[start : start + _WEBRTC_BLOCK].tobytes() for start in starts)
    return [bool(detector.is_speech(block, SAMPLE_RATE_HZ)) for block in blocks]


def cost_us(work: Callable[[], object]) -> float:
    """Median time of *work*, in microseconds."""
    times = []
    for _ in range(300):
        began_s = time.perf_counter()
        work()
        times.append((time.perf_counter() - began_s) * 1e6)
    return median(times)


def main() -> None:
    """Print both tables."""
    try:
        package = importlib.import_module("webrtcvad")
    except ImportError:
        sys.exit("webrtcvad is missing: install it with pip install webrtcvad-wheels.")
    ours = SileroDetector()
    theirs = [package.Vad(strictness) for strictness in range(4)]
    print("| sound | Silero | WebRTC 0 | 1 | 2 | 3 |")
    print("|---|---|---|---|---|---|")
    for name, sound in sounds().items():
        shares = [silero(sound, ours), *(webrtc(sound, each) for each in theirs)]
        print(f"| {name} | " + " | ".join(f"{np.mean(share):.0%}" for share in shares) + " |")
    block = np.random.default_rng(0).normal(0, 0.1, BLOCK_SAMPLES).astype(np.float32)
    raw = (block[:_WEBRTC_BLOCK] * 32767).astype("<i2").tobytes()
    print(f"Silero: median {cost_us(lambda: ours.probability(block)):.0f} us a block of 32 ms")
    webrtc_us = cost_us(lambda: theirs[2].is_speech(raw, SAMPLE_RATE_HZ))
    print(f"WebRTC: median {webrtc_us:.0f} us a block of 30 ms")


if __name__ == "__main__":
    main()
