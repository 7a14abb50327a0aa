import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.messages import SAMPLE_RATE_HZ
from edge.sensors.resample import BLOCK, Blocks, Resampler


def _tone(rate_hz: float, seconds: float, hz: float = 440.0) -> NDArray[np.float32]:
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def _loudest_hz(sound: NDArray[np.float32]) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 17))
    return float(np.argmax(spectrum)) * SAMPLE_RATE_HZ / (1 << 17)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000, 96000])
def test_keeps_pitch_and_level_of_a_tone_at_any_rate(rate_hz: int) -> None:
    blocks = Blocks(rate_hz).push(_tone(rate_hz, 1.2), t_s=100.0)
    sound = np.concatenate([block.samples for block in blocks])
    middle = sound[2000:-1000]
    assert all(len(block.samples) == BLOCK for block in blocks)
    assert _loudest_hz(middle) == pytest.approx(440.0, abs=0.5)
    assert middle.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_removes_what_16_khz_cannot_hold() -> None:
    blocks = Blocks(48000).push(_tone(48000, 1.0, hz=11_000), t_s=1.0)
    sound = np.concatenate([block.samples for block in blocks])
    assert np.abs(sound[1000:-1000]).max() < 0.01  # would be an alias at 5 kHz


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_cutting_the_stream_into_pieces_changes_nothing(sizes: list[int]) -> None:
    sound = _tone(44100, sum(sizes) / 44100 + 0.01)[: sum(sizes)]
    whole = Resampler(44100).push(sound)
    pieces, at = Resampler(44100), 0
    parts = []
    for size in sizes:
        parts.append(pieces.push(sound[at : at + size]))
        at += size
    joined = np.concatenate(parts)
    shorter = min(len(joined), len(whole))
    assert abs(len(joined) - len(whole)) <= 1024  # how much the filter holds back may differ
    np.testing.assert_allclose(joined[:shorter], whole[:shorter], atol=1e-5)


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=20))
def test_blocks_lose_no_sample_and_are_stamped_at_their_last(sizes: list[int]) -> None:
    blocks = Blocks(SAMPLE_RATE_HZ)
    sound = np.linspace(-1, 1, sum(sizes), dtype=np.float32)
    got, at = [], 0
    for size in sizes:
        piece = sound[at : at + size]
        at += size
        got += blocks.push(piece, t_s=10.0 + at / SAMPLE_RATE_HZ)
    count = len(sound) // BLOCK
    assert len(got) == count
    for k, block in enumerate(got):
        np.testing.assert_array_equal(block.samples, sound[k * BLOCK : (k + 1) * BLOCK])
        assert block.t_s == pytest.approx(10.0 + (k + 1) * BLOCK / SAMPLE_RATE_HZ)


def test_stamps_allow_for_the_delay_of_the_filter() -> None:
    # A click at 0.5 s of a 48 kHz stream must be stamped 0.5 s, though the filter gives it out later.
    sound = np.zeros(48000, np.float32)
    sound[24000] = 1.0
    blocks = Blocks(48000)
    got = []
    for end in range(480, 48001, 480):
        got += blocks.push(sound[end - 480 : end], t_s=end / 48000)
    loudest = max(got, key=lambda block: float(np.abs(block.samples).max()))
    after = BLOCK - 1 - int(np.argmax(np.abs(loudest.samples)))
    assert loudest.t_s - after / SAMPLE_RATE_HZ == pytest.approx(0.5, abs=0.002)


def test_overshoot_is_held_within_full_scale() -> None:
    square = np.sign(_tone(44100, 0.5, hz=300)).astype(np.float32)
    blocks = Blocks(44100).push(square, t_s=0.5)
    assert max(float(np.abs(block.samples).max()) for block in blocks) == 1.0
