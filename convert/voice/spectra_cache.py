"""Spectra of every recording in several versions, computed once and kept on disk."""

import hashlib
import json
import multiprocessing
import signal
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.atomic_files import read_array, written_whole
from convert.errors import DataError
from convert.voice.augment import made_noise, random_view
from convert.voice.data import NOISE_FOLDS, Recording, VoiceData
from convert.voice.window import plain_view
from edge.perception.spectrogram import FrontEnd, Spectrogram

_AUGMENTATION = 2
"""Raise it when `augment` changes, so that kept views are not taken for new ones."""
MARGIN_FRAMES = 30
"""Kept on both sides of the best window (0.6 s), so that it can be shifted."""
_RECORDINGS_A_TASK = 32
_MADE_NOISES, _MADE_NOISE_S = 48, 12
_LEAST_POWER = 1e-12

Views = NDArray[np.float16]
"""[recordings, views, bands, frames + 2 * MARGIN_FRAMES]: power in decibels (10 log10 of what
`Spectrogram.power` gives). View 0 is the recording as it is, the others are random."""
Spectra = list[NDArray[np.float32]]
"""Power of recordings of any length, each [bands, frames], linear."""


def load_views(
    data: VoiceData,
    corpus: str,
    front_end: FrontEnd,
    count: int,
    seed: int,
    folder: Path,
    workers: int = 1,
) -> Views:
    """Views of `data.of(corpus)`, from *folder* if it keeps them, else computed and kept there.

    Args:
        data: the tables.
        corpus: whose recordings.
        front_end: computes the spectra.
        count: random views a recording, besides the plain one.
        seed: of the random views.
        folder: of the cache.
        workers: processes that compute; 0 = this one.

    Raises:
        DataError: a recording cannot be decoded, the kept file is damaged, or a worker was ended.
    """
    recordings = data.of(corpus)
    described = json.dumps(
        [
            _AUGMENTATION,
            asdict(front_end),
            count,
            seed,
            [recording.file for recording in recordings],
        ]
    )
    name = f"{corpus}_{hashlib.sha256(described.encode()).hexdigest()[:12]}.npy"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / name
    if not kept.is_file():
        frames = front_end.frames + 2 * MARGIN_FRAMES
        shape = (len(recordings), 1 + count, front_end.bands, frames)
        with written_whole(kept) as partial:
            open_memmap: Any = np.lib.format.open_memmap  # numpy 2.2 has no types for it
            views = open_memmap(partial, mode="w+", dtype=np.float16, shape=shape)
            chunks = [
                recordings[i : i + _RECORDINGS_A_TASK]
                for i in range(0, len(recordings), _RECORDINGS_A_TASK)
            ]
            done = 0
            with tqdm(
                total=len(recordings), desc=f"views of {corpus}", leave=False, mininterval=5
            ) as bar:
                for chunk in _computed(chunks, (data, front_end, count, seed), workers):
                    views[done : done + len(chunk)] = chunk
                    done += len(chunk)
                    bar.update(len(chunk))
            views.flush()
            del views
    return read_array(kept, mmap_mode="r")


def noise_spectra(data: VoiceData, front_end: FrontEnd, folds: Sequence[int]) -> Spectra:
    """Spectra of the recorded background of some folds, whole length (at least one window)."""
    return [spectrum for fold in folds for spectrum in _fold_spectra(data, front_end, fold)]


@lru_cache(maxsize=NOISE_FOLDS)
def _fold_spectra(data: VoiceData, front_end: FrontEnd, fold: int) -> Spectra:
    spectrogram, spectra = Spectrogram(front_end), []
    for sound in data.noise_sounds((fold,)):
        whole = np.resize(sound, max(len(sound), front_end.window_samples))
        spectra.append(spectrogram.power(whole).T.astype(np.float32))
    return spectra


def made_spectra(front_end: FrontEnd, seed: int, count: int = _MADE_NOISES) -> Spectra:
    """Spectra of synthetic background: hiss, hum, ventilation."""
    spectrogram, random = Spectrogram(front_end), np.random.default_rng([seed, 7])
    length = max(front_end.window_samples, _MADE_NOISE_S * front_end.rate_hz)
    return [
        spectrogram.power(made_noise(length, random)).T.astype(np.float32) for _ in range(count)
    ]


Task = tuple[VoiceData, FrontEnd, int, int]


def _computed(chunks: Sequence[Sequence[Recording]], task: Task, workers: int) -> Iterator[Views]:
    """Views of each part in turn."""
    if workers == 0:
        yield from (_views_of(task, chunk) for chunk in chunks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker, (task,)) as pool:
        try:
            yield from pool.map(_views_by_worker, chunks)
        except BrokenProcessPool as error:
            raise DataError(
                "A process that computes spectra was ended, most likely for want of memory; "
                "close other programs and run the same command again."
            ) from error


_task: Task | None = None
"""What a worker process computes."""


def _start_worker(task: Task) -> None:
    global _task
    _task = task
    # Ctrl-C reaches every process of the terminal; a worker then ends at once, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _views_by_worker(recordings: Sequence[Recording]) -> Views:
    if _task is None:
        raise RuntimeError("the worker was not started")
    return _views_of(_task, recordings)


def _views_of(task: Task, recordings: Sequence[Recording]) -> Views:
    data, front_end, count, seed = task
    length, margin = front_end.window_samples, MARGIN_FRAMES * front_end.hop_samples
    spectrogram = Spectrogram(replace(front_end, window_samples=length + 2 * margin))
    rows = []
    for recording, sound in zip(recordings, data.sounds(recordings), strict=True):
        own = zlib.crc32(f"{recording.corpus}/{recording.file}".encode())
        random = np.random.default_rng([seed, own])
        windows = [plain_view(sound, length, margin)]
        windows += [random_view(sound, length, margin, random) for _ in range(count)]
        powers = [spectrogram.power(window).T for window in windows]
        rows.append(10 * np.log10(np.maximum(np.stack(powers), _LEAST_POWER)))
    return np.stack(rows).astype(np.float16)
