"""The demo's visitor is shown as the README promises, with her face and her voice both read."""

from collections.abc import Iterator

import numpy as np
import pytest

from edge.config.paths import PORTRAIT
from edge.demo.command import read_portrait
from edge.demo.picture import Pictures
from edge.demo.script import RATE_FPS, SCENES
from edge.demo.sound import RATE_HZ, make_sound, sound_source
from edge.messages import SAMPLE_RATE_HZ, Audio, Frame
from tests.acceptance.replay.__main__ import Moment, replay
from tests.fakes.process import needs_demo

pytestmark = needs_demo

FROM_S, TO_S = 7.0, 23.5


def acted(source: str) -> Iterator[Moment]:
    """Her part of the clip as it is drawn and spoken, picture by picture."""
    soxr = pytest.importorskip("soxr")
    pictures = Pictures(read_portrait(PORTRAIT))
    sound, loudness = make_sound(source)
    heard = np.asarray(soxr.resample(sound, RATE_HZ, SAMPLE_RATE_HZ), np.float32)
    per = SAMPLE_RATE_HZ // RATE_FPS
    for number in range(round(FROM_S * RATE_FPS), round(TO_S * RATE_FPS)):
        at_s = number / RATE_FPS
        if number % 2:  # enough for the fusion, which goes by time
            yield at_s, Frame(pictures.at(at_s, float(loudness[number])), at_s)
        yield at_s, Audio(heard[number * per : (number + 1) * per], at_s)


@pytest.mark.timeout(400)  # a minute on two busy cores
@pytest.mark.skipif(not PORTRAIT.is_file(), reason="./setup.sh test fetches the portrait")
@pytest.mark.parametrize("source", ["recordings", "synthesis"])
def test_each_emotion_that_she_acts_is_shown(source: str) -> None:
    if source == "recordings" and sound_source() != source:
        pytest.skip("alsa-utils' recordings are not there")
    shown = [(event["t"], event["shown"]) for event in replay(acted(source))]
    for scene in SCENES:
        if scene.face in ("happy", "surprise", "sad", "angry") and scene.end_s < TO_S:
            last_second = {name for t_s, name in shown if scene.end_s - 1 <= t_s < scene.end_s}
            assert scene.face in last_second, scene.name
