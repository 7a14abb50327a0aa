import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("av", reason="PyAV is not installed")

from edge.errors import ClipEnded, SensorError
from edge.messages import SAMPLE_RATE_HZ, Audio, Frame
from edge.sensors import clip as clip_module
from edge.sensors import clip_decoder
from edge.sensors.clip import Clip
from tests.fakes.clips import DARK, FLASH, beep, make_clip

T = TypeVar("T")
WAIT_S = 5.0
"""Long enough for a machine that is busy; a clip that works never takes it."""


def _to_the_end(read: Callable[[float], T | None], limit_s: float = 20.0) -> list[T]:
    given: list[T] = []
    end_s = time.monotonic() + limit_s
    try:
        while time.monotonic() < end_s:
            if (one := read(WAIT_S)) is not None:
                given.append(one)
    except ClipEnded:
        return given
    raise AssertionError("the clip did not end")


def _all_frames(clip: Clip) -> list[Frame]:
    assert clip.camera is not None
    return _to_the_end(clip.camera.read)


def _all_blocks(clip: Clip) -> list[Audio]:
    assert clip.microphone is not None
    return _to_the_end(clip.microphone.read)


def _frame(clip: Clip) -> Frame:
    assert clip.camera is not None
    frame = clip.camera.read(WAIT_S)
    assert frame is not None
    return frame


def _level(frame: Frame) -> float:
    return float(frame.image[-8:, -8:].mean())


def _sound(blocks: list[Audio]) -> NDArray[np.float32]:
    return np.concatenate([block.samples for block in blocks])


def _beeps_s(blocks: list[Audio]) -> list[float]:
    """When each beep begins, in seconds of the clip from the first block on."""
    loud = np.flatnonzero(np.abs(_sound(blocks)) > 0.1)
    starts = [loud[0], *loud[1:][np.diff(loud) > SAMPLE_RATE_HZ // 10]]
    return [float(at) / SAMPLE_RATE_HZ for at in starts]


def _start_s(blocks: list[Audio], speed: float) -> float:
    """The monotonic moment at which the clip began."""
    return blocks[0].t_s - 512 / SAMPLE_RATE_HZ / speed


@pytest.fixture
def flash_and_beep(tmp_path: Path) -> Path:
    """2 s: at 1.0 s the picture turns bright for 0.2 s and a beep begins."""
    levels = [DARK] * 10 + [FLASH] * 2 + [DARK] * 8
    return make_clip(tmp_path / "both.mp4", levels=levels, sound=beep(2.0, 1.0))


def test_picture_and_sound_are_in_step(flash_and_beep: Path) -> None:
    speed = 4.0
    clip = Clip(flash_and_beep, speed=speed)
    assert clip.camera is not None and clip.microphone is not None
    frames: list[Frame] = []
    blocks: list[Audio] = []
    with pytest.raises(ClipEnded):
        while True:
            if (frame := clip.camera.read(0.01)) is not None:
                frames.append(frame)
            for _ in range(4):
                if (block := clip.microphone.read(0.01)) is not None:
                    blocks.append(block)
    clip.close()
    assert _beeps_s(blocks) == [pytest.approx(1.0, abs=0.01)]
    flash_s = next(frame.t_s for frame in frames if _level(frame) > 120)
    shown_s = (flash_s - _start_s(blocks, speed)) * speed
    # A reader that is late may see only the second bright picture, 0.1 s after the first.
    assert shown_s == pytest.approx(1.0, abs=0.002) or shown_s == pytest.approx(1.1, abs=0.002)


def test_blocks_have_512_samples_and_are_stamped_by_the_clock(flash_and_beep: Path) -> None:
    blocks = _all_blocks(Clip(flash_and_beep, speed=20))
    assert {block.samples.shape for block in blocks} == {(512,)}
    assert {block.samples.dtype for block in blocks} == {np.dtype(np.float32)}
    assert len(blocks) == -(-2 * SAMPLE_RATE_HZ // 512)
    steps = np.diff([block.t_s for block in blocks])
    np.testing.assert_allclose(steps, 512 / SAMPLE_RATE_HZ / 20, atol=1e-6)


def test_is_paced_in_real_time(tmp_path: Path) -> None:
    clip = Clip(make_clip(tmp_path / "c.mp4", levels=[DARK, FLASH, DARK, FLASH, DARK]))
    start_s = time.monotonic()
    frames = _all_frames(clip)
    assert 0.5 <= time.monotonic() - start_s < 3.0
    assert all(frame.t_s <= time.monotonic() for frame in frames)
    assert np.all(np.diff([frame.t_s for frame in frames]) >= 0.099)


def test_a_late_reader_gets_the_newest_picture_that_is_due(tmp_path: Path) -> None:
    levels = [20 + 10 * k for k in range(20)]
    clip = Clip(make_clip(tmp_path / "c.mp4", levels=levels, fps=20))
    first = _frame(clip)
    time.sleep(0.4)  # eight pictures pass
    frame = _frame(clip)
    number = round((_level(frame) - 20) / 10)
    assert number >= 7
    assert frame.t_s - first.t_s == pytest.approx(number / 20, abs=0.003)


def test_read_returns_within_its_timeout(tmp_path: Path) -> None:
    clip = Clip(make_clip(tmp_path / "c.mp4", levels=[DARK, DARK], fps=1))
    assert clip.camera is not None
    assert clip.camera.read(WAIT_S) is not None
    start_s = time.monotonic()
    assert clip.camera.read(0.05) is None
    assert time.monotonic() - start_s < 0.5
    clip.close()


def test_sound_that_nobody_read_is_skipped_and_counted(
    flash_and_beep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_module, "KEPT_S", 0.1)
    clip = Clip(flash_and_beep)
    assert clip.microphone is not None
    first = clip.microphone.read(WAIT_S)
    time.sleep(0.5)
    second = clip.microphone.read(WAIT_S)
    assert first is not None and second is not None
    assert clip.microphone.overflows == 1
    assert second.t_s - first.t_s > 0.4
    monkeypatch.setattr(clip_module, "KEPT_S", 60.0)  # however slow this machine is just now
    # The beep at 1 s is still heard at 1 s: what is left is in step.
    blocks = [second]
    while blocks[-1].t_s < first.t_s + 1.3:
        block = clip.microphone.read(WAIT_S)
        assert block is not None
        blocks.append(block)
    heard_s = _beeps_s(blocks)[0] + _start_s(blocks, 1.0) - _start_s([first], 1.0)
    assert heard_s == pytest.approx(1.0, abs=0.01)
    clip.close()


def test_repeats_without_a_seam_and_in_step(tmp_path: Path) -> None:
    # The picture is shorter (0.5 s) than the sound (0.8 s): it waits.
    path = make_clip(
        tmp_path / "c.mp4", levels=[FLASH, DARK, DARK, DARK, DARK], sound=beep(0.8, 0.2)
    )
    speed = 8.0
    clip = Clip(path, repeat=True, speed=speed)
    assert clip.camera is not None and clip.microphone is not None
    blocks: list[Audio] = []
    frames: list[Frame] = []
    while len(blocks) * 512 < 3.5 * clip.length_s * SAMPLE_RATE_HZ:
        block = clip.microphone.read(WAIT_S)
        assert block is not None
        blocks.append(block)
        frame = clip.camera.read(0.0)
        if frame is not None:
            frames.append(frame)
    clip.close()
    beeps = _beeps_s(blocks)
    assert len(beeps) == 4
    np.testing.assert_allclose(np.diff(beeps), clip.length_s, atol=1.5 / SAMPLE_RATE_HZ)
    places = np.array([(frame.t_s - _start_s(blocks, speed)) * speed for frame in frames])
    within = (places + 1e-6) % clip.length_s
    assert within.max() < 0.5  # no picture while it waits for the sound
    assert places.max() > 2 * clip.length_s  # and yet it goes on in later rounds


def test_ends_only_when_both_are_over(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "c.mp4", levels=[DARK, DARK], sound=beep(1.0, 0.1))
    clip = Clip(path, speed=5)
    assert clip.camera is not None
    start_s = time.monotonic()
    _all_frames(clip)
    assert time.monotonic() - start_s >= 1.0 / 5
    assert len(_all_blocks(clip)) >= 31
    with pytest.raises(ClipEnded):
        clip.camera.read(0.1)


@pytest.mark.parametrize("suffix", [".wav", ".m4a"])
def test_sound_file_has_no_camera_and_is_resampled(tmp_path: Path, suffix: str) -> None:
    t = np.arange(44_100) / 44_100
    path = make_clip(tmp_path / f"tone{suffix}", sound=0.5 * np.sin(2 * np.pi * 440 * t))
    clip = Clip(path, speed=20)
    assert clip.camera is None
    sound = _sound(_all_blocks(clip))[2000:-2000]
    crossings = np.count_nonzero(np.diff(np.signbit(sound)))
    assert crossings / 2 / len(sound) * SAMPLE_RATE_HZ == pytest.approx(440, abs=2)


def test_still_image_is_a_camera_that_never_ends(tmp_path: Path) -> None:
    import cv2

    picture = np.zeros((40, 60, 3), np.uint8)
    picture[..., 0] = 250  # blue, in OpenCV's order
    for name in ("still.png", "still.jpg"):
        cv2.imwrite(str(tmp_path / name), picture)
        clip = Clip(tmp_path / name, speed=20)
        assert clip.microphone is None
        frames = [_frame(clip) for _ in range(5)]
        assert all(frame.image.shape == (40, 60, 3) for frame in frames)
        assert frames[4].image[0, 0, 2] > 240
        clip.close()


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_turned_phone_video_is_upright(tmp_path: Path, turned: int) -> None:
    path = make_clip(tmp_path / "c.mp4", levels=[200] * 3, turned=turned)
    clip = Clip(path)
    frame = _frame(clip)
    assert frame.image.shape == ((64, 48, 3) if turned % 180 else (48, 64, 3))
    # The dark quarter, upper left as it is stored, goes round counter-clockwise.
    half_y, half_x = frame.image.shape[0] // 2, frame.image.shape[1] // 2
    quarters = {
        "upper left": frame.image[: half_y - 4, : half_x - 4],
        "upper right": frame.image[: half_y - 4, half_x + 4 :],
        "lower left": frame.image[half_y + 4 :, : half_x - 4],
        "lower right": frame.image[half_y + 4 :, half_x + 4 :],
    }
    darkest = min(quarters, key=lambda name: float(quarters[name].mean()))
    assert darkest == {90: "lower left", 180: "lower right", 270: "upper right"}[turned]


def test_large_picture_is_scaled_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_decoder, "LONGEST_SIDE_PX", 64)
    clip = Clip(make_clip(tmp_path / "c.mp4", levels=[200], size=(256, 192)))
    frame = _frame(clip)
    assert frame.image.shape == (48, 64, 3)


TEXT = b"A list of things to do.\n" * 400


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nothing.mp4", None, r"There is no file .*nothing\.mp4"),
        ("x" * 5_000, None, "There is no file"),
        (".", None, "is a folder"),
        ("notes.txt", TEXT, "is not a sound or video file that can be read"),
        ("notes.mp4", TEXT, "is not a sound or video file that can be read"),
        ("notes.wav", TEXT, "is not a sound or video file that can be read"),
        ("empty.mp4", b"", "or it is damaged"),
        ("words.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHi\n", "neither pictures nor sound"),
    ],
)
def test_what_is_no_clip_is_refused(
    name: str, content: bytes | None, words: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SensorError, match=words):
        Clip(tmp_path / name)


def test_pictures_of_a_codec_that_nobody_knows_are_left_out(tmp_path: Path) -> None:
    with_sound = make_clip(tmp_path / "sound.mkv", levels=[DARK] * 20, sound=beep(1.0, 0.2))
    without = make_clip(tmp_path / "silent.mkv", levels=[DARK] * 20)
    for file in (with_sound, without):
        data = file.read_bytes()
        codec = next(name for name in (b"V_MPEG4/ISO/ASP", b"V_MPEG4/ISO/AVC") if name in data)
        file.write_bytes(data.replace(codec, b"V_NOBODYS_CODEC"))
    clip = Clip(with_sound, speed=5)
    assert clip.camera is None
    assert len(_beeps_s(_all_blocks(clip))) == 1
    with pytest.raises(SensorError, match="neither pictures nor sound that can be decoded"):
        Clip(without)


def test_file_that_breaks_off_before_its_index_is_damaged(
    flash_and_beep: Path, tmp_path: Path
) -> None:
    data = flash_and_beep.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(SensorError, match="or it is damaged"):
        Clip(tmp_path / "cut.mp4")


@pytest.mark.parametrize("name", ["zeros.mp3", "zeros.flac"])
def test_a_hundred_gigabytes_of_zeros_are_not_searched_to_their_end(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_decoder, "OPEN_S", 0.2)
    file = tmp_path / name
    file.touch()
    os.truncate(file, 10**11)
    with pytest.raises(SensorError, match="or it is damaged"):
        Clip(file)


def test_a_file_that_goes_on_with_zeros_plays_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_decoder, "READ_S", 0.2)
    file = make_clip(tmp_path / "clip.mkv", levels=[DARK, FLASH] * 5)
    os.truncate(file, 10**11)
    assert len(_all_frames(Clip(file, speed=5))) >= 5


def test_file_that_breaks_off_midway_plays_what_is_there(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mkv", levels=[DARK] * 40, sound=beep(4.0, 0.2), fps=20)
    data = whole.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) * 6 // 10])
    clip = Clip(tmp_path / "cut.mkv", speed=20)
    assert len(_all_frames(clip)) >= 5
    assert _beeps_s(_all_blocks(Clip(tmp_path / "cut.mkv", speed=20))) == [
        pytest.approx(0.2, abs=0.02)
    ]


def test_machine_too_slow_to_decode_gets_old_pictures_instead_of_none(
    flash_and_beep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.sensors.clip.CATCH_UP_S", 0.1)
    clip = Clip(flash_and_beep, repeat=True, speed=1e7)  # nothing decodes as fast as that
    for _ in range(2):
        assert _frame(clip).t_s < time.monotonic()
    clip.close()


def test_missing_pyav_names_the_extra(
    flash_and_beep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SensorError, match=r"-m pip install av"):
        Clip(flash_and_beep)


def test_file_taken_away_while_it_repeats_is_reported(flash_and_beep: Path, tmp_path: Path) -> None:
    path = tmp_path / "gone.mp4"
    shutil.copy(flash_and_beep, path)
    clip = Clip(path, repeat=True, speed=20)
    assert clip.camera is not None
    path.unlink()
    with pytest.raises(SensorError):
        for _ in range(200):
            clip.camera.read(WAIT_S)


def test_closing_wakes_a_reader(tmp_path: Path) -> None:
    clip = Clip(make_clip(tmp_path / "c.mp4", levels=[DARK, DARK], fps=1))
    assert clip.camera is not None
    assert clip.camera.read(WAIT_S) is not None
    closing = threading.Timer(0.05, clip.close)
    closing.start()
    start_s = time.monotonic()
    with pytest.raises(ClipEnded):
        clip.camera.read(10.0)
    assert time.monotonic() - start_s < 5.0
    clip.close()


def test_closing_one_sense_leaves_the_other(flash_and_beep: Path) -> None:
    clip = Clip(flash_and_beep, speed=20)
    assert clip.camera is not None
    clip.camera.close()
    with pytest.raises(ClipEnded):
        clip.camera.read(0.1)
    assert len(_beeps_s(_all_blocks(clip))) == 1


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_speed_must_be_above_zero(flash_and_beep: Path, speed: float) -> None:
    with pytest.raises(ValueError, match="speed must be above 0"):
        Clip(flash_and_beep, speed=speed)


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "clip.mp4"
    os.mkfifo(pipe)
    with pytest.raises(SensorError, match="is a pipe or a device"):
        Clip(pipe)
