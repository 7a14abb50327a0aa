"""Features of every clip in several augmented views, computed once and kept on disk."""

import hashlib
import json
import multiprocessing
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.voice_augment import Sound, plain_view, random_view
from convert.voice_data import Clip, VoiceData
from edge.perception.spectrogram import FrontEnd, Spectrogram

_AUGMENTATION = 1
"""Raise it when `voice_augment` changes, so that kept views are not taken for new ones."""
_CLIPS_A_TASK = 32

Views = NDArray[np.float16]
"""[clips, views, bands, frames]; view 0 is the clip as recorded, the others are random."""


def load_views(
    data: VoiceData,
    corpus: str,
    front_end: FrontEnd,
    count: int,
    seed: int,
    folder: Path,
    workers: int = 2,
) -> Views:
    """Views of `data.of(corpus)`, from *folder* if it keeps them, else computed and kept there.

    Args:
        data: the tables.
        corpus: whose clips.
        front_end: computes the features.
        count: random views a clip, besides the plain one.
        seed: of the random views.
        folder: of the cache.
        workers: processes that compute; 0 = this one.
    """
    clips = data.of(corpus)
    described = json.dumps(
        [_AUGMENTATION, asdict(front_end), count, seed, [clip.file for clip in clips], data.noises]
    )
    name = f"{corpus}_{hashlib.sha256(described.encode()).hexdigest()[:12]}.npy"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / name
    if not kept.is_file():
        shape = (len(clips), 1 + count, front_end.bands, front_end.frames)
        partial = folder / f"{name}.part"
        open_memmap: Any = np.lib.format.open_memmap  # numpy 2.2 has no types for it
        views = open_memmap(partial, mode="w+", dtype=np.float16, shape=shape)
        parts = [clips[i : i + _CLIPS_A_TASK] for i in range(0, len(clips), _CLIPS_A_TASK)]
        done = 0
        with tqdm(total=len(clips), desc=f"views of {corpus}", leave=False) as bar:
            for part in _computed(parts, (data, front_end, count, seed), workers):
                views[done : done + len(part)] = part
                done += len(part)
                bar.update(len(part))
        views.flush()
        del views
        partial.replace(kept)
    loaded: Views = np.load(kept, mmap_mode="r")
    return loaded


def noise_features(
    data: VoiceData, front_end: FrontEnd, count: int, seed: int
) -> NDArray[np.float16]:
    """Windows of background without speech: float16 [count, bands, frames]."""
    random = np.random.default_rng([seed, 7])
    spectrogram, noises = Spectrogram(front_end), data.noise_sounds()
    rows = []
    for index in random.integers(len(noises), size=count):
        noise = noises[index]
        start = int(random.integers(len(noise)))
        window = np.resize(np.roll(noise, -start), front_end.window_samples)
        rows.append(spectrogram.features(window).T.astype(np.float16))
    return np.stack(rows)


Task = tuple[VoiceData, FrontEnd, int, int]


def _computed(parts: Sequence[Sequence[Clip]], task: Task, workers: int) -> Iterator[Views]:
    """Views of each part in turn."""
    if workers == 0:
        _start_worker(*task)
        yield from map(_views_of, parts)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker, task) as pool:
        yield from pool.map(_views_of, parts)


_worker: tuple[VoiceData, Spectrogram, int, int, list[Sound]] | None = None
"""What a worker process keeps between parts: decoded noise above all."""


def _start_worker(data: VoiceData, front_end: FrontEnd, count: int, seed: int) -> None:
    global _worker
    noises = data.noise_sounds() if count else []
    _worker = (data, Spectrogram(front_end), count, seed, noises)


def _views_of(clips: Sequence[Clip]) -> Views:
    if _worker is None:
        raise RuntimeError("the worker was not started")
    data, spectrogram, count, seed, noises = _worker
    length = spectrogram.front_end.window_samples
    rows = []
    for clip, sound in zip(clips, data.sounds(clips), strict=True):
        own = zlib.crc32(f"{clip.corpus}/{clip.file}".encode())
        random = np.random.default_rng([seed, own])
        windows = [plain_view(sound, length)]
        windows += [random_view(sound, noises, length, random) for _ in range(count)]
        rows.append(np.stack([spectrogram.features(window).T for window in windows]))
    return np.stack(rows).astype(np.float16)
