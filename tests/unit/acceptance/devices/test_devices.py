"""The guest of the rig: what its host makes of it, and how its pictures and lines are judged."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.face.animation import Animator
from edge.face.draw import draw
from edge.messages import SHOWN, Mood, Sense
from tests.acceptance.devices import (
    face_gallery,
    observed_outputs,
)
from tests.acceptance.devices.face_gallery import SIZE, mood, packed
from tests.acceptance.devices.face_on_display import Faces, apart, load
from tests.acceptance.devices.host import Guest, read_results

OK = Sense("ok", present=True)
KNOWN = ("happy", "sad", "surprise", "nobody", "fault", "starting")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faces]:
    folder = tmp_path_factory.mktemp("faces")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(face_gallery, "SHOWN", KNOWN)
        patch.setattr(face_gallery, "PROBABILITIES", (0.5, 0.9))
        patch.setattr(face_gallery, "GAZES", ((0.0, 0.0),))
        patch.setattr(face_gallery, "LASTING_S", 1.8)
        patch.setattr(face_gallery, "BREATH_S", 6.0)
        face_gallery.write(folder)
    yield load(folder)


def seen_at(shown: str, t_s: float, face: Sense = OK, voice: Sense = OK) -> bytes:
    """What a display would hold at some moment of an animation that the gallery has not drawn."""
    animator = Animator(seed=77)
    like = mood(shown, 0.7, (0.03, -0.02), 0.0)
    for step in range(12):
        now_s = t_s + step * 0.09
        told = Mood(now_s, shown, like.probabilities, face=face, voice=voice, gaze=like.gaze)
        picture = packed(draw(animator.pose(told, now_s), SIZE, "1"))
    return picture


@pytest.mark.parametrize("shown", ["happy", "sad", "surprise", "fault"])
def test_face_is_told_from_the_others_at_any_moment(faces: Faces, shown: str) -> None:
    names = [faces.read(seen_at(shown, t_s)).name for t_s in (3.0, 7.7, 12.1)]
    assert names.count(shown) >= 2  # one may be in a blink
    assert set(names) <= {shown, "unclear"}


def test_happy_face_is_far_from_a_sad_one(faces: Faces) -> None:
    seen = faces.read(seen_at("happy", 3.0))
    assert seen.apart < 0.3 < 0.45 < seen.other_apart


def test_blank_display_shows_no_face(faces: Faces) -> None:
    assert faces.read(bytes(1024)).name == "dark"


def test_noise_and_a_lit_display_are_no_face(faces: Faces) -> None:
    noise = np.random.default_rng(3).integers(256, size=1024, dtype=np.uint8).tobytes()
    assert faces.read(noise).name == "unclear"
    assert faces.read(b"\xff" * 1024).name == "unclear"


def test_marks_of_lost_senses_are_read_and_do_not_hide_the_face(faces: Faces) -> None:
    lost = Sense("lost", trouble="gone")
    assert faces.read(seen_at("sad", 3.0)).icons == ()
    one = faces.read(seen_at("sad", 3.0, face=lost))
    assert (one.name, one.icons) == ("sad", ("camera lost",))
    both = faces.read(seen_at("sad", 3.0, face=lost, voice=lost))
    assert both.icons == ("camera lost", "microphone lost")


def test_distance_is_a_part_of_what_is_lit() -> None:
    assert apart(0b1100, 0b1010) == pytest.approx(2 / 3)
    assert apart(0, 0) == 0.0


def test_every_face_that_mien_can_show_is_in_the_gallery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_gallery, "PROBABILITIES", (0.9,))
    monkeypatch.setattr(face_gallery, "GAZES", ((0.0, 0.0),))
    monkeypatch.setattr(face_gallery, "LASTING_S", 1.0)
    monkeypatch.setattr(face_gallery, "BREATH_S", 1.0)
    assert {shown for shown in SHOWN if not face_gallery.pictures(shown)} == set()


def test_brightness_is_the_part_of_the_time_that_a_line_is_high(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(observed_outputs, "RUN", tmp_path)
    (tmp_path / "pins").write_text(str(tmp_path))
    for number, value in ((5, "0\n"), (17, "1\n")):
        (tmp_path / f"sim_gpio{number}").mkdir()
        (tmp_path / f"sim_gpio{number}/value").write_text(value)
    assert observed_outputs.brightness([5, 17], samples=4) == {5: 0.0, 17: 1.0}
    assert observed_outputs.pin(17) and not observed_outputs.pin(5)


def keep(folder: Path, pictures: list[tuple[float, bytes]]) -> None:
    lines = [
        json.dumps({"t_s": t_s, "lit": True, "contrast": 200, "picture": pages.hex()})
        for t_s, pages in pictures
    ]
    # The last line is still being written.
    (folder / "pictures.jsonl").write_text("\n".join(lines) + '\n{"t_s": 99, "lit"')


def test_latest_pictures_are_whole_lines_and_begin_with_what_was_shown_then(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(observed_outputs, "RUN", tmp_path)
    monkeypatch.setattr(time, "monotonic", lambda: 9.0)
    keep(tmp_path, [(float(t_s), bytes([t_s]) * 1024) for t_s in range(1, 9)])
    assert [picture.t_s for picture in observed_outputs.latest()] == [8.0]
    assert [picture.t_s for picture in observed_outputs.latest(2.5)] == [6.0, 7.0, 8.0]
    assert [picture.t_s for picture in observed_outputs.pictures(since_s=7.0)] == [7.0, 8.0]


def test_face_counts_once_it_is_shown_alone_and_blinks_do_not_matter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, faces: Faces
) -> None:
    monkeypatch.setattr(observed_outputs, "RUN", tmp_path)
    monkeypatch.setattr(time, "monotonic", lambda: 9.0)
    happy, sad, half = seen_at("happy", 3.0), seen_at("sad", 3.0), bytes([0x81]) * 1024
    keep(tmp_path, [(6.0, sad), (8.0, happy), (8.5, half)])
    assert observed_outputs.shown(faces).name == "unclear"
    assert observed_outputs.shown(faces, 1.0).name == "happy"
    assert observed_outputs.shown(faces, 2.0).name == "unclear", "a sad face was shown as well"


def test_results_are_read_whole_lines_only_and_noise_is_left_out() -> None:
    proof = {"what": "A", "outcome": "passed", "seen": "so", "took_s": 1.5}
    text = f'systemd[1]: hello\r\n{json.dumps(proof)}\r\n{json.dumps({"journal": ["x"]})}\r\n{{"wh'
    proofs, journal = read_results(text)
    assert [(one.what, one.outcome, one.took_s) for one in proofs] == [("A", "passed", 1.5)]
    assert journal == ["x"]


def test_who_ends_the_rig_ends_the_guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = Guest(tmp_path)
    marker = tmp_path / "pid"
    monkeypatch.setattr(guest, "obstacle", lambda: "")
    monkeypatch.setattr(guest, "command", lambda: ["sh", "-c", f"echo $$ > {marker}; sleep 600"])
    monkeypatch.setattr("tests.acceptance.devices.host.LOOK_S", 0.01)
    monkeypatch.setattr("tests.acceptance.common.programs.LOOK_S", 0.01)

    def end(text: str) -> tuple[list[Any], list[str]]:
        if marker.exists() and marker.read_text():
            raise SystemExit(143)
        return [], []

    monkeypatch.setattr("tests.acceptance.devices.host.read_results", end)
    with pytest.raises(SystemExit):
        list(guest.prove())
    with pytest.raises(ProcessLookupError):
        os.kill(int(marker.read_text()), 0)
