"""The field's classic features against the log-mel picture, on the same speakers."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.atomic_files import read_array, write_json, written_whole
from convert.metrics import score
from convert.training.recipe import VoiceRecipe
from convert.voice.data import Recording, VoiceData
from convert.voice.random_split import FIELD_SHARES, LABEL
from convert.voice.splits import Rows, random_rows, rows_of
from convert.voice.window import plain_view
from edge.emotions import EMOTIONS
from edge.messages import SAMPLE_RATE_HZ

CLASSIC: Final = "MFCC, chroma, mel, zero crossings, RMS: mean and deviation over time"
OURS: Final = "log-mel picture"
RESULT = "features.json"
_MFCC, _FFT = 40, 1_024
_RECORDINGS_A_STEP = 64

Table = NDArray[np.float32]
"""[clips, statistics]."""


@dataclass(frozen=True)
class Compared:
    """One line of the table."""

    features: str
    classifier: str
    training_set: str
    split: str
    rows: int
    balanced_accuracy: float
    macro_f1: float


def statistics(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean and standard deviation over time of the classic features, float32 [364].

    40 mel-frequency cepstral coefficients, 12 chroma, 128 mel powers in decibels, rate of zero
    crossings, RMS.
    """
    import librosa

    spectrum = np.abs(librosa.stft(sound, n_fft=_FFT, hop_length=_FFT // 2))
    mel = librosa.feature.melspectrogram(S=spectrum**2, sr=SAMPLE_RATE_HZ)
    decibels = librosa.power_to_db(mel)
    frames = [
        librosa.feature.mfcc(S=decibels, n_mfcc=_MFCC),
        librosa.feature.chroma_stft(S=spectrum**2, sr=SAMPLE_RATE_HZ, tuning=0.0),
        decibels,
        librosa.feature.zero_crossing_rate(sound, frame_length=_FFT, hop_length=_FFT // 2),
        librosa.feature.rms(S=spectrum, frame_length=_FFT),
    ]
    values = [part for each in frames for part in (each.mean(axis=1), each.std(axis=1))]
    return np.concatenate(values).astype(np.float32)


def compare_features(
    data: VoiceData, recipe: VoiceRecipe, work: Path, ours: Sequence[Compared]
) -> list[Compared]:
    """Print the table: classic statistics with an MLP and an SVM, and *ours* below.

    Each clip is the same window of three seconds that our net sees, at the level at which it was
    recorded. Two splits: by speaker (the fold held out by *recipe*) and the field's random one.
    The classifiers are the field's usual ones and were not tuned here. Figures go to
    *work*/features.json.
    """
    random_recipe = recipe.model_copy(update={"shares": FIELD_SHARES})
    by_speaker = f"by speaker, fold {recipe.fold}"
    train, test = rows_of(data, recipe, "train"), rows_of(data, recipe, "test")
    splits: list[tuple[str, str, Rows, Rows]] = [
        (by_speaker, "RAVDESS", {"ravdess": train["ravdess"]}, test),
        (by_speaker, ", ".join(recipe.shares), train, test),
        (
            LABEL,
            "RAVDESS, TESS",
            random_rows(data, random_recipe, "train"),
            random_rows(data, random_recipe, "test"),
        ),
    ]
    tables = {name: _load(data, name, recipe, work) for name in recipe.shares}
    lines = []
    for split, training_set, train_rows, test_rows in splits:
        for classifier, model in _classifiers(recipe.seed).items():
            inputs, known_labels = _gather(data, tables, train_rows)
            unseen, labels = _gather(data, tables, test_rows)
            guesses = model.fit(inputs, known_labels).predict(unseen)
            scores = score(labels, guesses, len(EMOTIONS))
            line = Compared(
                CLASSIC,
                classifier,
                training_set,
                split,
                scores.rows,
                scores.balanced_accuracy,
                scores.macro_f1,
            )
            lines.append(line)
    lines += ours
    print(features_table(lines))
    said = {"seed": recipe.seed, "lines": [asdict(line) for line in lines]}
    write_json(said, work / RESULT)
    return lines


def features_table(lines: Sequence[Compared]) -> str:
    """All lines as a Markdown table."""
    rows = [
        "| features | classifier | training set | split | rows | balanced accuracy | macro F1 |"
    ]
    rows.append("|---" * 7 + "|")
    rows += [
        f"| {line.features} | {line.classifier} | {line.training_set} | {line.split} | "
        f"{line.rows:,} | {line.balanced_accuracy:.1%} | {line.macro_f1:.1%} |"
        for line in lines
    ]
    return "\n".join(rows)


def _classifiers(seed: int) -> dict[str, Any]:
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    network = MLPClassifier((300,), alpha=0.01, batch_size=256, max_iter=300, random_state=seed)
    return {
        "MLP, 300 hidden": make_pipeline(StandardScaler(), network),
        "SVM, RBF, C 10": make_pipeline(StandardScaler(), SVC(C=10, class_weight="balanced")),
    }


def _gather(
    data: VoiceData, tables: dict[str, Table], rows: Rows
) -> tuple[Table, NDArray[np.int64]]:
    chosen = {name: each for name, each in rows.items() if len(each)}
    values = np.concatenate([tables[name][each] for name, each in chosen.items()])
    labels = [data.of(name)[row].label for name, each in chosen.items() for row in each]
    return values, np.array(labels)


def _load(data: VoiceData, corpus: str, recipe: VoiceRecipe, work: Path) -> Table:
    """Statistics of all clips of a corpus, computed once and kept in *work*/views."""
    recordings = data.of(corpus)
    length = recipe.front_end.window_samples
    described = json.dumps([1, length, _MFCC, _FFT, [recording.file for recording in recordings]])
    digest = hashlib.sha256(described.encode()).hexdigest()[:12]
    kept = work / "views" / f"classic_{corpus}_{digest}.npy"
    if kept.is_file():
        return np.asarray(read_array(kept), np.float32)
    kept.parent.mkdir(parents=True, exist_ok=True)
    table = np.stack(_computed(data, recordings, length))
    with written_whole(kept) as partial, partial.open("wb") as stream:
        np.save(stream, table)
    return table


def _computed(
    data: VoiceData, recordings: Sequence[Recording], length: int
) -> list[NDArray[np.float32]]:
    rows = []
    for start in tqdm(
        range(0, len(recordings), _RECORDINGS_A_STEP), desc="classic features", leave=False
    ):
        for sound in data.sounds(recordings[start : start + _RECORDINGS_A_STEP]):
            rows.append(statistics(plain_view(sound, length)))
    return rows
