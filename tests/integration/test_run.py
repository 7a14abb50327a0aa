"""`mien run` as a person runs it: a process of its own, the real models, clips and signals."""

import json
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from edge.config.paths import MODELS
from edge.demo.script import SCENES
from tests.fakes.clips import RATE_HZ as SOUND_HZ
from tests.fakes.clips import make_clip
from tests.fakes.process import finish, moods, needs_demo, start

pytestmark = needs_demo

QUIET = ("--display", "none")


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
    silent = make_clip(tmp_path / "silent.mp4", levels=list(range(40)))
    blind = make_clip(tmp_path / "blind.wav", sound=np.zeros(4 * SOUND_HZ))
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


def test_nothing_of_the_person_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in an empty folder with its own home and temporary folder leaves all three empty."""
    folders = [tmp_path / name for name in ("work", "home", "tmp")]
    for folder in folders:
        folder.mkdir()
    work, home, temporary = folders
    monkeypatch.chdir(work)
    flags = ("--demo", "--seconds", "3", *QUIET)
    assert finish(start("run", *flags, HOME=str(home), TMPDIR=str(temporary)))[0] == 0
    written = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert written == []
