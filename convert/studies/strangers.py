"""People that no net was trained on, read by the appliance's own code, source by source.

Each face is enlarged into a frame of a camera, so that finder, framing, net, quality and fusion all
have their say; clips of one person run as a camera would show them. The sources were named before
any training for strangers, and nothing is chosen on them.
"""

import csv
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.errors import DataError
from convert.face.extra import OBTAIN, STRANGERS, load_crops, load_faces
from convert.metrics import calibration_error, score, wilson
from edge.build.appliance import fusion_options
from edge.config.paths import fetched_folder
from edge.config.schema import Settings
from edge.emotions import EMOTIONS
from edge.fusion import Fusion
from edge.messages import FaceReading, Frame, NoFace
from edge.perception.face_finder import FaceFinder
from edge.perception.face_reader import FaceReader
from edge.perception.manifest import load_manifest

PACKS: Final = ("faces_labelled.npz", "faces_nc.npz")
*SOURCES, CLIPS = STRANGERS
FRAME: Final = (640, 480)
LARGE_PX: Final = 288
"""Side of a face's crop in a frame: its head is some 190 pixels wide."""
STILL_S: Final = 1.5
"""How long a photograph is held before the camera."""
_RATE_HZ: Final = 15.0
_CLIP_HZ: Final = 10.0
_APART_S: Final = 10.0


@dataclass(frozen=True, eq=False)
class Looks:
    """What the device made of the faces of one source.

    truth: int64 [rows], 0-6. persons: how many people. found: bool [rows]. belief: float64 [rows, 7],
    the net's probabilities; where no face was found, nobody's. shown: str [rows], at the end.
    """

    source: str
    truth: NDArray[np.int64]
    persons: int
    found: NDArray[np.bool_]
    belief: NDArray[np.float64]
    shown: NDArray[np.str_]


def tell_strangers(data: Path, models: Path, fer: Path | None = None) -> None:
    """Print how the shipped face model does on each source.

    Args:
        data: folder with `face_extra`.
        models: folder of the shipped models.
        fer: a Python that has the `fer` package, for its answers to the same pictures.

    Raises:
        DataError: a pack is missing, or that Python cannot run `fer`.
        ModelError: a model is.
    """
    manifest = load_manifest(models)
    photographs, films = list(stills(data / "face_extra")), clips(data / "face_extra")
    missing = set(SOURCES) - {source for source, *_ in photographs}
    if missing:
        print(f"The packs have no face of {', '.join(sorted(missing))}.\n")
    if fer is not None:
        with _rival(fer):
            _run(fer, "from fer.fer import FER", limit_s=300)
    print(
        "| source | rows | people | emotions | found | right | balanced | shown right | shown wrong |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    every = []
    with closing(FaceFinder(fetched_folder())) as finder:
        device = Device(FaceReader(finder, models, manifest.face), Settings(), manifest)
        for source, crops, truth, people in photographs:
            looks = device.stills(source, crops, truth, len(set(people.tolist())))
            every.append((looks, crops))
            _print_row(looks)
        filmed = device.clips(films)
        _print_row(filmed)
    print(
        "\nRight is the face net's likeliest emotion, shown what the display shows in the end (in clips:"
    )
    print(
        'longest); what is neither shown right nor wrong is "unsure" or nobody. 95 % intervals by Wilson.'
    )
    print("\n| source | said | right |" + "".join(f" {name} |" for name in EMOTIONS))
    print(f"|---|---|---|{'---|' * len(EMOTIONS)}")
    for looks in [*(looks for looks, _ in every), filmed]:
        _print_classes(looks)
    if fer is not None:
        _print_rival(every, fer)


class Device:
    """Reader and fusion as the appliance has them."""

    def __init__(self, reader: FaceReader, settings: Settings, manifest: object) -> None:
        self._reader, self._settings, self._manifest = reader, settings, manifest
        self._t_s = 0.0

    def stills(
        self,
        source: str,
        crops: NDArray[np.uint8],
        truth: NDArray[np.int64],
        persons: int,
    ) -> Looks:
        """Each face held for a second and a half."""
        seen = [self._hold(frame_of(crop)) for crop in tqdm(crops, desc=source, leave=False)]
        return _looks(source, truth, persons, [(belief, shown[-1]) for belief, shown in seen])

    def hold(self, frame: NDArray[np.uint8]) -> str:
        """What is shown in the end of a frame that is held before the camera for so long."""
        return self._hold(frame)[1][-1]

    def _hold(self, frame: NDArray[np.uint8]) -> tuple[NDArray[np.float64] | None, list[str]]:
        return self._show([frame] * round(STILL_S * _RATE_HZ), _RATE_HZ)

    def clips(self, clips: Sequence[tuple[int, str, NDArray[np.uint8]]]) -> Looks:
        """Every clip from its first frame to its last; the emotion that was shown longest counts."""
        truth, persons, seen = [], set(), []
        for emotion, person, crops in tqdm(clips, desc=CLIPS, leave=False):
            belief, shown = self._show([frame_of(crop) for crop in crops], _CLIP_HZ)
            names = [name for name in shown if name in EMOTIONS]
            longest = max(EMOTIONS, key=names.count) if names else "unsure"
            seen.append((belief, longest))
            truth.append(emotion)
            persons.add(person)
        return _looks(CLIPS, np.array(truth), len(persons), seen)

    def _show(
        self, frames: Sequence[NDArray[np.uint8]], rate_hz: float
    ) -> tuple[NDArray[np.float64] | None, list[str]]:
        """Mean probabilities of the frames with a face, and what is shown after each."""
        fusion = Fusion(fusion_options(self._settings, self._manifest))
        self._t_s += _APART_S
        beliefs, shown = [], []
        for image in frames:
            self._t_s += 1 / rate_hz
            reading: FaceReading | NoFace = self._reader.read(Frame(image, self._t_s))
            if isinstance(reading, FaceReading):
                beliefs.append(reading.probabilities)
            shown.append(fusion.update([reading], self._t_s).shown)
        return (np.mean(beliefs, axis=0) if beliefs else None), shown


def frame_of(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame of a camera, uint8 [480, 640, 3], with the crop in its middle and its rim all around."""
    import cv2

    large = cv2.resize(crop, (LARGE_PX, LARGE_PX), interpolation=cv2.INTER_CUBIC)
    across, down = (FRAME[0] - LARGE_PX) // 2, (FRAME[1] - LARGE_PX) // 2
    framed = cv2.copyMakeBorder(large, down, down, across, across, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(np.dstack([framed] * 3), np.uint8)


def stills(
    folder: Path,
) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.int64], NDArray[np.str_]]]:
    """Source, crops, labels and people; contempt and what has no label are left out."""
    for file in PACKS:
        pack = load_faces(folder / file)
        for source in SOURCES:
            rows = np.flatnonzero(
                (pack.source == source) & (pack.label >= 0) & (pack.label < len(EMOTIONS))
            )
            if len(rows):
                yield source, pack.pixels[rows], pack.label[rows], pack.person[rows]


def clips(folder: Path) -> list[tuple[int, str, NDArray[np.uint8]]]:
    """Each clip's emotion, who it is, and its crops in order."""
    table = folder / f"{CLIPS}.csv"
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = [(EMOTIONS.index(row["emotion"]), row["actor"]) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise DataError(f"{table} cannot be read ({error}); {OBTAIN}.") from error
    crops, clip = load_crops(folder / f"{CLIPS}.npz")
    of_each = [(*row, crops[clip == number]) for number, row in enumerate(rows)]
    if not of_each or not all(len(each) for *_, each in of_each):
        raise DataError(f"{table} has no clip, or one without crops; {OBTAIN}.")
    return of_each


def _looks(
    source: str,
    truth: NDArray[np.int64],
    persons: int,
    seen: Sequence[tuple[NDArray[np.float64] | None, str]],
) -> Looks:
    nobody = np.full(len(EMOTIONS), np.nan)
    return Looks(
        source,
        truth,
        persons,
        np.array([belief is not None for belief, _ in seen]),
        np.array([nobody if belief is None else belief for belief, _ in seen]),
        np.array([shown for _, shown in seen]),
    )


def _guess(looks: Looks) -> NDArray[np.int64]:
    """The likeliest emotion of each row; -1 where no face was found."""
    guess = np.where(looks.found[:, None], looks.belief, 0).argmax(axis=1)
    return np.where(looks.found, guess, -1)


def _balanced(right: NDArray[np.bool_], looks: Looks) -> float:
    """Mean of the share that is *right* of each emotion that there is."""
    return float(np.mean([right[looks.truth == each].mean() for each in np.unique(looks.truth)]))


def _print_row(looks: Looks) -> None:
    right = _guess(looks) == looks.truth
    names = np.array(EMOTIONS)[looks.truth]
    shown_right = looks.shown == names
    shown_wrong = ~shown_right & np.isin(looks.shown, EMOTIONS)
    low, high = wilson(int(right.sum()), len(right))
    print(
        f"| {looks.source} | {len(right):,} | {looks.persons} | {len(set(looks.truth))} "
        f"| {looks.found.mean():.1%} | {right.mean():.1%} ({low:.1%} to {high:.1%}) "
        f"| {_balanced(right, looks):.1%} | {shown_right.mean():.1%} | {shown_wrong.mean():.1%} |",
        flush=True,
    )


def _print_classes(looks: Looks) -> None:
    found = looks.found
    if not found.any():
        print(f"| {looks.source} | - | - |{' - |' * len(EMOTIONS)}")
        return
    belief, truth = looks.belief[found], looks.truth[found]
    scores = score(truth, belief.argmax(axis=1), len(EMOTIONS))
    said = float(belief.max(axis=1).mean())
    recalls = "".join(" - |" if np.isnan(each) else f" {each:.0%} |" for each in scores.recall)
    error = calibration_error(belief, truth)
    print(f"| {looks.source} | {said:.1%} | {scores.accuracy:.1%} (error {error:.3f}) |{recalls}")


# Run by another Python, which has `fer` and knows nothing of Mien.
_FER: Final = """
import json, sys
import numpy
from fer.fer import FER
frames = numpy.load(sys.argv[1])["frames"]
reader, said = FER(), []
for frame in frames:
    faces = reader.detect_emotions(numpy.ascontiguousarray(frame[:, :, ::-1]))
    best = max(faces, key=lambda one: one["box"][2], default=None)
    said.append(max(best["emotions"], key=best["emotions"].get) if best else "")
json.dump(said, open(sys.argv[2], "w"))
"""


@contextmanager
def _rival(python: Path) -> Iterator[None]:
    """Raise `DataError` where that Python cannot run `fer`, or says something else than it."""
    try:
        yield
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise DataError(
            f"{python} cannot run the fer package ({type(error).__name__}); make an environment of its "
            "own for it: python3 -m venv fer && fer/bin/pip install fer tensorflow-cpu 'setuptools<81'."
        ) from error


def _run(python: Path, code: str, *arguments: str, limit_s: float) -> None:
    command = [str(python), "-c", code, *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=limit_s)


def _print_rival(every: Sequence[tuple[Looks, NDArray[np.uint8]]], python: Path) -> None:
    print(
        "\n| source | Mien: found | right of all | balanced | fer: found | right of all | balanced |"
    )
    print("|---|---|---|---|---|---|---|")
    for looks, crops in every:
        with tempfile.TemporaryDirectory() as work, _rival(python):
            given, taken = Path(work) / "frames.npz", Path(work) / "said.json"
            np.savez(given, frames=np.array([frame_of(crop) for crop in crops]))
            _run(python, _FER, str(given), str(taken), limit_s=3600)
            said = json.loads(taken.read_text())
        theirs = np.array([EMOTIONS.index(name) if name in EMOTIONS else -1 for name in said])
        cells = []
        for guess in (_guess(looks), theirs):
            right = guess == looks.truth
            cells.append(
                f"{(guess >= 0).mean():.1%} | {right.mean():.1%} | {_balanced(right, looks):.1%}"
            )
        print(f"| {looks.source} | {' | '.join(cells)} |", flush=True)
