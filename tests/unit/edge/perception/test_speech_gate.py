import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.messages import SAMPLE_RATE_HZ, Audio
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
    assert offers[0].t_s == pytest.approx(160.512)
    assert not offers[0].samples[:30_000].any()


@pytest.mark.parametrize(
    ("begins_s", "forgets"), [(100.5, False), (100.51, True), (99.5, False), (99.49, True)]
)
def test_jitter_of_half_a_second_is_no_gap(begins_s: float, forgets: bool) -> None:
    gate = SpeechGate(LoudIsSpeech())
    gate.hear(Audio(noise(0.5, 0.2), 100.0))
    gate.hear(Audio(noise(0.125, 0.001), begins_s + 0.125))
    assert gate.speaking is not forgets


def test_memory_stays_bounded_over_minutes_of_sound() -> None:
    gate = SpeechGate(LoudIsSpeech())
    sizes = []
    for ten in range(6):
        play(gate, noise(10, 0.2), start_s=ten * 10.0, step=16_000)
        sizes.append(len(pickle.dumps(gate)))
    assert max(sizes) - min(sizes) < 4 * BLOCK_SAMPLES


def test_broken_samples_are_silence_or_full_scale() -> None:
    sound = noise(2, 0.2)
    sound[-4:] = np.nan, np.inf, -np.inf, 0.5
    offer = play(SpeechGate(LoudIsSpeech()), sound[-16 * BLOCK_SAMPLES :])[-1]
    assert offer.samples[-4:].tolist() == [0.0, 1.0, -1.0, 0.5]


class Told:
    """A detector that says what it is told."""

    says = 0.0

    def probability(self, block: NDArray[np.float32]) -> float:
        return self.says

    def reset(self) -> None:
        pass


class Microphone:
    """Feeds a gate with blocks of one amplitude, of which the detector says what it is told."""

    def __init__(self) -> None:
        self.detector = Told()
        self.gate, self.t_s = SpeechGate(self.detector), 0.0

    def hear(self, says: float, blocks: int, amplitude: float = 0.1) -> SpeechWindow | None:
        """The newest window that is offered meanwhile."""
        self.detector.says, newest = says, None
        block = np.full(512, amplitude, np.float32)
        for _ in range(blocks):
            self.t_s += 0.032
            newest = self.gate.hear(Audio(block, self.t_s)) or newest
        return newest


def test_window_comes_every_half_second_if_four_tenths_of_a_second_are_speech() -> None:
    microphone = Microphone()
    assert microphone.hear(0.9, 15) is None
    first = microphone.hear(0.9, 1)  # 16 blocks of 32 ms
    assert first is not None
    assert first.t_s == pytest.approx(0.512)
    assert first.speech_share == pytest.approx(16 / 93)  # of three seconds
    for spoken, worth in ((11, False), (12, True)):  # 0.35 and 0.38 s
        microphone = Microphone()
        microphone.hear(0.1, 16 - spoken)
        offer = microphone.hear(0.9, spoken)
        assert (offer is not None) is worth


def test_every_block_of_speech_is_offered_when_no_wait_is_asked_for() -> None:
    for least_speech_s, offers in ((0.0, 10), (0.06, 9)):  # one block, two blocks
        gate = SpeechGate(LoudIsSpeech(), interval_s=0.0, least_speech_s=least_speech_s)
        assert len(play(gate, noise(0.32, 0.2))) == offers


def test_background_is_what_is_heard_between_utterances_and_follows_the_room() -> None:
    microphone = Microphone()
    microphone.hear(0.19, 40, amplitude=0.01)  # power 1e-4
    for may_be_speech in (0.2, 0.3):
        microphone.hear(may_be_speech, 20, amplitude=0.05)
    offer = microphone.hear(0.9, 16, amplitude=0.1005)
    assert offer is not None
    assert offer.snr_db == pytest.approx(20.0, abs=0.01)
    # Pauses count once the speaker has stopped for 12 blocks; each moves the estimate by a twentieth.
    microphone.hear(0.1, 12 + 4, amplitude=0.03)  # power 9e-4: 1e-4 + 8e-4 (1 - 0.95^5)
    offer = microphone.hear(0.9, 80, amplitude=0.2)
    assert offer is not None
    assert offer.snr_db == pytest.approx(10 * np.log10(0.04 / 2.8098e-4 - 1), abs=0.05)


def test_sample_within_a_hundredth_of_the_converters_end_is_clipped() -> None:
    for amplitude, clipped in ((0.9899, 0.0), (0.9901, 1.0), (-0.9901, 1.0)):
        microphone = Microphone()
        microphone.hear(0.1, 4, amplitude=1.0)  # no speech: nothing that is read is cut off
        offer = microphone.hear(0.9, 12, amplitude=amplitude)
        assert offer is not None
        assert offer.clipped_share == clipped


def test_probability_is_that_of_the_newest_block_until_a_gap() -> None:
    microphone = Microphone()
    assert microphone.gate.probability == 0.0
    microphone.hear(0.7, 1)
    assert microphone.gate.probability == 0.7
    microphone.gate.reset()
    assert (microphone.gate.probability, microphone.gate.speaking) == (0.0, False)


def test_hangover_starts_at_one_half_and_ends_when_twelve_blocks_were_under_a_third() -> None:
    hangover = Hangover()
    assert not hangover.update(0.49)
    assert not hangover.speaking
    assert hangover.update(0.5)
    assert not hangover.update(0.34)
    assert hangover.update(0.35), "it goes on at what would not start it"
    for _ in range(11):
        assert not hangover.update(0.34)
        assert hangover.speaking
    hangover.update(0.34)
    assert not hangover.speaking
    hangover.update(0.5)
    hangover.reset()
    assert not hangover.speaking
    for hold_s, goes_on in ((0.0, False), (0.06, True)):  # one block at least, else the nearest
        hangover = Hangover(hold_s=hold_s)
        hangover.update(0.5)
        assert hangover.speaking
        hangover.update(0.0)
        assert hangover.speaking is goes_on


unit = st.floats(0, 1)
decibels = st.floats(-20, 60)


@given(unit, decibels, unit, unit, decibels, unit)
def test_quality_never_falls_when_everything_gets_better(
    share: float, snr_db: float, clipped: float, share2: float, snr2_db: float, clipped2: float
) -> None:
    worse = window_quality(min(share, share2), min(snr_db, snr2_db), max(clipped, clipped2))
    better = window_quality(max(share, share2), max(snr_db, snr2_db), min(clipped, clipped2))
    assert 0 <= worse <= better <= 1


@pytest.mark.parametrize(
    ("share", "snr_db", "clipped", "quality"),
    [
        (0.0, 60, 0.0, 0.0),
        (0.25, 60, 0.0, 0.5),  # speech in half of the window is enough
        (0.5, 20, 0.0, 1.0),
        (1.0, 60, 0.0, 1.0),
        (1.0, 0, 0.0, 0.2),  # 0 dB are worth a fifth, 20 dB all
        (1.0, -20, 0.0, 0.2),
        (1.0, 10, 0.0, 0.6),
        (1.0, 20, 0.025, 0.6),  # one clipped sample in 20 takes away four fifths
        (1.0, 20, 0.05, 0.2),
        (1.0, 20, 1.0, 0.2),
        (0.25, 10, 0.025, 0.18),
    ],
)
def test_quality_is_the_product_of_three_ramps(
    share: float, snr_db: float, clipped: float, quality: float
) -> None:
    assert window_quality(share, snr_db, clipped) == pytest.approx(quality)
    window = SpeechWindow(np.zeros(1, np.float32), 0.0, share, snr_db, clipped)
    assert window.quality == pytest.approx(quality)


def blocks(*speech: float, pauses: tuple[float, ...] = ()) -> list[Block]:
    heard = [Block(power, 0.0, True) for power in speech]
    return heard + [Block(power, 0.0, False) for power in pauses]


@pytest.mark.parametrize(
    ("heard", "background", "expected_db"),
    [
        (blocks(0.02), 0.01, 0.0),  # as much again as the background, which is part of it
        (blocks(0.10, 0.12), 0.01, 10.0),
        (blocks(0.11, pauses=(0.5,)), 0.01, 10.0),
        (blocks(0.01), 0.01, -20.0),
        (blocks(0.9), 1e-9, 60.0),
        (blocks(pauses=(0.5,)), 0.01, -20.0),
        (blocks(1.01e-8), 0.0, 20.0),  # digital silence counts as -100 dBFS
        # no pause yet: the mean of the quietest tenth
        (blocks(*[0.203] * 18, 0.001, 0.003), None, 19.57),
        (blocks(*[0.203] * 17, 0.001, 0.003), None, 22.57),
        (blocks(0.2, 0.1, 0.01), None, 9.70),
    ],
)
def test_signal_to_noise_is_speech_over_background_in_decibels(
    heard: list[Block], background: float | None, expected_db: float
) -> None:
    assert signal_to_noise_db(heard, background) == pytest.approx(expected_db, abs=0.01)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=93), st.floats(0, 1) | st.none()
)
def test_signal_to_noise_is_finite_for_any_window(
    heard: list[tuple[float, bool]], background: float | None
) -> None:
    blocks = [Block(power, 0.0, speech) for power, speech in heard]
    assert -20 <= signal_to_noise_db(blocks, background) <= 60
