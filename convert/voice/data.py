"""Emotional speech and background noise: finding, checking and decoding it."""

import csv
import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from convert.errors import DataError
from edge.emotions import EMOTIONS
from edge.messages import SAMPLE_RATE_HZ

CORPORA = {
    "ravdess": 1_320,
    "tess": 2_800,
    "nemo": 4_481,
    "emogator": 3_570,
    "commonvoice_multi": 700,
    "commonvoice_en": 650,
    "librispeech_251": 245,
    "speechocean": 250,
    "indian_emospeech": 900,
}
"""Corpora of speech and how many recordings each holds.

Acted emotion: RAVDESS (Livingstone and Russo 2018), TESS (Pichora-Fuller and Dupuis 2020), nEMO
(Christop 2024), EmoGator (Buhl 2023: vocal bursts, no words), and single words on Indian telephones.
Everyday reading, neutral by its origin: Common Voice (Ardila et al. 2020) in 57 languages and in
English, LibriSpeech (Panayotov et al. 2015), SpeechOcean762 (Zhang et al. 2021).
"""
FURTHER = "voice_extra"
"""Folder beside the one that is named, in which a corpus may lie as well."""
NOISES = {"noise_esc10": 400, "noise_speechcommands": 6}
"""Background sound: ESC-10 (Piczak 2015) and the noise of Speech Commands (Warden 2018)."""
OBTAIN = (
    "Get each set from its owner, convert it to 16 kHz mono and pack it as NAME.zip and NAME.csv "
    "with the columns file, speaker, emotion, as models_tflite/VOICE_CARD.md describes"
)
_SAME_RECORDING = "03-01-03-01-02-02-07.flac"
"""RAVDESS published one recording under two names; this is the second."""
_VOICES_AS_NOISE = {"baby_cry", "person_sneeze", "dude_miaowing"}
"""Human voices among the noise: no background, and not free of emotion."""
NOISE_FOLDS = 5
"""ESC-10 comes in five folds that share no source recording."""
_FOLDED = {"calm": "neutral"}
_COLUMNS = ("file", "speaker", "emotion")
_UNREADABLE = (KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What a damaged, encrypted or oddly packed zip and broken sound raise."""

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """One recording of one speaker."""

    corpus: str
    file: str
    """Name inside the corpus' zip."""
    speaker: str
    label: int
    """Index into `EMOTIONS`; calm counts as neutral."""


@dataclass(frozen=True)
class Noise:
    """One recording of background sound."""

    corpus: str
    file: str
    fold: int
    """1 to `NOISE_FOLDS`: the folds of ESC-10; of longer recordings, each in turn."""


@dataclass(frozen=True)
class VoiceData:
    """The tables of all corpora; sound is decoded when asked for."""

    folder: Path
    recordings: tuple[Recording, ...]
    noises: tuple[Noise, ...]

    def of(self, corpus: str) -> tuple[Recording, ...]:
        """The recordings of one corpus."""
        return tuple(recording for recording in self.recordings if recording.corpus == corpus)

    def sounds(self, recordings: Sequence[Recording]) -> list[Sound]:
        """Decode recordings: float32, 16 kHz, whole length, level as recorded."""
        return _decode(
            self.folder, [(recording.corpus, recording.file) for recording in recordings]
        )

    def noise_sounds(self, folds: Sequence[int]) -> list[Sound]:
        """Decode the background sound of some folds, in the order of `noises`."""
        chosen = [noise for noise in self.noises if noise.fold in folds]
        return _decode(self.folder, [(noise.corpus, noise.file) for noise in chosen])


def load_voice_data(folder: Path, corpora: Sequence[str] = tuple(CORPORA)) -> VoiceData:
    """Read and check the tables of *corpora* and of the noise sets in *folder*.

    Raises:
        DataError: a file is missing, or table and zip disagree, or a count is off.
    """
    recordings: list[Recording] = []
    for corpus in corpora:
        if corpus not in CORPORA:
            raise DataError(f"{corpus} is no corpus that is known here: {', '.join(CORPORA)}.")
        for row in _table(folder, corpus, CORPORA[corpus]):
            emotion = _FOLDED.get(row["emotion"], row["emotion"])
            if emotion not in EMOTIONS:
                raise DataError(
                    f"{corpus}.csv: {row['file']} has the unknown emotion {emotion!r}; known are "
                    f"{', '.join([*EMOTIONS, *_FOLDED])}."
                )
            if row["file"] != _SAME_RECORDING:
                label = EMOTIONS.index(emotion)
                recordings.append(Recording(corpus, row["file"], row["speaker"], label))
    noises: list[Noise] = []
    for name, count in NOISES.items():
        rows = _table(folder, name, count)
        kept = [row for row in rows if row.get("label") not in _VOICES_AS_NOISE]
        for turn, row in enumerate(kept):
            noises.append(Noise(name, row["file"], _fold_of(name, row, turn)))
    return VoiceData(folder, tuple(recordings), tuple(noises))


def actors(data: VoiceData, numbers: Sequence[int]) -> frozenset[str]:
    """Speaker names of RAVDESS actors by number.

    Raises:
        DataError: an actor has no recordings.
    """
    names = frozenset(f"ravdess_{number:02d}" for number in numbers)
    missing = names - {recording.speaker for recording in data.recordings}
    if missing:
        raise DataError(
            f"There are no RAVDESS clips of {', '.join(sorted(missing))}: the recipe's `folds` name "
            "actors that the data lack, or its `shares` lack ravdess."
        )
    return names


def _table(folder: Path, name: str, count: int) -> list[dict[str, str]]:
    """The rows of NAME.csv, after a look at whether NAME.zip holds their files."""
    folder = _home(folder, name)
    table, archive = folder / f"{name}.csv", folder / f"{name}.zip"
    for file in (table, archive):
        if not file.is_file():
            raise DataError(f"{file} is not there. {OBTAIN}.")
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            rows, columns = list(reader), reader.fieldnames or ()
        with zipfile.ZipFile(archive) as packed:
            inside = set(packed.namelist())
    except (OSError, UnicodeDecodeError, csv.Error, zipfile.BadZipFile) as error:
        raise DataError(
            f"{table} and {archive.name} cannot be read ({error}). {OBTAIN}."
        ) from error
    if lacking := [column for column in _COLUMNS if column not in columns]:
        raise DataError(f"{table} lacks the columns {', '.join(lacking)}. {OBTAIN}.")
    for number, row in enumerate(rows, 1):
        if any(row[column] is None for column in _COLUMNS):
            raise DataError(f"{table}: row {number} is cut short; get the whole file again.")
    if len(rows) != count:
        raise DataError(
            f"{table} lists {len(rows)} files, not {count}; take the whole set and no more."
        )
    files = Counter(row["file"] for row in rows)
    if lost := [file for file in files if file not in inside]:
        raise DataError(
            f"{archive} lacks {len(lost)} files of its table, the first is {lost[0]}; pack it anew."
        )
    if twice := [file for file, times in files.items() if times > 1]:
        raise DataError(f"{table} lists {twice[0]} more than once; leave one row of each file.")
    return rows


def _home(folder: Path, name: str) -> Path:
    """Where the corpus of that name lies: in *folder*, or else in `FURTHER` beside it."""
    beside = folder.resolve().parent / FURTHER
    there = (folder / f"{name}.csv").is_file() or not (beside / f"{name}.csv").is_file()
    return folder if there else beside


def _fold_of(name: str, row: dict[str, str], turn: int) -> int:
    """The fold that the table names; where it names none, each in turn."""
    fold = row.get("fold") or ""
    if not fold:
        return 1 + turn % NOISE_FOLDS
    if fold not in map(str, range(1, NOISE_FOLDS + 1)):
        raise DataError(
            f"{name}.csv: {row['file']} is of fold {fold!r}; folds are 1 to {NOISE_FOLDS}."
        )
    return int(fold)


def _decode(folder: Path, files: Sequence[tuple[str, str]]) -> list[Sound]:
    sounds: list[Sound] = []
    archives: dict[str, zipfile.ZipFile] = {}
    try:
        for name, file in files:
            try:
                if name not in archives:
                    archives[name] = zipfile.ZipFile(_home(folder, name) / f"{name}.zip")
                sound, rate = soundfile.read(
                    io.BytesIO(archives[name].read(file)), dtype="float32", always_2d=True
                )
            except _UNREADABLE as error:
                raise DataError(
                    f"{name}.zip: {file} cannot be decoded ({error}); get it again and pack the "
                    "set anew."
                ) from error
            if rate != SAMPLE_RATE_HZ:
                raise DataError(
                    f"{name}.zip: {file} has {rate} Hz, not {SAMPLE_RATE_HZ}; convert the set."
                )
            sounds.append(np.ascontiguousarray(sound.mean(axis=1)))
    finally:
        for archive in archives.values():
            archive.close()
    return sounds
