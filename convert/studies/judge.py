"""Where the face net and the detector together are sure enough that something new is a face.

Heads of many people, pasted into pictures without a face, are set against those pictures themselves;
the thresholds are those with most heads among all that let no more through than they may.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.errors import DataError
from convert.face.data import load_face_data
from convert.face.extra import load_faces
from convert.face.mistakes import candidate_finder, pictures_in, read_rgb, views_of
from convert.metrics import wilson
from convert.studies.finders import FRAME, HEADS_PX, TINTS, Head, covers, paste
from edge.config.paths import fetched_folder
from edge.messages import Frame
from edge.perception.auto_finder import JUDGED, AutoFinder, put_before_judge, sureness
from edge.perception.face_net import FaceNet
from edge.perception.framing import align
from edge.perception.manifest import load_manifest

LEAST_SCORE: Final = 0.5
"""As the finder has it."""
MOST_FALSE: Final = 1 / 600
"""So many views without a face may be given one: half of what is asked for, for others will follow."""
ODDS: Final = np.arange(-3, 9.01, 0.25)
_SMALL_PX: Final = 60


@dataclass(frozen=True, eq=False)
class Sights:
    """What the judge is asked about in each picture, at most `JUDGED` candidates.

    sure: [pictures, k] log-odds, -inf where there are fewer. near: [pictures, k], whether the sign was in
    the whole frame.
    """

    sure: NDArray[np.float64]
    near: NDArray[np.bool_]

    def passed(self, near: float, far: float) -> NDArray[np.bool_]:
        """Whether a candidate of each picture is taken for a face, by `AutoFinder`'s rule: [pictures]."""
        return np.asarray((self.sure >= np.where(self.near, near, far)).any(axis=1))


def choose_thresholds(
    data: Path, pictures: Path, models: Path, heads: int = 400, seed: int = 1
) -> None:
    """Print what thresholds find and let through, and the best ones.

    Args:
        data: folder with `face` and `face_extra`.
        pictures: folder of pictures without a face, of which none was trained on.
        models: folder of the face net.
        heads: so many of each source of faces are pasted.
        seed: chooses them, places and views.

    Raises:
        DataError: a pack is missing, or the folder has no picture.
        ModelError: a model is missing, or the net does not tell faces.
    """
    empty = [image for image in map(read_rgb, pictures_in(pictures)) if image is not None]
    if not empty:
        raise DataError(f"No picture in {pictures} can be read; name another folder.")
    net = FaceNet(models, load_manifest(models).face)
    with candidate_finder(fetched_folder(), LEAST_SCORE) as finder:
        judge = _Judge(finder, net)
        by_source = {
            name: _sights([*judge.heads(crops, share, empty, seed)])
            for name, crops, share in _sources(data, heads, seed)
        }
        views = _sights([*judge.views(empty, seed)])
    print(
        f"{len(views.sure):,} views of {len(empty):,} pictures without a face; heads of "
        f"{_SMALL_PX} to {HEADS_PX[-1]} px: "
        + ", ".join(f"{name} {len(each.sure):,}" for name, each in by_source.items())
        + "\n"
    )
    print(f"| near | far | {' | '.join(by_source)} | false | 95 % |")
    print("|---|" + "---|" * (len(by_source) + 3))
    best: tuple[float, float] | None = None
    most = -1.0
    for near in ODDS.tolist():
        for far in ODDS[near <= ODDS].tolist():
            if views.passed(near, far).mean() > MOST_FALSE:
                continue
            found = float(np.mean([each.passed(near, far).mean() for each in by_source.values()]))
            if found > most:
                best, most = (near, far), found
            break
        _print_row(near, far, by_source, views)
    if best is None:
        print(f"\nNone lets as few through as {MOST_FALSE:.2%}: the net has not learned enough.")
    else:
        print(f"\nBest: NEAR_ODDS = {best[0]:g}, FAR_ODDS = {best[1]:g}.")


class _Judge:
    def __init__(self, finder: AutoFinder, net: FaceNet) -> None:
        self._finder, self._net = finder, net

    def _sure(
        self, image: NDArray[np.uint8], box: tuple[float, float, float, float] | None
    ) -> list[tuple[float, bool]]:
        """Of each candidate that is asked about; of those in *box* alone, if there is one."""
        frame = Frame(image, 0.0)
        found = []
        for face, near in put_before_judge(self._finder.candidates(frame)):
            if box is None or covers(face, box):
                odds = self._net.face_odds(align(frame, face, self._net.geometry))
                found.append((sureness(face, odds), near))
        return found

    def views(
        self, empty: list[NDArray[np.uint8]], seed: int
    ) -> Iterator[list[tuple[float, bool]]]:
        for number, image in enumerate(tqdm(empty, desc="views", leave=False)):
            for view in views_of(image, np.random.default_rng([seed, number])):
                yield self._sure(view, None)

    def heads(
        self,
        crops: NDArray[np.uint8],
        share: float,
        empty: list[NDArray[np.uint8]],
        seed: int,
    ) -> Iterator[list[tuple[float, bool]]]:
        sizes = [size for size in HEADS_PX if size >= _SMALL_PX]
        for number, crop in enumerate(tqdm(crops, desc="heads", leave=False)):
            random = np.random.default_rng([seed, number])
            size = sizes[number % len(sizes)]
            reach = [max(0.0, side / 2 - size / 2) for side in FRAME]
            x, y = (
                side / 2 + random.uniform(-far, far) for side, far in zip(FRAME, reach, strict=True)
            )
            tint = TINTS[int(random.integers(len(TINTS)))] if number % 2 else None
            behind = empty[int(random.integers(len(empty)))]
            scene = paste(Head(crop, share, None), behind, (x, y), size, tint)
            yield self._sure(scene.image, (x - size / 2, y - size / 2, size, size))


def _sources(data: Path, heads: int, seed: int) -> Iterator[tuple[str, NDArray[np.uint8], float]]:
    random = np.random.default_rng(seed)
    wild = load_faces(data / "face_extra" / "faces_unlabelled_fairface.npz")
    yield "FairFace", random.permutation(wild.pixels[wild.choosing])[:heads], 2 / 3
    fer = load_face_data(data / "face")
    rows = fer.held_out[~fer.not_face[fer.held_out]]
    yield "FER2013 held out", fer.pixels[random.permutation(rows)[:heads]], 1.0


def _sights(pictures: list[list[tuple[float, bool]]]) -> Sights:
    sure = np.full((len(pictures), JUDGED), -np.inf)
    near = np.zeros((len(pictures), JUDGED), bool)
    for row, candidates in enumerate(pictures):
        for place, (odds, whole) in enumerate(candidates):
            sure[row, place], near[row, place] = odds, whole
    return Sights(sure, near)


def _print_row(near: float, far: float, by_source: dict[str, Sights], views: Sights) -> None:
    found = " | ".join(f"{each.passed(near, far).mean():.1%}" for each in by_source.values())
    false = int(views.passed(near, far).sum())
    low, high = wilson(false, len(views.sure))
    print(f"| {near:g} | {far:g} | {found} | {false} | {low:.2%} to {high:.2%} |", flush=True)
