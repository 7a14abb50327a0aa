"""The three ways to find faces, on many faces of all sizes and on photographs.

Heads of many people are pasted into pictures that show nobody, from far away to larger than the
picture, in colour and in grey; photographs with known boxes follow, and pictures without a face.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.errors import DataError
from convert.face.data import load_face_data
from convert.face.extra import OBTAIN, Picture, load_faces, read_pictures
from convert.face.mistakes import part_of
from convert.metrics import wilson
from edge.messages import Face, Frame, Point
from edge.perception.face_finder import FaceFinder
from edge.perception.face_net import FaceNet
from edge.perception.face_reader import let_judge
from edge.perception.manifest import load_manifest

WAYS: Final = ("short", "full", "auto")
FRAME: Final = (640, 480)
HEADS_PX: Final = (40, 60, 80, 120, 200, 300, 400, 480, 528)
"""Widths of the heads; the last fills 1.1 of the frame's height."""
VIEWS: Final = 8
"""Of a picture without a face: mirrored, cut, darker."""
HELD: Final = 8
"""Frames of a photograph: half a second."""
APART_S: Final = 10.0
"""Between two pictures: nothing is followed from one to the next."""
FRAME_S: Final = 1 / 15
FOLLOWED: Final = 3
"""Frames of a head that moves, after the first."""
_COUNTED_PX: Final = 60
"""Heads from here on are counted together."""
_STEP: Final = 0.04
"""How far it moves from one to the next, in its widths."""
TINTS: Final = ((1.15, 1.0, 0.88), (1.25, 1.0, 0.8), (1.2, 0.98, 0.82), (1.1, 1.0, 0.95))
_LARGE_PX: Final = 384
"""A crop is enlarged to so much to see where its eyes are."""


@dataclass(frozen=True, eq=False)
class Head:
    """A head to paste.

    pixels: grey uint8 [side, side]. share: of its width that is head. eyes: right and left, in
    pixels of it; None where they are not known.
    """

    pixels: NDArray[np.uint8]
    share: float
    eyes: tuple[Point, Point] | None


@dataclass(frozen=True, eq=False)
class Scene:
    """A frame with a head in it: its middle and width, and its eyes, all in pixels."""

    image: NDArray[np.uint8]
    middle: Point
    width_px: float
    eyes: tuple[Point, Point] | None


@dataclass
class Tally:
    """What became of the heads of one size, by one way."""

    heads: int = 0
    found: int = 0
    eyes_off: list[float] = field(default_factory=list)
    """Mean distance of both eyes from where they are, in distances between the eyes."""


def compare_finders(data: Path, detectors: Path, models: Path, heads: int, seed: int = 1) -> None:
    """Print how many faces each way finds, how well, what it takes for a face, and what it costs.

    Args:
        data: folder with `face` and `face_extra`.
        detectors: folder of MediaPipe's face detectors.
        models: folder of the face net, which has a say in what is a face.
        heads: how many of each source are pasted.
        seed: chooses them and their places.

    Raises:
        DataError: a pack of data is missing.
        ModelError: a detector or the net is.
    """
    pictures = list(read_pictures(data / "face_extra" / "finder_pictures.zip"))
    empty = [picture for picture in pictures if picture.kind == "no face"]
    if not empty:
        raise DataError(f'Of the {len(pictures)} pictures none is of the kind "no face"; {OBTAIN}.')
    sources = list(_sources(data, heads, seed))
    costs: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as opened:
        finders = {
            way: _Timed(opened.enter_context(closing(FaceFinder(detectors, way))), costs[way])
            for way in WAYS
        }
        net = FaceNet(models, load_manifest(models).face)
        for each in finders.values():
            each.judged_by(net)
        for name, crops, share in sources:
            known = [Head(crop, share, _eyes(crop, finders["short"])) for crop in crops]
            print(f"\n{name}: {len(known)} heads, each in colour and in grey\n")
            _print_heads(known, empty, finders, seed)
        tracked = {way: median(costs[way] or [math.nan]) for way in WAYS}
        print("\nMedian cost of a frame with a face, after one with a face (in the same run):\n")
        for way in WAYS:
            print(
                f"- {way}: {tracked[way] * 1000:.1f} ms, {tracked[way] / tracked['full']:.2f} of full"
            )
        _print_pictures(pictures, finders, seed)
        _print_empty(empty, finders, seed)


class _Timed:
    """A finder whose clock goes on by itself."""

    def __init__(self, finder: FaceFinder, costs: list[float]) -> None:
        self._finder, self._costs = finder, costs
        self._t_s = 0.0
        self._seen = False

    def judged_by(self, net: FaceNet) -> None:
        """Let *net* judge as in the appliance."""
        let_judge(net, self._finder)

    def first(self, image: NDArray[np.uint8]) -> list[Face]:
        """The faces in a picture that has nothing to do with the one before."""
        self._t_s += APART_S
        faces = self._finder.find(Frame(image, self._t_s))
        self._seen = bool(faces)
        return faces

    def next(self, image: NDArray[np.uint8]) -> list[Face]:
        """The faces in the next picture of a camera."""
        self._t_s += FRAME_S
        began_s = time.perf_counter()
        faces = self._finder.find(Frame(image, self._t_s))
        if faces and self._seen:
            self._costs.append(time.perf_counter() - began_s)
        self._seen = bool(faces)
        return faces


def _sources(data: Path, heads: int, seed: int) -> Iterator[tuple[str, NDArray[np.uint8], float]]:
    """Name, grey crops, and the share of a crop's width that is head."""
    random = np.random.default_rng(seed)
    wild = load_faces(data / "face_extra" / "faces_unlabelled_fairface.npz")
    yield "FairFace", random.permutation(wild.pixels[wild.testing])[:heads], 2 / 3
    fer = load_face_data(data / "face")
    rows = fer.rows("PrivateTest")
    rows = rows[~fer.not_face[rows]]
    yield "FER2013 PrivateTest", fer.pixels[random.permutation(rows)[:heads]], 1.0


def _eyes(crop: NDArray[np.uint8], finder: _Timed) -> tuple[Point, Point] | None:
    """Where the short range sees them in the crop, enlarged and with a border."""
    import cv2

    scale, border = _LARGE_PX / len(crop), _LARGE_PX // 2
    large = cv2.resize(crop, (_LARGE_PX, _LARGE_PX), interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, border, border, border, border, cv2.BORDER_REPLICATE)
    found = finder.first(np.ascontiguousarray(np.dstack([framed] * 3), np.uint8))
    if not found:
        return None
    face = max(found, key=lambda each: each.width_px)
    right, left = face.right_eye, face.left_eye
    return (
        ((right[0] - border) / scale, (right[1] - border) / scale),
        ((left[0] - border) / scale, (left[1] - border) / scale),
    )


def _print_heads(
    heads: Sequence[Head], empty: Sequence[Picture], finders: dict[str, _Timed], seed: int
) -> None:
    columns = [f"{way}: found | eyes off" for way in WAYS]
    print(f"| head | {' | '.join(columns)} | auto, followed: found |")
    print(f"|---|{'---|' * (2 * len(WAYS) + 1)}")
    total = {way: Tally() for way in (*WAYS, "followed")}
    for width_px in tqdm(HEADS_PX, desc="sizes", leave=False):
        tallies = {way: Tally() for way in total}
        for number, head in enumerate(tqdm(heads, desc="heads", leave=False)):
            for colored in (True, False):
                random = np.random.default_rng([seed, number, width_px, colored])
                _try_head(head, width_px, colored, empty, finders, tallies, random)
        for way, tally in tallies.items():
            if width_px >= _COUNTED_PX:
                total[way].heads += tally.heads
                total[way].found += tally.found
                total[way].eyes_off += tally.eyes_off
        print(f"| {width_px} px | {_cells(tallies)} |")
    print(f"| {_COUNTED_PX} px and more | {_cells(total)} |")
    for way in ("auto", "followed"):
        share = total[way].found / max(total[way].heads, 1)
        # Frames of one head are not independent.
        low, high = wilson(share * len(heads), len(heads))
        print(f"\n{way}: {share:.1%} of {len(heads)} heads, 95 % {low:.1%} to {high:.1%}")


def _try_head(
    head: Head,
    width_px: int,
    colored: bool,
    empty: Sequence[Picture],
    finders: dict[str, _Timed],
    tallies: dict[str, Tally],
    random: np.random.Generator,
) -> None:
    behind = empty[int(random.integers(len(empty)))].image
    reach = max(0.0, FRAME[0] / 2 - width_px / 2), max(0.0, FRAME[1] / 2 - width_px / 2)
    middle = tuple(
        whole / 2 + random.uniform(-each, each) for whole, each in zip(FRAME, reach, strict=True)
    )
    tint = TINTS[random.integers(len(TINTS))] if colored else None
    angle = random.uniform(-math.pi, math.pi)
    step = _STEP * width_px * math.cos(angle), _STEP * width_px * math.sin(angle)
    for number in range(FOLLOWED + 1):
        place = middle[0] + number * step[0], middle[1] + number * step[1]
        scene = paste(head, behind, place, width_px, tint)
        if number == 0:
            for way in WAYS:
                _note(tallies[way], scene, finders[way].first(scene.image))
        else:
            for way in WAYS:
                faces = finders[way].next(scene.image)
                if way == "auto":
                    _note(tallies["followed"], scene, faces)


def paste(
    head: Head,
    behind: NDArray[np.uint8],
    middle: Point,
    width_px: float,
    tint: tuple[float, float, float] | None,
) -> Scene:
    """A frame with *head* in front of *behind*, without an edge between them.

    Args:
        head: grey.
        behind: uint8 [height, width, 3], scaled to the frame.
        middle: of the head in the frame.
        width_px: of the head in the frame.
        tint: what grey is multiplied by for red, green and blue; None makes the frame grey.
    """
    import cv2

    scale = width_px / (head.share * len(head.pixels))
    corner = middle[0] - len(head.pixels) * scale / 2, middle[1] - len(head.pixels) * scale / 2
    matrix = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])
    source: NDArray[Any] = head.pixels
    blend: NDArray[Any] = _oval(len(head.pixels))
    if scale < 1:  # warpAffine alone would skip pixels
        side = max(1, round(len(source) * scale))
        matrix[:, :2] *= len(source) / side
        source = cv2.resize(source, (side, side), interpolation=cv2.INTER_AREA)
        blend = cv2.resize(blend, (side, side), interpolation=cv2.INTER_AREA)
    grey = cv2.warpAffine(source, matrix, FRAME, flags=cv2.INTER_CUBIC).astype(np.float32)
    alpha = cv2.warpAffine(blend, matrix, FRAME, flags=cv2.INTER_LINEAR)[..., None]
    front = grey[..., None] * np.array(tint or (1, 1, 1), np.float32)
    back = cv2.resize(behind, FRAME, interpolation=cv2.INTER_AREA).astype(np.float32)
    if tint is None:
        back = np.repeat(back.mean(axis=2, keepdims=True), 3, axis=2)
    image = np.clip(back + (front - back) * alpha, 0, 255).astype(np.uint8)
    eyes = None
    if head.eyes is not None:
        (x, y), (other_x, other_y) = head.eyes
        eyes = (
            (x * scale + corner[0], y * scale + corner[1]),
            (other_x * scale + corner[0], other_y * scale + corner[1]),
        )
    return Scene(image, middle, width_px, eyes)


def _oval(side: int) -> NDArray[np.float32]:
    """What of a crop is the head, 0-1, falling off at its rim."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    inside = 1 - np.sqrt((x / 0.82) ** 2 + ((y - 0.03) / 0.88) ** 2)
    return np.asarray(np.clip(inside * 6 + 0.5, 0, 1), np.float32)


def _note(tally: Tally, scene: Scene, faces: Sequence[Face]) -> None:
    tally.heads += 1
    for face in faces:
        x, y = face.x_px + face.width_px / 2, face.y_px + face.height_px / 2
        near = math.dist((x, y), scene.middle) < 0.45 * scene.width_px
        if near and 0.4 < face.width_px / scene.width_px < 1.8:
            tally.found += 1
            if scene.eyes is not None:
                off = [
                    math.dist(*pair)
                    for pair in zip((face.right_eye, face.left_eye), scene.eyes, strict=True)
                ]
                tally.eyes_off.append(sum(off) / 2 / max(math.dist(*scene.eyes), 1e-6))
            return


def _cells(tallies: dict[str, Tally]) -> str:
    cells = []
    for way, tally in tallies.items():
        cells.append(f"{tally.found / max(tally.heads, 1):.1%}")
        if way in WAYS:
            cells.append(f"{median(tally.eyes_off):.0%}" if tally.eyes_off else "-")
    return " | ".join(cells)


def _print_pictures(pictures: Sequence[Picture], finders: dict[str, _Timed], seed: int) -> None:
    """Photographs with known boxes: found at first sight and soon; more faces than there can be."""
    kinds = Counter(picture.kind for picture in pictures if picture.boxes)
    print(f"\nPhotographs with known faces, held before a camera for {HELD} frames:\n")
    columns = " | ".join(f"{way}: at once | in time | too many" for way in WAYS)
    print(f"| kind | pictures | faces | {columns} |")
    print(f"|---|---|---|{'---|' * (3 * len(WAYS))}")
    for kind, count in kinds.items():
        shown = [picture for picture in pictures if picture.kind == kind]
        cells = []
        for way in WAYS:
            at_once = in_time = extra = 0
            for number, picture in enumerate(tqdm(shown, desc=f"{kind}, {way}", leave=False)):
                found: set[int] = set()
                random = np.random.default_rng([seed, number])
                for index, frame in enumerate(_held(picture.image, random)):
                    look = finders[way].next if index else finders[way].first
                    faces = look(frame)
                    found |= {
                        place
                        for place, box in enumerate(picture.boxes)
                        if any(covers(face, box) for face in faces)
                    }
                    if not index:
                        at_once += len(found)
                        extra += max(0, len(faces) - max(picture.most, len(picture.boxes)))
                in_time += len(found)
            cells.append(f"{at_once} | {in_time} | {extra}")
        boxes = sum(len(picture.boxes) for picture in shown)
        print(f"| {kind} | {count} | {boxes} | {' | '.join(cells)} |")


def _held(image: NDArray[np.uint8], random: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """The picture as the frames of a camera that is not quite still."""
    import cv2

    yield image
    height, width = image.shape[:2]
    for _ in range(HELD - 1):
        x, y = random.normal(0, 0.01 * max(height, width), 2)
        moved = cv2.warpAffine(
            image,
            np.array([[1.0, 0, x], [0, 1.0, y]]),
            (width, height),
            borderMode=cv2.BORDER_REPLICATE,
        )
        noisy = moved * random.uniform(0.85, 1.1) + random.normal(0, 3, moved.shape)
        yield np.clip(noisy, 0, 255).astype(np.uint8)


def covers(face: Face, box: tuple[float, float, float, float]) -> bool:
    """Whether *face* is the one in the *box* of x, y, width and height, all in pixels."""
    x, y, width, height = box
    middle = face.x_px + face.width_px / 2, face.y_px + face.height_px / 2
    near = math.dist(middle, (x + width / 2, y + height / 2)) < 0.5 * max(width, height)
    return near and 0.35 < face.width_px / width < 2.2


def _print_empty(empty: Sequence[Picture], finders: dict[str, _Timed], seed: int) -> None:
    """Pictures without a face: how often something is taken for one."""
    print(f"\nPictures without a face, {len(empty)}, each in {VIEWS} views:\n")
    print("| way | views with a face | of | 95 % | pictures |")
    print("|---|---|---|---|---|")
    for way in WAYS:
        wrong: list[str] = []
        for number, picture in enumerate(tqdm(empty, desc=way, leave=False)):
            random = np.random.default_rng([seed, number])
            wrong += [
                picture.name for view in _views(picture.image, random) if finders[way].first(view)
            ]
        views = len(empty) * VIEWS
        # Views of one picture are not independent.
        low, high = wilson(len(wrong) / VIEWS, len(empty))
        print(f"| {way} | {len(wrong)} | {views} | {low:.2%} to {high:.2%} | {len(set(wrong))} |")


def _views(image: NDArray[np.uint8], random: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """The picture, and others that a camera could have taken of the same."""
    yield image
    for _ in range(VIEWS - 1):
        part = part_of(image, random.uniform(0.4, 1), random)
        yield np.ascontiguousarray(part * random.uniform(0.5, 1), np.uint8)
