"""A model file that is damaged in twenty ways, under the appliance that has to load it again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.config.paths import MODELS
from edge.perception.manifest import load_manifest
from edge.perception.voice_reader import open_voice_reader
from tests.fakes.running import TIMES, Running, well
from tests.fakes.world import FakeVoiceReader, World

FILES = ("manifest.json", "voice_int8.tflite")


def cut(length: float) -> Callable[[bytes], bytes]:
    return lambda whole: whole[: round(length * len(whole))]


def flip(place: float) -> Callable[[bytes], bytes]:
    def flipped(whole: bytes) -> bytes:
        at = min(round(place * len(whole)), len(whole) - 1)
        return whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]

    return flipped


def put(content: bytes, file: Path) -> None:
    """All at once: the reader, which goes on trying, is not to see a half of it."""
    part = file.with_suffix(".part")
    part.write_bytes(content)
    part.replace(file)


DAMAGES: tuple[Callable[[bytes], bytes], ...] = (
    *(cut(length) for length in (0, 0.001, 0.1, 0.5, 0.9, 0.999)),
    *(flip(place) for place in (0, 0.0001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 1)),
    lambda whole: bytes(len(whole)),
    lambda whole: whole + whole,
    lambda whole: whole[::-1],
    lambda whole: b"\xff" * 4096,
    lambda whole: b"<!DOCTYPE html><title>404</title>",
)


def test_damaged_model_leaves_the_other_sense_and_is_read_once_it_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in FILES:
        shutil.copy(MODELS / name, tmp_path)
    model = tmp_path / FILES[1]
    whole = model.read_bytes()
    entry = load_manifest(tmp_path).voice
    world = World()

    def reader() -> FakeVoiceReader:
        open_voice_reader(tmp_path, entry)  # the real one, whose windows the world does not have
        return FakeVoiceReader(world)

    assert len(DAMAGES) == TIMES
    with Running(world, voice_reader=reader) as running:
        running.until(well, "being well")
        for damage in DAMAGES:
            damaged = damage(whole)
            assert damaged != whole
            put(damaged, model)
            # What has been loaded is not read again, unless it crashes.
            with world.fault("voice reader crash"):
                running.until(lambda mood: "is damaged" in mood.voice.trouble, "the damage")
            assert world.moods[-1].face.state == "ok"
            running.until(lambda mood: len(world.lit) == 1, "the useless microphone being shut")
            put(whole, model)
            running.until(well, "recovery")
        assert running.alive
    lost = [told for told in world.reported if "is damaged" in told]
    assert len(lost) == TIMES
    assert all("put the models" in told for told in lost)
