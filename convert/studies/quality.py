"""How far a face can be trusted that is dark, small, blurred, turned or covered, and what is shown then.

The quality of a reading is fitted here, and the device is tried on people that chose nothing.
What a reading is worth is a mixture: with a chance q the net's probabilities hold, else anything may be.
q is a logistic curve through what can be measured of the crop, of no negative weight, under which the
labels are likeliest.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.face.covers import COVERS, cover
from convert.face.data import load_face_data
from convert.face.evaluate import truth_of
from convert.face.extra import load_faces
from convert.metrics import wilson
from convert.studies.strangers import LARGE_PX, STILL_S, Device, frame_of, stills
from edge.config.paths import fetched_folder
from edge.config.schema import Settings
from edge.emotions import EMOTIONS
from edge.messages import Frame
from edge.perception.face_finder import FaceFinder
from edge.perception.face_net import FaceNet
from edge.perception.face_reader import FaceReader, let_judge
from edge.perception.framing import align
from edge.perception.manifest import load_manifest
from edge.perception.quality import BIAS, MEASURES, WEIGHTS, measures

PACKS: Final = ("faces_mined_fairface.npz", "faces_nc.npz")
"""Their labelled faces that are not held out decide with the held-out rows of FER2013."""
VIEWS: Final = 4
"""Of each face, each spoiled in another way."""
MOST: Final = 600
"""So many faces of a source at most."""
TRIED: Final = 60
"""So many faces of each source of strangers are held before the device."""
_CROP_PX: Final = LARGE_PX * 2 // 3
"""Side of what the net gets, in a frame."""

Image = NDArray[np.uint8]
Change = Callable[[Image, np.random.Generator], Image]


@dataclass(frozen=True, eq=False)
class Reads:
    """What is known of readings: measures [n, k], probabilities [n, 7], truth [n], source [n]."""

    measures: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    truth: NDArray[np.int64]
    source: NDArray[np.str_]


def fit_quality(data: Path, models: Path, seed: int = 1) -> None:
    """Print the weights under which the labels are likeliest, and how the device does with its own.

    Args:
        data: folder with `face` and `face_extra`.
        models: folder of the shipped models.
        seed: chooses faces and what is done to them.

    Raises:
        DataError: a pack is missing.
        ModelError: a model is.
    """
    reads = _reads(data, models, seed)
    print(
        f"{len(reads.truth):,} readings; log-likelihood of the label, each source kept out in turn:"
    )
    print("\n| source | readings | always trusted | never | as shipped | fitted on the others |")
    print("|---|---|---|---|---|---|")
    shipped = Curve(np.array(WEIGHTS), BIAS)
    for source in sorted(set(reads.source.tolist())):
        out = reads.source == source
        fitted = fit_curve(reads, ~out)
        cells = [
            f"{_likelihood(reads, out, trust):.3f}"
            for trust in (1.0, 0.0, shipped.of(reads.measures[out]), fitted.of(reads.measures[out]))
        ]
        print(f"| {source} | {int(out.sum()):,} | {' | '.join(cells)} |")
    curve = fit_curve(reads, np.ones(len(reads.truth), bool))
    weights = ", ".join(f"{weight:.2f}" for weight in curve.weights)
    print(f"\nFitted on all: WEIGHTS = ({weights}), BIAS = {curve.bias:.2f}")
    print(f"in the order of {', '.join(MEASURES)}; as shipped: {WEIGHTS}, {BIAS}.")
    _print_device(data, models, seed)


def darker(share: float) -> Change:
    """As if so much of the light were there, 0-1: with the noise of a sensor, and steps of 8 bits."""

    def change(frame: Image, random: np.random.Generator) -> Image:
        noise = random.normal(0, 2.0, frame.shape[:2])[..., None]
        return np.clip(np.rint(frame * share + noise), 0, 255).astype(np.uint8)

    return change


def blurred(sigma_px: float) -> Change:
    """Out of focus, in pixels of a head that is 190 wide."""

    def change(frame: Image, random: np.random.Generator) -> Image:
        import cv2

        return np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma_px), np.uint8)

    return change


def covered(kind: str) -> Change:
    """One of `COVERS` drawn on the face in the middle of the frame."""

    def change(frame: Image, random: np.random.Generator) -> Image:
        top, left = (frame.shape[0] - _CROP_PX) // 2, (frame.shape[1] - _CROP_PX) // 2
        out = frame.copy()
        part = out[top : top + _CROP_PX, left : left + _CROP_PX]
        part[:] = cover(part[..., 0], random, kind)[..., None]
        return out

    return change


def smaller(scale: float, degrees: float = 0.0) -> Change:
    """Further away, and the head turned in the plane."""

    def change(frame: Image, random: np.random.Generator) -> Image:
        import cv2

        height, width = frame.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA) if scale < 1 else frame
        middle = (size[0] / 2, size[1] / 2)
        matrix = np.asarray(cv2.getRotationMatrix2D(middle, degrees, 1.0), np.float64)
        matrix[:, 2] = matrix[:, 2] + ((width - size[0]) / 2, (height - size[1]) / 2)
        border: dict[str, Any] = {"borderMode": cv2.BORDER_REPLICATE}
        return np.asarray(cv2.warpAffine(small, matrix, (width, height), **border), np.uint8)

    return change


CONDITIONS: Final[dict[str, tuple[Change, ...]]] = {
    "as they are": (),
    "5 % of the light": (darker(0.05),),
    "15 % of the light": (darker(0.15),),
    "sunglasses": (covered("sunglasses"),),
    "mask": (covered("mask"),),
    "glasses": (covered("glasses"),),
    "24 px wide": (smaller(0.125),),
    "40 px wide": (smaller(0.21),),
    "out of focus": (blurred(8.0),),
    "turned by 30 degrees": (smaller(1.0, 30.0),),
}


def _spoiled(frame: Image, random: np.random.Generator) -> Image:
    """The frame as any camera, light and clothes might have it."""
    changes: list[Change] = []
    if random.random() < 0.3:
        changes.append(covered(str(random.choice(COVERS))))
    if random.random() < 0.3:
        changes.append(blurred(float(np.exp(random.uniform(0, np.log(14))))))
    if random.random() < 0.6:
        scale = float(np.exp(random.uniform(np.log(0.09), 0)))
        changes.append(smaller(scale, float(random.normal(0, 12))))
    if random.random() < 0.5:
        changes.append(darker(float(np.exp(random.uniform(np.log(0.02), 0)))))
    for change in changes:
        frame = change(frame, random)
    return frame


def _deciding(data: Path) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.int64]]]:
    """Source, crops of 96 and labels, 0-6."""
    fer = load_face_data(data / "face")
    rows = fer.held_out
    among = truth_of(fer, rows).among_seven
    rows, among = rows[among >= 0], among[among >= 0]
    # Framed as the net's input; a crop of 96 has a quarter of that around it.
    padded = np.pad(fer.pixels[rows], ((0, 0), (12, 12), (12, 12)), mode="edge")
    yield "FER2013 held out", padded, among
    for name in PACKS:
        pack = load_faces(data / "face_extra" / name)
        for source, rows in pack.deciding():
            yield source, pack.pixels[rows], pack.label[rows]


def _reads(data: Path, models: Path, seed: int) -> Reads:
    known, said, truth, sources = [], [], [], []
    with closing(FaceFinder(fetched_folder())) as finder:
        net = FaceNet(models, load_manifest(models).face)
        let_judge(net, finder)
        t_s = 0.0
        for source, crops, labels in _deciding(data):
            random = np.random.default_rng([seed, len(crops)])
            for row in tqdm(random.permutation(len(crops))[:MOST], desc=source, leave=False):
                for view in range(VIEWS):
                    t_s += 10.0
                    image = frame_of(crops[row])
                    frame = Frame(_spoiled(image, random) if view else image, t_s)
                    faces = finder.find(frame)
                    if not faces:
                        continue
                    face = max(faces, key=lambda each: each.width_px)
                    crop = align(frame, face, net.geometry)
                    known.append(measures(face, crop))
                    said.append(net.read(crop))
                    truth.append(int(labels[row]))
                    sources.append(source)
    return Reads(np.array(known), np.array(said), np.array(truth), np.array(sources))


@dataclass(frozen=True, eq=False)
class Curve:
    """The chance that readings hold: logistic in their measures, with weights [k] and a bias."""

    weights: NDArray[np.float64]
    bias: float

    def of(self, known: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of measures [n, k]: [n], 0-1."""
        return np.asarray(1 / (1 + np.exp(-(known @ self.weights + self.bias))), np.float64)


def _shares(reads: Reads, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of each reading, so that every emotion of every source counts alike, [n]."""
    shares = np.zeros(len(reads.truth))
    for source in set(reads.source[rows].tolist()):
        for label in set(reads.truth[rows & (reads.source == source)].tolist()):
            chosen = rows & (reads.source == source) & (reads.truth == label)
            shares[chosen] = 1 / chosen.sum()
    return shares / shares.sum()


def _likelihood(reads: Reads, rows: NDArray[np.bool_], trust: float | NDArray[np.float64]) -> float:
    """Mean log-likelihood of the labels of *rows* with so much *trust* in each reading, 0-1."""
    right = reads.probabilities[rows, reads.truth[rows]]
    mixed = np.log(trust * right + (1 - trust) / len(EMOTIONS))
    return float((_shares(reads, rows)[rows] * mixed).sum())


def fit_curve(reads: Reads, rows: NDArray[np.bool_]) -> Curve:
    """The curve under which the labels of *rows* are likeliest."""
    import torch

    known = torch.from_numpy(reads.measures[rows])
    right = torch.from_numpy(reads.probabilities[rows, reads.truth[rows]])
    shares = torch.from_numpy(_shares(reads, rows)[rows])
    raw = torch.zeros(known.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([raw, bias], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        weights = torch.nn.functional.softplus(raw)
        trust = torch.sigmoid(known @ weights + bias)
        value = -(shares * torch.log(trust * right + (1 - trust) / len(EMOTIONS))).sum()
        value = value + 1e-4 * (weights.square().sum() + bias.square().sum())
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    weights = torch.nn.functional.softplus(raw.detach()).numpy()
    return Curve(weights, float(bias.detach()))


def _print_device(data: Path, models: Path, seed: int) -> None:
    """What is shown of strangers' faces that are shown right as they are, under each condition."""
    manifest = load_manifest(models)
    faces: list[tuple[Image, int]] = []
    for _, crops, truth, _ in stills(data / "face_extra"):
        random = np.random.default_rng([seed, len(crops)])
        for row in random.permutation(len(crops))[:TRIED]:
            faces.append((crops[row], int(truth[row])))
    with closing(FaceFinder(fetched_folder())) as finder:
        device = Device(FaceReader(finder, models, manifest.face), Settings(), manifest)
        plain = [_shown(device, crop, (), 0) == EMOTIONS[truth] for crop, truth in _bar(faces)]
        kept = [face for face, right in zip(faces, plain, strict=True) if right]
        print(
            f"\n{len(kept)} of {len(faces)} faces of strangers are shown right after {STILL_S:g} s."
        )
        print("Of these, when they are seen otherwise:\n")
        print("| seen | right | another emotion | 95 % | unsure or nobody |")
        print("|---|---|---|---|---|")
        for name, changes in CONDITIONS.items():
            shown = [
                _shown(device, crop, changes, seed * len(kept) + number)
                for number, (crop, _) in enumerate(_bar(kept, name))
            ]
            right = sum(
                each == EMOTIONS[label] for each, (_, label) in zip(shown, kept, strict=True)
            )
            named = sum(one in EMOTIONS for one in shown)
            count = max(len(kept), 1)
            low, high = wilson(named - right, count)
            print(
                f"| {name} | {right / count:.1%} | {(named - right) / count:.1%} "
                f"| {low:.1%} to {high:.1%} | {(len(kept) - named) / count:.1%} |",
                flush=True,
            )


def _bar(
    faces: Sequence[tuple[Image, int]], name: str = "as they are"
) -> Iterator[tuple[Image, int]]:
    return iter(tqdm(faces, desc=name, leave=False))


def _shown(device: Device, crop: Image, changes: Sequence[Change], seed: int) -> str:
    """What the device shows in the end of a face that is held before it."""
    random = np.random.default_rng(seed)
    frame = frame_of(crop)
    for change in changes:
        frame = change(frame, random)
    return device.hold(frame)
