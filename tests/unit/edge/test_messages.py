import dataclasses
from typing import Any

import numpy as np
import pytest

from edge import messages
from edge.messages import (
    SAMPLE_RATE_HZ,
    SHOWN,
    UNIFORM,
    Audio,
    Belief,
    Condition,
    Evidence,
    Face,
    FaceReading,
    Frame,
    Mood,
    NoFace,
    Notice,
    Sense,
    VoiceReading,
)

P = (5.0, 6.0)
FACE = Face(1, 2, 3, 4, P, P, P, P, P, P, 0.9)
SOUND = np.zeros(3, np.float32)
WITH_ARRAYS: list[Any] = [
    Frame(np.zeros((2, 2, 3), np.uint8), 1.0),
    Audio(SOUND, 1.0),
    FaceReading(1.0, UNIFORM, 1.0, FACE),
    VoiceReading(1.0, UNIFORM, 1.0),
    NoFace(1.0),
    Belief(1.0, "happy", True),
    Mood(1.0, "happy"),
]
PLAIN: list[Any] = [FACE, Sense(), Evidence(), Notice(1.0, "camera", "lost", "It is gone.")]


@pytest.mark.parametrize("message", WITH_ARRAYS + PLAIN)
def test_message_cannot_be_changed_on_its_way(message: Any) -> None:
    name = dataclasses.fields(message)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(message, name, None)


@pytest.mark.parametrize("message", WITH_ARRAYS)
def test_message_with_an_array_is_only_itself(message: Any) -> None:
    assert message == message
    assert message != dataclasses.replace(message)  # comparing the arrays would raise


@pytest.mark.parametrize("message", PLAIN)
def test_plain_message_equals_its_copy(message: Any) -> None:
    assert message == dataclasses.replace(message)


def test_unless_said_otherwise_a_mood_is_of_one_who_shows_nothing_and_is_not_seen() -> None:
    off = Sense("off", False, 0.0, 0.0, "")
    mood, belief = Mood(1.0, "unsure"), Belief(1.0, "unsure", True)
    assert mood.face == mood.voice == off
    assert belief.face == belief.voice == Evidence(False, 0.0, 0.0)
    for shown in (mood, belief):
        assert (shown.valence, shown.arousal, shown.gaze) == (0.0, 0.0, (0.0, 0.0))
        np.testing.assert_allclose(shown.probabilities, [1 / 7] * 7)
    assert (mood.trouble, mood.condition) == ("", Condition.WATCHING)
    reading = FaceReading(1.0, UNIFORM, 1.0, FACE)
    assert (reading.faces, reading.gaze) == (1, (0.0, 0.0))


@pytest.mark.parametrize("somebody", [True, False])
def test_a_mood_tells_all_of_a_belief_and_whether_somebody_is_there(somebody: bool) -> None:
    belief = Belief(1.0, "happy", somebody, valence=0.5, arousal=-0.5, gaze=(0.1, 0.2))
    face, voice = Sense("ok"), Sense("lost")
    mood = messages.mood_of(belief, face, voice)
    assert mood.condition == (Condition.WATCHING if somebody else Condition.ALONE)
    assert (mood.t_s, mood.shown, mood.face, mood.voice) == (1.0, "happy", face, voice)
    assert (mood.valence, mood.arousal, mood.gaze) == (0.5, -0.5, (0.1, 0.2))
    assert mood.probabilities is belief.probabilities


def test_uniform_probabilities_that_all_share_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        UNIFORM[0] = 1.0


def test_what_others_rely_on() -> None:
    assert SAMPLE_RATE_HZ == 16_000  # what the speech gate and the voice net take
    assert messages.SENSES == ("face", "voice")
    assert SHOWN[7:] == ("unsure", "nobody", "starting", "fault")
