import numpy as np
import pytest
from numpy.typing import NDArray

from edge.emotions import EMOTIONS
from edge.errors import ModelError
from edge.perception.probability import sigmoid
from edge.perception.spectrogram import FrontEnd, Spectrogram
from edge.perception.speech_gate import SpeechWindow
from edge.perception.voice_reader import VoiceLogits, VoiceReader

FRONT_END = FrontEnd()
SPECTROGRAM = Spectrogram(FRONT_END)
HAPPY = np.array([0, 0, 0, 3, 0, 0, 1], np.float32)


class RecordingNet:
    """Gives fixed logits and keeps what it was shown."""

    def __init__(self, logits: NDArray[np.float32], heard: float | None = None) -> None:
        self.logits = VoiceLogits(logits, heard)
        self.seen: list[NDArray[np.float32]] = []

    def predict(self, features: NDArray[np.float32]) -> VoiceLogits:
        self.seen.append(features)
        return self.logits


def window(speech_share: float = 0.8) -> SpeechWindow:
    samples = np.random.default_rng(0).standard_normal(FRONT_END.window_samples) * 0.1
    return SpeechWindow(samples.astype(np.float32), 12.5, speech_share, 30.0, 0.0)


def test_shows_the_net_what_training_showed_it() -> None:
    net = RecordingNet(HAPPY)
    VoiceReader(net, SPECTROGRAM, 1.0).read(window())
    (features,) = net.seen
    assert features.shape == (1, FRONT_END.bands, FRONT_END.frames, 1)
    expected = Spectrogram(FRONT_END).features(window().samples)
    np.testing.assert_array_equal(features[0, :, :, 0], expected.T)


def test_reading_is_a_distribution_at_the_windows_time_with_its_quality() -> None:
    heard = window()
    reading = VoiceReader(RecordingNet(HAPPY), SPECTROGRAM, 1.0).read(heard)
    assert reading is not None
    assert reading.t_s == 12.5
    assert reading.quality == heard.quality == 1
    assert reading.probabilities.sum() == pytest.approx(1)
    assert EMOTIONS[int(reading.probabilities.argmax())] == "happy"


def test_a_higher_temperature_makes_it_less_sure_of_the_same_emotion() -> None:
    sure = VoiceReader(RecordingNet(HAPPY), SPECTROGRAM, 0.7).read(window())
    careful = VoiceReader(RecordingNet(HAPPY), SPECTROGRAM, 2.5).read(window())
    assert sure is not None
    assert careful is not None
    assert careful.probabilities.max() < sure.probabilities.max()
    assert careful.probabilities.argmax() == sure.probabilities.argmax()


def test_no_speech_gives_no_reading_and_costs_no_inference() -> None:
    net = RecordingNet(HAPPY)
    reader = VoiceReader(net, SPECTROGRAM, 1.0)
    assert reader.read(None) is None
    assert reader.read(window(speech_share=0.0)) is None
    assert net.seen == []


@pytest.mark.parametrize(
    "logits", [np.zeros(8, np.float32), np.full(7, np.nan, np.float32), np.zeros(0, np.float32)]
)
def test_refuses_an_answer_that_is_no_logits(logits: NDArray[np.float32]) -> None:
    with pytest.raises(ModelError, match="seven finite numbers"):
        VoiceReader(RecordingNet(logits), SPECTROGRAM, 1.0).read(window())


SURE = (0.9, 12.0, float("inf"), None)  # None: of a model that cannot tell a voice
UNSURE = (-3.0, 0.8, float("-inf"), float("nan"))


@pytest.mark.parametrize(
    ("heard", "reads"), [(each, True) for each in SURE] + [(each, False) for each in UNSURE]
)
def test_only_what_is_surely_a_voice_says_something_about_emotion(
    heard: float | None, reads: bool
) -> None:
    reading = VoiceReader(RecordingNet(HAPPY, heard), SPECTROGRAM, 1.0, 0.7).read(window())
    assert (reading is not None) is reads
    if reading is not None:
        assert EMOTIONS[int(reading.probabilities.argmax())] == "happy"


@pytest.mark.parametrize(("logit", "probability"), [(0, 0.5), (-800, 0), (800, 1), (1, 0.731059)])
def test_probability_of_a_voice_is_finite_for_any_logit(logit: float, probability: float) -> None:
    assert sigmoid(logit) == pytest.approx(probability, abs=1e-6)
