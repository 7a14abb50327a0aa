import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from edge.emotions import EMOTIONS
from edge.errors import ClipEnded, ModelError, OutputError, SensorError
from edge.fusion import Fusion
from edge.messages import Audio, Face, FaceReading, Frame, Mood, NoFace, VoiceReading
from edge.perception.speech_gate import SpeechWindow
from edge.runtime.appliance import Appliance, Components
from edge.runtime.statistics import RunReport

FACE = Face(
    100, 100, 80, 80, (120, 130), (160, 130), (140, 150), (140, 165), (105, 135), (175, 135), 0.9
)


EXPOSED_S = 0.03


class Camera:
    """A frame every 10 ms whose first pixel says which emotion is on it (255: nobody)."""

    name = "test camera"

    def __init__(self, script: list[tuple[float, str]]) -> None:
        self._script, self._began_s, self.closed = script, time.monotonic(), False

    def read(self, timeout_s: float) -> Frame | None:
        time.sleep(0.01)
        elapsed_s = time.monotonic() - self._began_s
        for end_s, what in self._script:
            if elapsed_s < end_s:
                pixel = EMOTIONS.index(what) if what in EMOTIONS else 255
                image = np.full((2, 2, 3), pixel, np.uint8)
                return Frame(image, time.monotonic() - EXPOSED_S)
        raise ClipEnded

    def close(self) -> None:
        self.closed = True


class PixelReader:
    def read(self, frame: Frame) -> FaceReading | NoFace:
        pixel = int(frame.image[0, 0, 0])
        if pixel == 255:
            return NoFace(frame.t_s)
        probabilities = np.full(7, 0.1 / 6)
        probabilities[pixel] = 0.9
        return FaceReading(frame.t_s, probabilities, 1.0, FACE)

    def close(self) -> None:
        self.closed = True


class Microphone:
    name, overflows = "test microphone", 0

    def read(self, timeout_s: float) -> Audio | None:
        time.sleep(0.02)
        return Audio(np.zeros(512, np.float32), time.monotonic())

    def close(self) -> None:
        self.closed = True


class AlwaysSpeech:
    def hear(self, audio: Audio) -> SpeechWindow | None:
        return SpeechWindow(audio.samples, audio.t_s, 0.6, 20.0, 0.0)


class SadVoice:
    def read(self, window: SpeechWindow | None) -> VoiceReading | None:
        if window is None:
            time.sleep(0.01)
            return None
        probabilities = np.full(7, 0.1 / 6)
        probabilities[EMOTIONS.index("sad")] = 0.9
        return VoiceReading(window.t_s, probabilities, 1.0)


class Recorder:
    name, interval_s = "recorder", 0.005

    def __init__(self) -> None:
        self.moods: list[Mood] = []
        self.closed = False

    def show(self, mood: Mood, t_s: float) -> None:
        self.moods.append(mood)

    def close(self) -> None:
        self.closed = True

    def shown(self) -> list[str]:
        kinds = [mood.shown for mood in self.moods]
        return [kind for i, kind in enumerate(kinds) if i == 0 or kind != kinds[i - 1]]


class Light:
    def __init__(self) -> None:
        self.open = 0
        self.was_lit = self.closed = False

    def sensor_opened(self, name: str) -> None:
        self.open += 1
        self.was_lit = True

    def sensor_closed(self, name: str) -> None:
        self.open -= 1

    def close(self) -> None:
        self.closed = True


def no_camera() -> Camera:
    raise SensorError("No camera found; plug one in.")


def no_microphone() -> Microphone:
    raise SensorError("No microphone found; plug one in.")


def run(
    seconds: float | None = None,
    *,
    camera: Callable[[], Camera] | None = None,
    microphone: Callable[[], Microphone] | None = None,
    keep_trying: bool = False,
) -> tuple[RunReport, Recorder, Light, list[str]]:
    recorder, light, told = Recorder(), Light(), list[str]()
    parts = Components(
        outputs=[lambda: recorder],
        light=lambda: light,
        open_camera=camera,
        open_microphone=microphone,
        face_reader=PixelReader,
        gate=AlwaysSpeech,
        voice_reader=SadVoice,
    )
    report = Appliance(parts, told.append, keep_trying).run(seconds)
    return report, recorder, light, told


def test_shows_what_the_face_shows_and_ends_with_the_clip() -> None:
    script = [(0.6, "happy"), (1.4, "surprise")]
    report, recorder, light, _ = run(camera=lambda: Camera(script))
    assert recorder.shown()[0] == "starting"
    assert [s for s in recorder.shown() if s in EMOTIONS] == ["happy", "surprise"]
    assert report.exit_code == 0
    assert recorder.closed
    assert (light.open, light.was_lit, light.closed) == (0, True, True)
    assert report.frames_read + report.frames_dropped + report.frames_refused <= report.frames
    assert EXPOSED_S <= report.oldest_frame_s <= 0.2
    assert "happy -> surprise" in report.sentence()


def test_goes_on_with_the_face_when_there_is_no_microphone_and_says_so() -> None:
    report, recorder, _, told = run(
        camera=lambda: Camera([(1.0, "happy")]), microphone=no_microphone, seconds=0.8
    )
    assert recorder.moods[-1].shown == "happy"
    assert recorder.moods[-1].voice.state == "lost"
    assert recorder.moods[-1].voice.trouble == "No microphone found; plug one in."
    assert told == ["No microphone found; plug one in."]
    assert report.exit_code == 0


def test_goes_on_with_the_voice_when_there_is_no_camera_and_says_so() -> None:
    _, recorder, _, told = run(camera=no_camera, microphone=Microphone, seconds=1.5)
    assert recorder.moods[-1].shown == "sad"
    assert recorder.moods[-1].face.state == "lost"
    assert told == ["No camera found; plug one in."]


def test_nothing_to_sense_ends_with_one_sentence() -> None:
    with pytest.raises(SensorError, match="No camera found"):
        run(camera=no_camera, microphone=no_microphone, seconds=5)


def test_service_without_senses_shows_the_fault_and_keeps_trying() -> None:
    report, recorder, _, _ = run(camera=no_camera, keep_trying=True, seconds=0.4)
    assert recorder.moods[-1].shown == "fault"
    assert recorder.moods[-1].trouble == "No camera found; plug one in."
    assert report.exit_code == 0


def test_stop_ends_everything_within_two_seconds() -> None:
    recorder, light = Recorder(), Light()
    parts = Components(
        outputs=[lambda: recorder],
        light=lambda: light,
        open_camera=lambda: Camera([(1e9, "happy")]),
        open_microphone=Microphone,
        face_reader=PixelReader,
        gate=AlwaysSpeech,
        voice_reader=SadVoice,
    )
    appliance = Appliance(parts, print)
    reports: list[RunReport] = []
    thread = threading.Thread(target=lambda: reports.append(appliance.run()))
    thread.start()
    time.sleep(0.3)
    appliance.stop()
    thread.join(2)
    assert not thread.is_alive()
    assert reports[0].hung == ()
    assert recorder.closed
    assert light.open == 0


def test_stop_is_heard_while_models_load() -> None:
    loading = threading.Event()

    def slow() -> PixelReader:
        loading.set()
        time.sleep(3)
        return PixelReader()

    light = Light()
    parts = Components(
        [], lambda: light, open_camera=lambda: Camera([(9, "sad")]), face_reader=slow
    )
    appliance = Appliance(parts, print)
    thread = threading.Thread(target=appliance.run)
    thread.start()
    assert loading.wait(2)
    appliance.stop()
    thread.join(1)
    assert not thread.is_alive()
    assert light.closed


def test_corrupt_model_ends_the_run_and_closes_what_was_open() -> None:
    def corrupt() -> PixelReader:
        raise ModelError("face_int8.tflite is damaged; restore it.")

    recorder, light = Recorder(), Light()
    parts = Components(
        [lambda: recorder], lambda: light, lambda: Camera([(9, "sad")]), face_reader=corrupt
    )
    with pytest.raises(ModelError, match="damaged"):
        Appliance(parts, print).run(5)
    assert recorder.closed
    assert light.closed
    assert not light.was_lit


def test_a_process_that_was_stopped_for_half_a_minute_says_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopped_s = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + stopped_s)
    monkeypatch.setattr("edge.runtime.appliance.time", clock)

    class Stopping(Recorder):
        def show(self, mood: Mood, t_s: float) -> None:
            nonlocal stopped_s
            super().show(mood, t_s)
            stopped_s = 30.0 * (mood.shown == "happy") or stopped_s

    told: list[str] = []
    script = [(0.8, "happy")]
    parts = Components([Stopping], Light, lambda: Camera(script), face_reader=PixelReader)
    Appliance(parts, told.append).run()
    assert [sentence[:28] for sentence in told] == ["Mien was stopped for 30 s (b"]


def test_one_broken_output_does_not_stop_the_others() -> None:
    def broken() -> Recorder:
        raise OutputError("No display answers at 0x3C; check its wires.")

    recorder, told = Recorder(), list[str]()
    parts = Components(
        [broken, lambda: recorder],
        Light,
        lambda: Camera([(0.4, "happy")]),
        face_reader=PixelReader,
        fusion=Fusion,
    )
    Appliance(parts, told.append).run()
    assert recorder.moods
    assert told == ["No display answers at 0x3C; check its wires."]
    with pytest.raises(OutputError, match="0x3C"):
        Appliance(Components([broken], Light, no_camera), told.append).run()
