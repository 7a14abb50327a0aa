"""What is said of a microphone that delivers, but not what it should."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.sensors.microphone_health import MicrophoneHealth

BLOCK = 1600
BLOCK_S = 0.1

# Written down anew, in seconds, since they are what is tested.
MUTE_S = 10.0  # as long as a person looks at a new robot before wondering
GATED_S = 600.0  # conference microphones deliver zeros between utterances, for minutes
OVERDRIVEN_S, WITHIN_S = 2.0, 15.0  # a laugh or a knock is shorter
OVER_S = 60.0  # nobody speaks all the time
LOST = 5  # overflows: fewer are a moment in which the board had other things to do


class Listener:
    """A `MicrophoneHealth` that is fed with one kind of sound after the other."""

    def __init__(self) -> None:
        self.hearing = MicrophoneHealth("USB microphone")
        self.t_s, self.overflows = 1000.0, 0
        self.noise = np.random.default_rng(0)

    def hear(
        self, seconds: float, level: float, kind: str = "noise", lost_every_s: float = 0
    ) -> str:
        """What is said at the end of those seconds."""
        said, next_s = "", self.t_s
        for _ in range(round(seconds / BLOCK_S)):
            self.t_s += BLOCK_S
            if lost_every_s and self.t_s >= next_s:
                self.overflows, next_s = self.overflows + 1, next_s + lost_every_s
            sound = (
                self.noise.uniform(-level, level, BLOCK)
                if kind == "noise"
                else np.full(BLOCK, level)
            )
            block = np.clip(sound, -1, 1).astype(np.float32)
            said = self.hearing.hear(block, self.overflows, self.t_s)
        return said


def test_muted_from_the_start_is_told_soon_and_until_it_is_heard() -> None:
    listener = Listener()
    assert listener.hear(MUTE_S - 1, 0.0) == ""
    said = listener.hear(2, 0.0)
    assert 'The microphone "USB microphone" delivers nothing but zeros' in said
    assert "alsamixer" in said
    assert listener.hear(2 * BLOCK_S, 1e-4) == ""


def test_zeros_between_sounds_are_a_gate_and_told_only_after_long() -> None:
    listener = Listener()
    listener.hear(1, 0.1)
    assert listener.hear(GATED_S - 1, 0.0) == ""
    assert "nothing but zeros" in listener.hear(2, 0.0)


def test_overdriven_voice_is_told_and_a_knock_is_not() -> None:
    listener = Listener()
    assert listener.hear(OVERDRIVEN_S - 0.2, 1.0, "cut off") == ""
    assert listener.hear(WITHIN_S + 1, 0.1) == ""
    assert "is overdriven" in listener.hear(OVERDRIVEN_S + 0.1, 3.0)


def test_overdriven_voice_is_so_through_its_pauses_until_it_is_not_for_long() -> None:
    listener = Listener()
    listener.hear(OVERDRIVEN_S + 0.1, 1.0, "cut off")
    assert "is overdriven" in listener.hear(OVER_S - 1, 0.1)
    listener.hear(0.2, 1.0, "cut off")
    assert "is overdriven" in listener.hear(OVER_S - 1, 0.1)
    assert listener.hear(2, 0.1) == ""


def test_lost_sound_is_told_when_it_is_more_than_a_moment() -> None:
    listener = Listener()
    assert listener.hear(3 * WITHIN_S, 0.1, lost_every_s=WITHIN_S / 2) == ""
    assert "is being lost" in listener.hear(WITHIN_S, 0.1, lost_every_s=WITHIN_S / (2 * LOST))
    assert listener.hear(OVER_S + 1, 0.1) == ""


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 5), st.floats(1e-4, 0.9)), min_size=1, max_size=6))
def test_nothing_is_said_of_sound_that_is_as_it_should_be(parts: list[tuple[float, float]]) -> None:
    listener = Listener()
    assert [listener.hear(seconds, level) for seconds, level in parts] == [""] * len(parts)
