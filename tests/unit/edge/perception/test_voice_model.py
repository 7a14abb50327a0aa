"""The published model itself, through the reader that the device uses."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.config.paths import MODELS
from edge.emotions import EMOTIONS
from edge.messages import VoiceReading
from edge.perception.interpreter import Model
from edge.perception.manifest import Entry, load_manifest
from edge.perception.speech_gate import SpeechWindow
from edge.perception.voice_reader import VoiceReader, open_voice_reader

RATE_HZ, LENGTH = 16_000, 48_000
TIME_S = np.arange(LENGTH) / RATE_HZ


@pytest.fixture(scope="module")
def entry() -> Entry:
    return load_manifest(MODELS).voice


@pytest.fixture(scope="module")
def reader(entry: Entry) -> VoiceReader:
    return open_voice_reader(MODELS, entry)


def read(reader: VoiceReader, sound: NDArray[np.floating[Any]]) -> VoiceReading | None:
    """As if the speech gate had been fooled."""
    return reader.read(SpeechWindow(sound.astype(np.float32), 0.0, 0.8, 20.0, 0.0))


def hiss(seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal(LENGTH)


def fan(turning_hz: float) -> NDArray[np.float64]:
    """Blades' hum over rushing air."""
    hum = sum(np.sin(2 * np.pi * turning_hz * k * TIME_S + k) / k for k in range(1, 8))
    air = np.convolve(hiss(1), np.ones(12) / 12, "same")
    return np.asarray(0.02 * (hum + air), np.float64)


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("silence", np.zeros(LENGTH)),
        ("faint hiss", 1e-4 * hiss()),
        ("loud hiss", 0.1 * hiss()),
        ("brown noise", 1e-3 * np.cumsum(hiss()) / 10),
        ("small fan", fan(120.0)),
        ("large fan", fan(48.0)),
        ("mains hum", 0.05 * np.sin(2 * np.pi * 50 * TIME_S)),
    ],
)
def test_background_shows_no_emotion(
    reader: VoiceReader, name: str, sound: NDArray[np.float64]
) -> None:
    reading = read(reader, sound)
    assert reading is None or EMOTIONS[int(reading.probabilities.argmax())] == "neutral", name


def test_it_is_small_and_int8_throughout(entry: Entry) -> None:
    file = MODELS / entry.file
    assert file.stat().st_size <= 250_000
    assert entry.macs <= 30_000_000
    details = Model(file)._interpreter.get_tensor_details()
    kinds = {np.dtype(detail["dtype"]).name for detail in details if detail["shape"].size}
    assert kinds <= {"int8", "int32"}, "a part of it is computed in floats"


def test_the_manifest_tells_what_heard_means(entry: Entry) -> None:
    assert entry.heard is not None
    assert entry.heard.output.shape == (1, 1)
    assert 0.5 <= entry.heard.threshold < 1
