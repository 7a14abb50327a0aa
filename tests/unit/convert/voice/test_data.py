# ruff: noqa: E402 - what is skipped without must be asked for before it is imported
import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")

from convert.errors import DataError
from convert.voice import data as voice_data
from convert.voice.data import actors, load_voice_data
from edge.emotions import EMOTIONS

RATE_HZ = 16_000


def pack(folder: Path, name: str, rows: list[dict[str, str]], rate_hz: int = RATE_HZ) -> None:
    """Write NAME.csv and NAME.zip; the nth file holds n + 1 tenths of full scale."""
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as packed:
        for index, row in enumerate(rows):
            sound = io.BytesIO()
            level = np.full(1_600, (index + 1) / 10, np.float32)
            soundfile.write(sound, level, rate_hz, format="FLAC", subtype="PCM_24")
            packed.writestr(row["file"], sound.getvalue())


def clip(file: str, speaker: str, emotion: str) -> dict[str, str]:
    return {"file": file, "speaker": speaker, "emotion": emotion}


def noise(name: str, label: str, **others: str) -> dict[str, str]:
    return clip(f"{name}.flac", "", "") | {"label": label, **others}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(voice_data, "CORPORA", {"ravdess": 4, "nemo": 1})
    monkeypatch.setattr(voice_data, "NOISES", {"noise_esc10": 2, "noise_long": 3})
    twice = [f"03-01-03-01-02-0{take}-07.flac" for take in (1, 2)]
    actors = [clip("a.flac", "ravdess_01", "calm"), clip("b.flac", "ravdess_02", "angry")]
    pack(tmp_path, "ravdess", actors + [clip(name, "ravdess_07", "happy") for name in twice])
    pack(tmp_path, "nemo", [clip("n.flac", "nemo_X", "sad")])
    esc10 = [noise("rain", "rain", fold="4"), noise("baby", "baby_cry", fold="2")]
    pack(tmp_path, "noise_esc10", esc10)
    long = [("tap", "running_tap"), ("cat", "dude_miaowing"), ("hiss", "white_noise")]
    pack(tmp_path, "noise_long", [noise(*each) for each in long])
    return tmp_path


def load(folder: Path) -> voice_data.VoiceData:
    return load_voice_data(folder, ["ravdess", "nemo"])


def test_reads_labels_in_our_order_calm_as_neutral_and_what_was_published_twice_once(
    folder: Path,
) -> None:
    named = {recording.file: EMOTIONS[recording.label] for recording in load(folder).recordings}
    assert named == {
        "a.flac": "neutral",
        "b.flac": "angry",
        "03-01-03-01-02-01-07.flac": "happy",
        "n.flac": "sad",
    }


def test_a_corpus_may_lie_in_the_folder_beside(folder: Path) -> None:
    voices, extra = folder / "voice", folder / "voice_extra"
    voices.mkdir()
    extra.mkdir()
    for file in list(folder.glob("*.*")):
        file.rename((extra if file.stem == "nemo" else voices) / file.name)
    data = load(voices)
    assert {recording.corpus for recording in data.recordings} == {"ravdess", "nemo"}
    (sound,) = data.sounds(data.of("nemo"))
    assert sound.max() == pytest.approx(0.1, abs=1e-4)


def test_noise_keeps_its_fold_or_gets_one_in_turn_and_a_crying_baby_is_no_background(
    folder: Path,
) -> None:
    noises = [(noise.file, noise.fold) for noise in load(folder).noises]
    assert noises == [("rain.flac", 4), ("tap.flac", 1), ("hiss.flac", 2)]


def test_only_noise_of_the_folds_that_were_asked_for_is_decoded(folder: Path) -> None:
    data = load(folder)
    assert len(data.noise_sounds((1, 2))) == 2
    (rain,) = data.noise_sounds((4, 5))
    np.testing.assert_allclose(rain, 0.1, atol=1e-5)


def test_decodes_the_recording_that_was_asked_for(folder: Path) -> None:
    data = load(folder)
    (sound,) = data.sounds(
        [recording for recording in data.recordings if recording.file == "b.flac"]
    )
    assert sound.dtype == np.float32
    assert sound.shape == (1_600,)
    np.testing.assert_allclose(sound, 0.2, atol=1e-5)


def test_names_actors_by_number_and_refuses_one_without_recordings(folder: Path) -> None:
    data = load(folder)
    assert actors(data, [1, 2]) == {"ravdess_01", "ravdess_02"}
    with pytest.raises(DataError, match="ravdess_05"):
        actors(data, [1, 5])


def lack_a_file(folder: Path) -> None:
    with zipfile.ZipFile(folder / "nemo.zip", "w") as packed:
        packed.writestr("other.flac", b"")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "nemo.zip").unlink(), r"nemo\.zip is not there.*owner"),
        (lambda folder: (folder / "nemo.zip").write_bytes(b"no zip"), "cannot be read"),
        (lack_a_file, r"lacks 1 files.*n\.flac"),
        (lambda folder: pack(folder, "ravdess", [clip("a.flac", "ravdess_01", "calm")]), "not 4"),
        (lambda folder: pack(folder, "nemo", [clip("n.flac", "nemo_X", "smug")]), "smug"),
    ],
)
def test_refuses_a_set_that_is_not_whole_or_not_known(
    folder: Path, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(folder)
    with pytest.raises(DataError, match=words):
        load(folder)


def test_refuses_sound_at_another_rate_or_broken(folder: Path) -> None:
    pack(folder, "nemo", [clip("n.flac", "nemo_X", "sad")], rate_hz=44_100)
    data = load(folder)
    with pytest.raises(DataError, match="44100 Hz"):
        data.sounds(data.of("nemo"))
    with zipfile.ZipFile(folder / "nemo.zip", "w") as packed:
        packed.writestr("n.flac", b"no sound")
    with pytest.raises(DataError, match=r"n\.flac cannot be decoded"):
        data.sounds(data.of("nemo"))


def test_refuses_a_corpus_that_it_does_not_know(folder: Path) -> None:
    with pytest.raises(DataError, match="iemocap"):
        load_voice_data(folder, ["iemocap"])


def test_reads_a_table_that_a_spreadsheet_saved(folder: Path) -> None:
    table = "\ufefffile,speaker,emotion\r\nn.flac,nemo_X,sad\r\n"
    (folder / "nemo.csv").write_bytes(table.encode())
    assert load(folder).of("nemo")[0].speaker == "nemo_X"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"", r"lacks the columns file, speaker, emotion\..*owner"),
        (b"file,who,emotion\nn.flac,nemo_X,sad\n", r"lacks the columns speaker\."),
        (b"file,speaker,emotion\nn.flac,nem", r"nemo\.csv: row 1 is cut short"),
        (b"file,speaker,emotion\nn.flac,nemo_\xff,sad\n", r"cannot be read.*owner"),
    ],
)
def test_refuses_a_table_of_another_form(folder: Path, table: bytes, said: str) -> None:
    (folder / "nemo.csv").write_bytes(table)
    with pytest.raises(DataError, match=said):
        load(folder)


@pytest.mark.parametrize("fold", ["6", "0", "two", "²"])
def test_refuses_noise_of_a_fold_that_there_is_not(folder: Path, fold: str) -> None:
    pack(folder, "noise_esc10", [noise("rain", "rain", fold=fold), noise("dog", "dog", fold="2")])
    with pytest.raises(DataError, match=r"rain\.flac is of fold .* 1 to 5"):
        load(folder)


def test_refuses_a_packed_sound_whose_bytes_have_changed(folder: Path) -> None:
    rows = [clip("n.flac", "nemo_X", "sad")]
    pack(folder, "nemo", rows)
    with zipfile.ZipFile(folder / "nemo.zip") as packed:
        sound = packed.read("n.flac")
    with zipfile.ZipFile(folder / "nemo.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("n.flac", sound)
        start = packed.getinfo("n.flac").header_offset + 30 + len("n.flac")
    content = bytearray((folder / "nemo.zip").read_bytes())
    content[start : start + 8] = b"\xff" * 8
    (folder / "nemo.zip").write_bytes(content)
    data = load(folder)
    with pytest.raises(DataError, match=r"n\.flac cannot be decoded .*pack the set anew"):
        data.sounds(data.of("nemo"))


def test_refuses_a_zip_with_a_password(folder: Path) -> None:
    content = bytearray((folder / "nemo.zip").read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    (folder / "nemo.zip").write_bytes(content)
    data = load(folder)
    with pytest.raises(DataError, match=r"n\.flac cannot be decoded .*encrypted"):
        data.sounds(data.of("nemo"))
