import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge.calibration.prior import Calibration
from edge.calibration.storage import load_calibration, save_calibration
from edge.commands import calibrate_session
from edge.commands.calibrate_session import reset_calibration, run_calibration, show_calibration
from edge.config.paths import fetched_folder
from edge.config.schema import Settings
from edge.errors import SensorError, SettingsError
from edge.messages import FaceReading, Frame, NoFace, VoiceReading
from edge.perception.speech_gate import SpeechWindow
from edge.runtime.components import Components
from tests.fakes.command import Ended, Mien
from tests.fakes.portrait import draw_portrait
from tests.fakes.process import finish, start
from tests.fakes.running import components_of
from tests.fakes.world import FACE, FakeCamera, World

LOOKS_SAD = np.array([0.06, 0.03, 0.06, 0.06, 0.4, 0.06, 0.33])
SOUNDS_CROSS = np.array([0.5, 0.05, 0.05, 0.05, 0.05, 0.05, 0.25])


class SadFace:
    """Reads half a second further on with each frame, so that tests need not wait."""

    def __init__(self) -> None:
        self.t_s = 0.0

    def read(self, frame: Frame) -> FaceReading | NoFace:
        self.t_s += 0.5
        return FaceReading(self.t_s, LOOKS_SAD, 1.0, FACE)

    def close(self) -> None:
        pass


class Nobody(SadFace):
    def read(self, frame: Frame) -> FaceReading | NoFace:
        return NoFace(frame.t_s)


class CrossVoice:
    def __init__(self) -> None:
        self.t_s = 0.0

    def read(self, window: SpeechWindow | None) -> VoiceReading | None:
        if window is None:
            return None
        self.t_s += 0.5
        return VoiceReading(self.t_s, SOUNDS_CROSS, 1.0)


class Room(World):
    """What `build_components` finds."""

    def __init__(self) -> None:
        super().__init__()
        self.open_camera: Callable[[], Any] = lambda: FakeCamera(self)
        self.face: Callable[[], Any] = SadFace

    def components(self, settings: Settings, clip: Path | None, repeat: bool) -> Components:
        found = components_of(self, outputs=[], face_reader=self.face, voice_reader=CrossVoice)
        found.open_camera = self.open_camera if settings.camera.enabled else None
        if not settings.microphone.enabled:
            found.open_microphone = None
        return found


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    found = Room()
    monkeypatch.setattr(calibrate_session, "build_components", found.components)
    monkeypatch.setattr(calibrate_session, "nothing_connected", lambda settings, host: False)
    monkeypatch.setattr(calibrate_session, "mute_native_code", lambda: None)
    monkeypatch.setattr(calibrate_session, "GRACE_S", 0.3)
    monkeypatch.setattr(calibrate_session, "PATIENCE", 0.05)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "me.json"


def settings(file: Path | str, **sections: dict[str, object]) -> Settings:
    return Settings.model_validate({"calibration": {"file": str(file)}, **sections})


def test_asks_watches_and_keeps_what_it_saw(
    room: Room, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_calibration(settings(file))
    known = load_calibration(file)
    assert known.face is not None and known.voice is not None
    np.testing.assert_allclose(known.face.reading, LOOKS_SAD, atol=1e-3)
    np.testing.assert_allclose(known.voice.reading, SOUNDS_CROSS, atol=1e-3)
    assert known.face.seconds == pytest.approx(5, abs=0.6)
    said = capsys.readouterr()
    assert said.err.index("resting face") < said.err.index("Read aloud")
    assert "sad" in said.out and "40%" in said.out
    assert "Your voice at rest reads as angry rather than neutral" in said.out


def test_recording_light_is_on_while_it_watches_and_off_afterwards(room: Room, file: Path) -> None:
    run_calibration(settings(file))
    assert {name.split()[0] for name in room.ever_lit} == {"camera", "microphone"}
    assert room.lit == set()


def test_calibrating_one_sense_leaves_the_other_as_it_was(
    room: Room, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_calibration(settings(file))
    before = load_calibration(file)
    run_calibration(settings(file, microphone={"enabled": False}), seconds=10)
    after = load_calibration(file)
    assert after.voice == before.voice
    assert after.face is not None and before.face is not None
    assert after.face.seconds > before.face.seconds
    assert "The voice stays as it was calibrated before." in capsys.readouterr().err


def test_goes_on_with_the_voice_when_there_is_no_camera(
    room: Room, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room.faults.add("camera gone")
    run_calibration(settings(file))
    known = load_calibration(file)
    assert known.face is None and known.voice is not None
    said = capsys.readouterr().err
    assert "No camera found; plug one in. Going on without." in said
    assert "resting face" not in said


def test_nothing_seen_and_nothing_heard_is_one_error_and_stores_nothing(
    room: Room, file: Path
) -> None:
    room.face = Nobody
    room.faults.add("microphone gone")
    with pytest.raises(SensorError, match=r"No face was seen well enough: .* No microphone found"):
        run_calibration(settings(file))
    assert not file.exists()


def test_too_little_is_taken_but_counts_for_less(
    room: Room, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Brief(SadFace):
        def read(self, frame: Frame) -> FaceReading | NoFace:
            return super().read(frame) if self.t_s < 2 else NoFace(frame.t_s)

    room.face = Brief
    run_calibration(settings(file, microphone={"enabled": False}))
    assert "Only 1.5 of 5 s of your face were of use" in capsys.readouterr().err
    known = load_calibration(file)
    assert known.face is not None
    assert known.face.seconds == pytest.approx(1.5)


def test_ctrl_c_ends_it_and_stores_nothing(room: Room, file: Path) -> None:
    class Interrupted(SadFace):
        def read(self, frame: Frame) -> FaceReading | NoFace:
            if self.t_s == 1.0:
                os.kill(os.getpid(), signal.SIGINT)
            return super().read(frame)

    room.face = Interrupted
    with pytest.raises(KeyboardInterrupt):
        run_calibration(settings(file), seconds=60)
    assert not file.exists()
    assert room.lit == set()


def test_asks_no_second_time_when_the_camera_is_opened_again(
    room: Room, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[int] = []

    class Loose(FakeCamera):
        frames = 0

        def read(self, timeout_s: float) -> Frame | None:
            self.frames += 1
            if len(opened) == 1 and self.frames > 3:
                raise SensorError("The camera is gone.")
            return super().read(timeout_s)

    def open_camera() -> Loose:
        opened.append(1)
        return Loose(room)

    room.open_camera = open_camera
    monkeypatch.setattr(calibrate_session, "GRACE_S", 5.0)
    run_calibration(settings(file, microphone={"enabled": False}))
    assert len(opened) == 2
    assert capsys.readouterr().err.count("resting face") == 1


def test_a_bad_file_is_replaced(room: Room, file: Path) -> None:
    file.write_text('{"mien_calibration": 1, "cut sh')
    run_calibration(settings(file))
    assert load_calibration(file)


def test_says_at_once_that_it_could_not_be_stored(room: Room, file: Path) -> None:
    def open_camera() -> Any:
        pytest.fail("a person would sit still in vain")

    room.open_camera = open_camera
    file.write_text("the diary of somebody")
    with pytest.raises(SettingsError, match="is no calibration of Mien"):
        run_calibration(settings(file))
    with pytest.raises(SettingsError, match="cannot be written to"):
        run_calibration(settings(file / "below.json"))


def test_show_and_reset(room: Room, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError, match="make one with: mien calibrate"):
        show_calibration(settings(file))
    run_calibration(settings(file))
    made = capsys.readouterr().out
    show_calibration(settings(file))
    assert capsys.readouterr().out == made
    show_calibration(settings(file, fusion={"weights": "70-30"}))
    assert "no effect" in capsys.readouterr().out
    reset_calibration(settings(file))
    assert not file.exists()
    reset_calibration(settings(file))
    assert "nothing to forget" in capsys.readouterr().out


def test_show_refuses_a_calibration_of_another_model(room: Room, file: Path) -> None:
    run_calibration(settings(file))
    known = load_calibration(file)
    assert known.face is not None
    foreign = Calibration(type(known.face)(known.face.mean_log, 5.0, "0" * 16))
    save_calibration(foreign, file)
    with pytest.raises(SettingsError, match="of the face was made with another model"):
        show_calibration(settings(file))


def test_switched_off_calibration_is_said_so() -> None:
    with pytest.raises(SettingsError, match='"none"'):
        show_calibration(settings("none"))


def test_nothing_connected_asks_for_a_clip(
    room: Room, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate_session, "nothing_connected", lambda settings, host: True)
    with pytest.raises(SensorError, match="--clip"):
        run_calibration(settings(file))


def test_without_standard_error_the_standard_output_holds_only_the_result(
    room: Room, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    run_calibration(settings(file))
    assert capsys.readouterr().out.startswith("You at rest")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--show --reset", "exclude each other"),
        ("--show --no-face", "look at nobody"),
        ("--no-face --no-voice", "leave nothing to do"),
        ("--seconds 1", "from 2 to 120"),
        ("--seconds nan", "from 2 to 120"),
    ],
)
def test_wrong_flags_are_one_sentence(arguments: str, words: str, mien: Mien) -> None:
    done = mien("calibrate", *arguments.split())
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert words in done.err


@pytest.mark.skipif(
    not (fetched_folder() / "face_detection_full_range_sparse.tflite").is_file(),
    reason="MediaPipe's models are fetched by ./setup.sh test",
)
def test_real_process_calibrates_from_a_picture_and_then_shows_and_forgets(tmp_path: Path) -> None:
    pytest.importorskip("av")
    picture = tmp_path / "me.png"
    Image.fromarray(draw_portrait()).save(picture)

    def calibrate(*arguments: str) -> Ended:
        kept = {"MIEN_CALIBRATION__FILE": str(tmp_path / "me.json")}
        return finish(start("calibrate", *arguments, **kept))

    made = calibrate("--clip", str(picture), "--seconds", "2")
    assert (made.code, made.err) == (0, "Taking the face of me.png as at rest.\n")
    assert "good seconds of face" in made.out
    assert calibrate("--show").out == made.out
    assert calibrate("--reset").out.startswith("Forgotten")
    gone = calibrate("--show")
    assert (gone.code, gone.err.count("\n")) == (2, 1)
