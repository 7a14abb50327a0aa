"""`mien run` as a person runs it: a process of its own, the real models, clips and signals."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from edge.config.paths import DEMO_CLIP, MODELS, REPO_ROOT, fetched_folder
from edge.demo.script import SCENES

pytestmark = pytest.mark.skipif(
    not DEMO_CLIP.is_file()
    or not (fetched_folder() / "face_detection_short_range.tflite").is_file(),
    reason="the demo clip and MediaPipe's models are made by ./setup.sh test",
)

QUIET = ("--display", "none")


def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "edge", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT), **environment},
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, err


def moods(out: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in out.splitlines()]
    return [event for event in events if event["event"] == "mood"]


def test_demo_clip_shows_asleep_happy_asleep_and_ends_well() -> None:
    code, out, err = finish(
        start("run", "--demo", "--seconds", "30", "--events", "-", "--display", "terminal")
    )
    assert code == 0
    assert "Traceback" not in err
    seen = moods(out)
    ready_s = next(mood["t"] for mood in seen if mood["shown"] != "starting")

    def shown(name: str, settle_s: float) -> list[str]:
        """What was shown in a scene, from *settle_s* after its beginning."""
        scene = next(scene for scene in SCENES if scene.name == name)
        # The clip began up to half a second before the first mood that was no longer "starting".
        begin_s, end_s = ready_s + scene.start_s + settle_s, ready_s + scene.end_s - 0.5
        return [mood["shown"] for mood in seen if begin_s <= mood["t"] <= end_s]

    assert set(shown("empty room", 0.5)) == {"nobody"}
    assert set(shown("happy", 1.5)) == {"happy"}
    assert set(shown("surprise", 1.5)) == {"surprise"}
    assert set(shown("empty again", 2.5)) == {"nobody"}
    assert "frames read" in err
    assert seen[-1]["face"]["state"] == "ok"
    assert all(abs(sum(mood["probabilities"].values()) - 1) < 0.01 for mood in seen)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_within_two_seconds_of_a_signal(number: signal.Signals) -> None:
    process = start("run", "--demo", "--events", "-", *QUIET)
    assert process.stdout is not None
    for line in process.stdout:
        if '"nobody"' in line:
            break
    asked_s = time.monotonic()
    process.send_signal(number)
    code, out, err = finish(process)
    assert time.monotonic() - asked_s < 2.0
    assert code == 0
    assert json.loads(out.splitlines()[-1])["event"] == "bye"
    assert "Traceback" not in err


def one_sentence(err: str) -> str:
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) == 1, err
    assert lines[0].startswith("mien: ")
    return lines[0]


def test_wrong_inputs_are_one_sentence_each(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("this is no video\n" * 50)
    config = tmp_path / "config.toml"
    config.write_text("[camera]\nsorce = 1\n")
    damaged = tmp_path / "models"
    shutil.copytree(MODELS, damaged, ignore=shutil.ignore_patterns("fetched"))
    model = bytearray((damaged / "face_int8.tflite").read_bytes())
    model[5_000] ^= 0xFF
    (damaged / "face_int8.tflite").write_bytes(model)
    cases: list[tuple[tuple[str, ...], dict[str, str], int, str]] = [
        (("--clip", str(tmp_path / "none.mp4")), {}, 3, "none.mp4"),
        (("--clip", str(text)), {}, 3, "notes.mp4"),
        (("--config", str(config)), {}, 2, 'did you mean "source"'),
        (("--demo",), {"MIEN_MODELS__FOLDER": str(damaged)}, 4, "damaged"),
        (("--camera", "/dev/video99", "--no-voice"), {}, 3, "/dev/video99"),
        (("--microphone", "no such thing", "--no-face"), {}, 3, "microphone"),
        (("--no-face", "--no-voice"), {}, 2, "leave nothing to do"),
    ]
    running = [
        (start("run", *QUIET, "--seconds", "5", *arguments, **environment), code, words)
        for arguments, environment, code, words in cases
    ]
    for process, wanted, words in running:
        code, _, err = finish(process)
        assert (code, words in one_sentence(err)) == (wanted, True), err


def test_goes_on_with_the_sense_that_a_clip_has(tmp_path: Path) -> None:
    silent, blind = tmp_path / "silent.mp4", tmp_path / "blind.wav"
    make_clips(silent, blind)
    for clip, gone, words in ((silent, "voice", "no sound"), (blind, "face", "no picture")):
        code, out, err = finish(
            start("run", *QUIET, "--clip", str(clip), "--seconds", "2", "--events", "-")
        )
        assert code == 0
        assert f"mien: {clip.name} has {words}" in err
        last = moods(out)[-1]
        assert last[gone]["state"] == "lost"
        assert words in last[gone]["trouble"]
        assert last["shown"] != "fault"


def make_clips(silent: Path, blind: Path) -> None:
    import av
    import numpy as np

    with av.open(str(silent), "w") as film:
        stream = film.add_stream("mpeg4", rate=15)
        stream.width, stream.height = 320, 240
        for number in range(60):
            image = np.full((240, 320, 3), number, np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        film.mux(stream.encode(None))
    import wave

    with wave.open(str(blind), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(bytes(2 * 16_000 * 4))


def test_nothing_of_the_person_is_written(tmp_path: Path) -> None:
    """A run in an empty folder with its own home and temporary folder leaves all three empty."""
    folders = [tmp_path / name for name in ("work", "home", "tmp")]
    for folder in folders:
        folder.mkdir()
    process = subprocess.run(
        [sys.executable, "-m", "edge", "run", "--demo", "--seconds", "3", *QUIET],
        cwd=folders[0],
        env={
            **os.environ,
            "PYTHONPATH": str(REPO_ROOT),
            "HOME": str(folders[1]),
            "TMPDIR": str(folders[2]),
        },
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0
    written = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert written == []
