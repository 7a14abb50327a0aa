"""Whether the device treats people alike: faces found, and smiles seen, by age, sex, origin and skin."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.errors import DataError
from convert.face.extra import OBTAIN, load_faces, read_pictures
from convert.metrics import wilson
from convert.studies.finders import FRAME, TINTS, Head, covers, paste
from convert.studies.strangers import frame_of
from edge.config.paths import fetched_folder
from edge.emotions import EMOTIONS
from edge.messages import FaceReading, Frame
from edge.perception.face_finder import FaceFinder
from edge.perception.face_reader import FaceReader
from edge.perception.manifest import load_manifest

GAP: Final = 0.05
"""A group that does so much worse than all together is named."""
EACH: Final = 300
"""So many faces of each origin are looked for."""
SIZES_PX: Final = (60, 90, 140, 220, 340)
"""Widths of their heads, in a frame of 640x480."""
LEAST: Final = 20
"""Groups of fewer people are not told apart."""
_HEAD_SHARE: Final = 2 / 3

Groups = Callable[[dict[str, str]], tuple[str, ...]]
"""What a source says of somebody -> the groups that they are of."""


@dataclass(frozen=True)
class Case:
    """One person: of which groups, and whether it went well."""

    groups: tuple[str, ...]
    well: bool


def compare_groups(data: Path, models: Path, seed: int = 1) -> None:
    """Print how many faces are found, and smiles seen, of each group.

    Args:
        data: folder with `face_extra`.
        models: folder of the shipped models.
        seed: chooses faces and their places.

    Raises:
        DataError: a pack is missing, or says nothing of who is in it.
        ModelError: a model is missing.
    """
    folder = data / "face_extra"
    with closing(FaceFinder(fetched_folder())) as finder:
        reader = FaceReader(finder, models, load_manifest(models).face)
        clock = _Clock()
        print(f"\nFound, heads of {SIZES_PX[0]} to {SIZES_PX[-1]} px, at first sight (FairFace):")
        print_groups(list(_found(folder, finder, clock, seed)))
        for name, source, groups in SMILING:
            print(f"\nSmiles seen, by the net's likeliest emotion ({source}):")
            print_groups(list(_smiles(folder / name, source, groups, reader, clock)))


class _Clock:
    """Each picture comes long after the one before."""

    def __init__(self) -> None:
        self._t_s = 0.0

    def next(self, image: NDArray[np.uint8]) -> Frame:
        self._t_s += 10.0
        return Frame(image, self._t_s)


def _found(folder: Path, finder: FaceFinder, clock: _Clock, seed: int) -> Iterator[Case]:
    """So many faces of each origin, pasted into pictures that show nobody."""
    pack = load_faces(folder / "faces_unlabelled_fairface.npz")
    if not all(about.count("|") == 2 for about in pack.about.tolist()):
        raise DataError(f"The faces of FairFace do not say age, sex and origin; {OBTAIN}.")
    pictures = read_pictures(folder / "finder_pictures.zip")
    empty = [picture.image for picture in pictures if picture.kind == "no face"]
    if not empty:
        raise DataError(f'No picture is of the kind "no face"; {OBTAIN}.')
    random = np.random.default_rng(seed)
    origins = np.array([about.split("|")[2] for about in pack.about.tolist()])
    rows = [
        row
        for origin in sorted(set(origins.tolist()))
        for row in random.permutation(np.flatnonzero(pack.testing & (origins == origin)))[:EACH]
    ]
    for row in tqdm(rows, desc="found", leave=False):
        width_px = SIZES_PX[int(random.integers(len(SIZES_PX)))]
        middle = tuple(float(random.uniform(width_px / 2, side - width_px / 2)) for side in FRAME)
        tint = TINTS[int(random.integers(len(TINTS)))] if random.random() < 0.5 else None
        behind = empty[int(random.integers(len(empty)))]
        head = Head(pack.pixels[row], _HEAD_SHARE, None)
        scene = paste(head, behind, (middle[0], middle[1]), width_px, tint)
        corner = middle[0] - width_px / 2, middle[1] - width_px / 2
        faces = finder.find(clock.next(scene.image))
        hit = any(covers(face, (*corner, width_px, width_px)) for face in faces)
        yield Case(_fairface(str(pack.about[row])), hit)


def _fairface(about: str) -> tuple[str, ...]:
    age, sex, origin = about.split("|")
    return (f"age {age}", sex.lower(), origin.replace("_", " "))


def _smiles(
    file: Path, source: str, groups: Groups, reader: FaceReader, clock: _Clock
) -> Iterator[Case]:
    """Everybody of the source who smiles."""
    happy = EMOTIONS.index("happy")
    pack = load_faces(file)
    rows = np.flatnonzero((pack.source == source) & (pack.label == happy))
    for row in tqdm(rows, desc=f"smiles, {source}", leave=False):
        try:
            known = groups(json.loads(str(pack.about[row])))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{file} does not say who the people of {source} are ({error}); {OBTAIN}."
            ) from error
        reading = reader.read(clock.next(frame_of(pack.pixels[row])))
        seen = isinstance(reading, FaceReading) and int(reading.probabilities.argmax()) == happy
        yield Case(known, seen)


def _london(about: dict[str, str]) -> tuple[str, ...]:
    named = (about["gender"], f"origin {about['eth'].replace('_', ' ')}")
    known = tuple(name for name in named if "NA" not in name)
    return known if about["age"] == "NA" else (_age(about), *known)


def _omi(about: dict[str, str]) -> tuple[str, ...]:
    """By what those who rated the faces said on average, each of 0-100."""
    sex = "female" if float(about["gender"]) < 50 else "male"
    skin = (
        "skin darker than most" if float(about["skin-color"]) > 50 else "skin not darker than most"
    )
    return (_age(about), sex, skin)


def _age(about: dict[str, str]) -> str:
    return "age below 30" if float(about["age"]) < 30 else "age from 30 on"


SMILING: Final[tuple[tuple[str, str, Groups], ...]] = (
    ("faces_labelled.npz", "london", _london),
    ("faces_nc.npz", "omi", _omi),
)
"""Packs, and of each the source whose people are known, and how."""


def print_groups(cases: Sequence[Case]) -> None:
    """Each group, and those that do worse than all by `GAP` or more.

    Raises:
        DataError: there is nobody.
    """
    if not cases:
        raise DataError(f"The pack has nobody of that kind; {OBTAIN}.")
    by_group: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        for group in ("all", *case.groups):
            by_group[group].append(case.well)
    print("\n| group | people | share | 95 % |")
    print("|---|---|---|---|")
    whole = float(np.mean(by_group["all"]))
    behind = []
    for group, went in sorted(by_group.items(), key=lambda each: (each[0] != "all", each[0])):
        if len(went) < LEAST:
            continue
        share = float(np.mean(went))
        low, high = wilson(sum(went), len(went))
        print(f"| {group} | {len(went):,} | {share:.1%} | {low:.1%} to {high:.1%} |")
        if share <= whole - GAP:
            behind.append(f"{group} ({(share - whole) * 100:+.1f} points)")
    print(f"\n{GAP * 100:.0f} points or more behind all: {', '.join(behind) or 'no group'}.")
