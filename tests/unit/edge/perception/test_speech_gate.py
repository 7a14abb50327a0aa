import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.messages import SAMPLE_RATE_HZ, Audio
from edge.perception import webrtc
from edge.perception.silero import SileroDetector
from edge.perception.speech_gate import (
    BLOCK_S,
    BLOCK_SAMPLES,
    Block,
    Hangover,
    SpeechGate,
    SpeechWindow,
    signal_to_noise_db,
    window_quality,
)

SPOKEN = sorted(Path("/usr/share/sounds/alsa").glob("*_*.wav"))
"""Words of a real speaker, where the system has them."""


class LoudIsSpeech:
    """A detector that obeys the port's rules: whole blocks only."""

    def __init__(self) -> None:
        self.resets = 0

    def probability(self, block: NDArray[np.float32]) -> float:
        assert block.shape == (BLOCK_SAMPLES,)
        assert np.isfinite(block).all()
        return 0.95 if float(np.abs(block).max()) > 0.05 else 0.02

    def reset(self) -> None:
        self.resets += 1


def noise(seconds: float, amplitude: float, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return (random.standard_normal(round(seconds * SAMPLE_RATE_HZ)) * amplitude).astype(np.float32)


def play(
    gate: SpeechGate, sound: NDArray[np.float32], start_s: float = 100.0, step: int = BLOCK_SAMPLES
) -> list[SpeechWindow]:
    offers = []
    for first in range(0, len(sound), step):
        part = sound[first : first + step]
        offer = gate.hear(Audio(part, start_s + (first + len(part)) / SAMPLE_RATE_HZ))
        if offer is not None:
            offers.append(offer)
    return offers


def test_offers_nothing_while_nobody_speaks() -> None:
    assert play(SpeechGate(LoudIsSpeech()), noise(10, 0.001)) == []


def test_offers_a_window_every_half_second_of_speech() -> None:
    offers = play(SpeechGate(LoudIsSpeech()), noise(10, 0.2))
    times = np.diff([offer.t_s for offer in offers])
    assert 18 <= len(offers) <= 20
    assert times == pytest.approx(0.5, abs=BLOCK_S)


def test_window_holds_the_newest_three_seconds_and_their_time() -> None:
    sound = noise(5, 0.2)
    last = play(SpeechGate(LoudIsSpeech()), sound)[-1]
    end = round((last.t_s - 100.0) * SAMPLE_RATE_HZ)
    np.testing.assert_array_equal(last.samples, sound[end - 48_000 : end])


def test_stops_offering_once_the_speaker_has_stopped() -> None:
    sound = np.concatenate([noise(2, 0.2), noise(8, 0.001)])
    offers = play(SpeechGate(LoudIsSpeech()), sound)
    assert max(offer.t_s for offer in offers) <= 100 + 2 + 0.5 + BLOCK_S


def test_a_single_loud_block_is_not_worth_reading() -> None:
    sound = np.concatenate([noise(3, 0.001), noise(0.1, 0.3), noise(3, 0.001)])
    assert play(SpeechGate(LoudIsSpeech()), sound) == []


@pytest.mark.parametrize("step", [1, 100, 513, 16_000])
def test_the_size_of_the_microphones_blocks_does_not_matter(step: int) -> None:
    sound = np.concatenate([noise(1, 0.001), noise(1.2, 0.2), noise(1.3, 0.001)])
    if step == 1:
        sound = sound[12_000:40_000]
    plain = play(SpeechGate(LoudIsSpeech()), sound)
    other = play(SpeechGate(LoudIsSpeech()), sound, step=step)
    assert other, "speech was lost"
    by_time = {round(offer.t_s, 4): offer for offer in plain}
    for offer in other:
        same = by_time[round(offer.t_s, 4)]
        np.testing.assert_array_equal(offer.samples, same.samples)
        assert offer.quality == pytest.approx(same.quality)


def test_forgets_sound_from_before_a_gap() -> None:
    detector = LoudIsSpeech()
    gate = SpeechGate(detector)
    play(gate, noise(3, 0.2), start_s=100)
    offers = play(gate, noise(1.2, 0.2), start_s=160)
    assert detector.resets == 1
    assert offers[0].speech_share < 0.2
    assert not offers[0].samples[:30_000].any()


def test_small_jitter_of_the_clock_is_no_gap() -> None:
    detector = LoudIsSpeech()
    gate = SpeechGate(detector)
    random = np.random.default_rng(1)
    for index, part in enumerate(np.split(noise(3.2, 0.2), 100)):
        gate.hear(Audio(part, 100 + (index + 1) * BLOCK_S + random.uniform(-0.1, 0.1)))
    assert detector.resets == 0


def test_memory_stays_bounded_over_an_hour_of_sound() -> None:
    gate = SpeechGate(LoudIsSpeech())
    block = noise(10, 0.2)
    for minute in range(6):
        play(gate, block, start_s=minute * 10.0, step=16_000)
    buffers = (gate._ring, gate._blocks, gate._pending)
    assert [len(buffer) for buffer in buffers[:2]] == [48_000, 93]
    assert len(buffers[2]) < BLOCK_SAMPLES


def test_broken_samples_do_not_reach_the_detector() -> None:
    sound = noise(2, 0.2)
    sound[::7] = np.nan
    sound[::11] = np.inf
    offers = play(SpeechGate(LoudIsSpeech()), sound)
    assert offers
    assert all(np.isfinite(offer.samples).all() for offer in offers)


def test_speech_well_above_the_room_counts_more_than_speech_in_noise() -> None:
    quiet_room = np.concatenate([noise(3, 0.001), noise(2, 0.3)])
    loud_room = np.concatenate([noise(3, 0.0125), noise(2, 0.06)])
    clear = play(SpeechGate(LoudIsSpeech()), quiet_room)[-1]
    masked = play(SpeechGate(LoudIsSpeech()), loud_room)[-1]
    assert clear.snr_db == pytest.approx(49.5, abs=1.5)
    assert masked.snr_db == pytest.approx(13.5, abs=1.5)
    assert clear.quality > masked.quality > 0


def test_clipped_speech_counts_less() -> None:
    clean = play(SpeechGate(LoudIsSpeech()), noise(3, 0.2))[-1]
    clipped = play(SpeechGate(LoudIsSpeech()), np.clip(noise(3, 1.0), -1, 1))[-1]
    assert clipped.clipped_share > 0.2
    assert clipped.quality < 0.5 * clean.quality


def test_hangover_bridges_pauses_between_words_but_not_longer() -> None:
    hangover = Hangover(on=0.5, off=0.35, hold_s=0.4)
    hangover.update(0.9)
    for _ in range(11):
        assert not hangover.update(0.1)
        assert hangover.speaking
    for _ in range(3):
        hangover.update(0.1)
    assert not hangover.speaking


def test_hangover_goes_on_at_probabilities_that_would_not_start_it() -> None:
    hangover = Hangover(on=0.5, off=0.35)
    assert not hangover.update(0.4)
    hangover.update(0.6)
    assert hangover.update(0.4)


unit = st.floats(0, 1)
decibels = st.floats(-20, 60)


@given(unit, decibels, unit)
def test_quality_is_between_zero_and_one(share: float, snr_db: float, clipped: float) -> None:
    assert 0 <= window_quality(share, snr_db, clipped) <= 1


@given(unit, decibels, unit, unit, decibels, unit)
def test_quality_never_falls_when_everything_gets_better(
    share: float, snr_db: float, clipped: float, share2: float, snr2_db: float, clipped2: float
) -> None:
    worse = window_quality(min(share, share2), min(snr_db, snr2_db), max(clipped, clipped2))
    better = window_quality(max(share, share2), max(snr_db, snr2_db), min(clipped, clipped2))
    assert better >= worse


def test_quality_is_zero_without_speech_and_one_when_clear_throughout() -> None:
    assert window_quality(0, 60, 0) == 0
    assert window_quality(1, 30, 0) == 1


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=93), st.floats(0, 1) | st.none()
)
def test_signal_to_noise_is_finite_for_any_window(
    heard: list[tuple[float, bool]], background: float | None
) -> None:
    blocks = [Block(power, 0.0, speech) for power, speech in heard]
    assert -20 <= signal_to_noise_db(blocks, background) <= 60


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


def test_detector_keeps_up_with_the_microphone() -> None:
    detector = SileroDetector()
    block = noise(BLOCK_S, 0.05)
    took = []
    for _ in range(20):
        start = time.perf_counter()
        detector.probability(block)
        took.append(time.perf_counter() - start)
    assert min(took) < BLOCK_S


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
    with pytest.raises(ModelError, match=r"pip install 'mien\[webrtc\]'"):
        webrtc.make(0.5)
