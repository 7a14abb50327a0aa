import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.messages import SAMPLE_RATE_HZ
from edge.perception import webrtc
from edge.perception.silero import SileroDetector
from edge.perception.speech_gate import BLOCK_S, BLOCK_SAMPLES, SpeechGate
from tests.unit.edge.perception.test_speech_gate import noise, play

SPOKEN = sorted(Path("/usr/share/sounds/alsa").glob("*_*.wav"))
"""Words of a real speaker, where the system has them."""


def test_detector_hears_no_speech_in_silence_hiss_or_a_tone() -> None:
    t_s = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    for sound in (np.zeros(32_000), noise(2, 0.05), 0.3 * np.sin(2 * np.pi * 440 * t_s)):
        detector = SileroDetector()
        blocks = np.split(sound[: 62 * BLOCK_SAMPLES].astype(np.float32), 62)
        heard = [detector.probability(block) for block in blocks]
        assert np.mean([value > 0.5 for value in heard]) < 0.05


@pytest.mark.skipif(not SPOKEN, reason="this system has no recorded speech")
def test_detector_hears_a_real_speaker() -> None:
    pytest.importorskip("soxr")
    import soxr

    with wave.open(str(SPOKEN[0])) as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        mono = raw.reshape(-1, file.getnchannels()).mean(axis=1) / 32_768
        spoken = soxr.resample(mono, file.getframerate(), SAMPLE_RATE_HZ).astype(np.float32)
    room = noise(1, 1e-4)
    offers = play(SpeechGate(SileroDetector()), np.concatenate([room, spoken, room]))
    assert max(offer.quality for offer in offers) > 0.3


def test_webrtc_says_yes_or_no_and_is_stricter_with_a_higher_threshold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = pytest.importorskip("webrtcvad")
    asked: list[int] = []

    real = library.Vad

    def vad(mode: int) -> object:
        asked.append(mode)
        return real(mode)

    monkeypatch.setattr(library, "Vad", vad)
    for threshold in (0.05, 0.3, 0.5, 0.95):
        webrtc.make(threshold)
    assert asked == [0, 1, 2, 3]
    detector = webrtc.make(0.5)
    assert {detector.probability(np.zeros(512, np.float32)) for _ in range(9)} == {0.0}
    assert detector.probability(noise(BLOCK_S, 0.3)) == 1.0
    detector.reset()
    assert detector.probability(np.zeros(512, np.float32)) == 0.0


def test_gate_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(ModelError, match=r"-m pip install webrtcvad-wheels"):
        webrtc.make(0.5)
