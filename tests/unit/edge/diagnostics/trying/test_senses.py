"""`mien try microphone` and `mien try camera`: what they make of what comes in."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge.config.schema import Settings
from edge.diagnostics.trying.camera import as_text, try_camera
from edge.diagnostics.trying.guide import Guide, NotWiredError
from edge.diagnostics.trying.microphone import Heard, bar, try_microphone
from edge.errors import SensorError
from edge.hardware.host import Host
from edge.messages import SAMPLE_RATE_HZ, Audio, Frame
from tests.fakes.world import FACE

RANDOM = np.random.default_rng(0)


def guide(step_s: float = 0.3) -> tuple[Guide, io.StringIO]:
    said = io.StringIO()
    return Guide(said, None, step_s), said


def noise(rms: float, seconds: float = 2.0) -> NDArray[np.float32]:
    count = round(seconds * SAMPLE_RATE_HZ)
    return np.clip(RANDOM.normal(0, rms, count), -1, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("room", "voice", "well", "words"),
    [
        (0.001, 0.05, True, "the voice is at -26 dB and the room at -60 dB"),
        (0.001, 0.002, False, "too quiet"),
        (0.001, 0.9, False, "too loud"),
        (0.03, 0.05, False, "hardly stands out of the room"),
        (0.001, None, False, "no voice was heard"),
        (0.0, None, False, "muted"),
    ],
)
def test_level_of_a_sentence_is_judged_with_a_remedy(
    room: float, voice: float | None, well: bool, words: str
) -> None:
    heard = Heard()
    for rms, is_speech in ((room, False), (voice, True)):
        if rms is not None:
            for block in noise(rms).reshape(-1, 500):
                heard.add(block, is_speech)
    judge, said = guide()
    heard.judge(judge)
    assert words in " ".join(said.getvalue().split())
    assert (judge.wrong == 0) is well
    assert ("\n  - " in said.getvalue()) is not well


def test_bar_grows_with_the_level() -> None:
    lengths = [bar(level, False).count("#") for level in (-100.0, -70.0, -35.0, 0.0, 3.0)]
    assert lengths == [0, 0, 20, 40, 40]


class Light:
    """The recording LED, and whether it was on whenever a sensor was."""

    def __init__(self) -> None:
        self.on = False

    def sensor_opened(self, name: str) -> None:
        self.on = True

    def close(self) -> None:
        self.on = False


class Sensor:
    """A camera or microphone that delivers the same again and again."""

    name = "test sensor"

    def __init__(self, light: Light, item: Any) -> None:
        self._light, self._item = light, item
        self.reads = 0
        self.closed = False

    def read(self, timeout_s: float) -> Any:
        assert self._light.on, "opened in the dark"
        self.reads += 1
        return self._item

    def close(self) -> None:
        self.closed = True


def wire(monkeypatch: pytest.MonkeyPatch, part: str, item: Any) -> tuple[Light, Sensor]:
    light = Light()
    sensor = Sensor(light, item)
    where = f"edge.diagnostics.trying.{part}"
    monkeypatch.setattr(f"{where}.open_{part}", lambda settings, host: sensor)
    monkeypatch.setattr(f"{where}.recording_light", lambda leds, host: light)
    return light, sensor


def test_microphone_is_listened_to_with_its_led_on_and_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    light, microphone = wire(monkeypatch, "microphone", Audio(noise(0.1, 0.1), 0.0))
    detector = SimpleNamespace(probability=lambda block: 0.9)
    monkeypatch.setattr(
        "edge.diagnostics.trying.microphone.open_speech_detector", lambda settings: detector
    )
    monkeypatch.setattr("edge.diagnostics.trying.microphone.LISTEN_S", 0.3)
    talk, said = guide()
    try_microphone(Settings(), Host(), talk)
    assert "dB" in said.getvalue() and "voice" in said.getvalue()
    assert (light.on, microphone.closed) == (False, True)


def picture(level: int) -> Frame:
    return Frame(np.full((240, 320, 3), level, np.uint8), 0.0)


@pytest.mark.parametrize(
    ("level", "faces", "words"),
    [
        (120, [FACE], "a face; the largest is 80 pixels wide, in the middle"),
        (120, [], "no face was found"),
        (10, [FACE], "too dark"),
        (250, [FACE], "too bright"),
    ],
)
def test_camera_says_what_it_sees_and_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, level: int, faces: list[Any], words: str
) -> None:
    light, camera = wire(monkeypatch, "camera", picture(level))
    finder = SimpleNamespace(find=lambda frame: faces, close=lambda: None)
    monkeypatch.setattr("edge.diagnostics.trying.camera.FaceFinder", lambda *given: finder)
    monkeypatch.setattr("edge.diagnostics.trying.camera.SECONDS", 0.3)
    monkeypatch.chdir(tmp_path)
    talk, said = guide()
    wanted = Settings.model_validate({"camera": {"rate_hz": 1.0}})
    try_camera(wanted, Host(), talk)
    assert words in " ".join(said.getvalue().split())
    assert (talk.wrong == 0) is words.startswith("a face")
    assert (light.on, camera.closed, list(tmp_path.iterdir())) == (False, True, [])
    try_camera(wanted, Host(), talk, tmp_path / "seen.png")
    with Image.open(tmp_path / "seen.png") as kept:
        assert kept.size == (320, 240)


def test_camera_that_gives_no_picture_is_closed_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    light, camera = wire(monkeypatch, "camera", None)
    finder = SimpleNamespace(find=lambda frame: [], close=lambda: None)
    monkeypatch.setattr("edge.diagnostics.trying.camera.FaceFinder", lambda *given: finder)
    monkeypatch.setattr("edge.diagnostics.trying.camera.SILENT_S", 0.2)
    with pytest.raises(SensorError, match="gives no picture"):
        try_camera(Settings(), Host(), guide()[0])
    assert (light.on, camera.closed) == (False, True)


def test_text_shows_the_picture_as_a_mirror_would_with_the_face_in_a_box() -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[:, :80] = 255
    lines = as_text(Frame(image, 0.0), [FACE])
    assert len({len(line) for line in lines}) == 1
    assert lines[1].endswith("@|") and lines[1].startswith("| ")
    assert sum(line.count("+") for line in lines[1:-1]) == 4


@pytest.mark.parametrize("part", ["camera", "microphone"])
def test_what_is_switched_off_is_told(part: str) -> None:
    settings = Settings.model_validate({part: {"enabled": False}})
    attempt = try_camera if part == "camera" else try_microphone
    with pytest.raises(NotWiredError, match=rf"\[{part}\] enabled to true"):
        attempt(settings, Host(), guide()[0])
