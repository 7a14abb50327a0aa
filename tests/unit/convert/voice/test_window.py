import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert.voice.window import best_start, cut, plain_view
from tests.fakes.sounds import burst

LENGTH = 48_000


@given(st.integers(1, 150_000), st.integers(1, 100_000), st.integers(0, 150_000))
@settings(max_examples=40, deadline=None)
def test_window_is_inside_a_long_recording_and_around_a_short_one(
    length: int, wanted: int, loud: int
) -> None:
    sound = burst(length, min(loud, length - 1), length)
    start = best_start(sound, wanted)
    if length > wanted:
        assert 0 <= start <= length - wanted
    else:
        assert start <= 0
        assert start + wanted >= length
        assert abs(-start - (start + wanted - length)) <= 1, "not centred"


def test_takes_the_window_with_the_speech_and_centers_it() -> None:
    sound = burst(120_000, 70_000, 86_000)
    start = best_start(sound, LENGTH)
    assert start < 70_000
    assert start + LENGTH > 86_000
    assert start + LENGTH / 2 == pytest.approx(78_000, abs=800)


def test_cut_pads_with_silence_beyond_the_ends() -> None:
    sound = np.arange(1, 11, dtype=np.float32)
    np.testing.assert_array_equal(cut(sound, -2, 5), [0, 0, 1, 2, 3])
    np.testing.assert_array_equal(cut(sound, 8, 5), [9, 10, 0, 0, 0])
    np.testing.assert_array_equal(cut(sound, 3, 4), [4, 5, 6, 7])
    assert not cut(sound, 50, 5).any()
    assert not cut(sound, -50, 5).any()


def test_plain_view_leaves_the_recording_as_it_is() -> None:
    sound = burst(60_000, 20_000, 30_000)
    view = plain_view(sound, LENGTH)
    start = best_start(sound, LENGTH)
    np.testing.assert_array_equal(view, sound[start : start + LENGTH])


def test_a_margin_is_what_lies_around_the_window() -> None:
    sound = burst(120_000, 50_000, 70_000)
    view = plain_view(sound, LENGTH, 1_000)
    np.testing.assert_array_equal(view[1_000:-1_000], plain_view(sound, LENGTH))
    start = best_start(sound, LENGTH)
    np.testing.assert_array_equal(view[:1_000], sound[start - 1_000 : start])
