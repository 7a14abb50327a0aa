"""Faces found by LiteRT against the same nets run by MediaPipe itself, in one process."""

import importlib.util
import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache
from itertools import product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.config.paths import MODELS, REPO_ROOT, fetched_folder
from edge.demo.command import read_portrait
from edge.demo.picture import Pictures
from edge.errors import ModelError
from edge.messages import Face, Frame
from edge.perception import face_finder
from edge.perception.detector_files import DETECTOR_FILES
from edge.perception.face_finder import FaceFinder
from edge.perception.framing import align
from edge.perception.manifest import load_manifest
from edge.perception.mediapipe_tasks import check_processor

Picture = NDArray[np.uint8]

PORTRAIT = REPO_ROOT / "var" / "astronaut.png"
POINTS = ("right_eye", "left_eye", "nose", "mouth", "right_ear", "left_ear")
SIDES = ("x_px", "y_px", "width_px", "height_px")
GREY = (96, 96, 96)
SEARCHED_PX = 320


def unfit() -> None:
    raise ModelError("made to seem too old")


def obstacle() -> str:
    if importlib.util.find_spec("mediapipe") is None:
        return "mediapipe is not installed"
    if not PORTRAIT.is_file() or not all(
        (fetched_folder() / file.name).is_file() for file in DETECTOR_FILES.values()
    ):
        return "the portrait and MediaPipe's models are fetched by ./setup.sh test"
    try:
        check_processor()
    except ModelError:
        return "there is nothing to compare with: MediaPipe does not run on this processor"
    return ""


pytestmark = pytest.mark.skipif(bool(obstacle()), reason=obstacle())


@cache
def portrait() -> Picture:
    return read_portrait(PORTRAIT)


def seen(
    scale: float,
    degrees: float = 0,
    at: tuple[int, int] = (320, 240),
    size: tuple[int, int] = (640, 480),
) -> Picture:
    """The portrait's face at a place in a grey picture, scaled and turned; 75 px wide at scale 1."""
    turn = np.asarray(cv2.getRotationMatrix2D((225, 120), degrees, scale), np.float64)
    turn[:, 2] += np.subtract(at, (225, 120))
    return np.asarray(
        cv2.warpAffine(portrait(), turn, size, flags=cv2.INTER_AREA, borderValue=GREY), np.uint8
    )


def two() -> Picture:
    halves = [seen(1.1, 0, (160, 240), (320, 480)), seen(0.8, 10, (160, 200), (320, 480))]
    return np.hstack(halves)


def pictures(kind: str) -> list[Picture]:
    if kind == "sizes":
        return [seen(scale) for scale in (0.45, 0.6, 0.8, 1.0, 1.4, 2.0, 2.8)]
    if kind == "turned":
        return [seen(scale, degrees) for scale, degrees in product((0.7, 1.6), (-20, -8, 12, 20))]
    if kind == "places":
        places = ((150, 130), (500, 130), (150, 360), (500, 360), (30, 240), (620, 470))
        return [seen(1.1, 5, place) for place in places]
    if kind == "dark":
        return [(seen(scale) * 0.15).astype(np.uint8) for scale in (0.8, 1.5)]
    if kind == "other frames":
        sizes = ((480, 640), (320, 240), (240, 320), (1280, 720), (500, 500))
        return [seen(1.2, 0, (size[0] // 2, size[1] // 2), size) for size in sizes]
    if kind == "demo":
        drawn = Pictures(portrait())
        return [drawn.at(t_s, 0.4) for t_s in (2.0, 5.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0)]
    if kind == "two":
        return [two()]
    if kind == "photograph":
        return [portrait()]
    assert kind == "nobody"
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    # Her suit, without the face, and a wall.
    return [noise, np.full((480, 640, 3), 120, np.uint8), portrait()[230:, :].copy()]


FACES = {"two": 2, "nobody": 0, "photograph": 1, "sizes": 5, "turned": 5, "demo": 6}
"""At least, over all pictures of a kind, so that nothing is compared with nothing."""


def find_both(
    reach: str, frames: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Frame, list[Face], list[Face]]]:
    by_mediapipe = FaceFinder(fetched_folder(), reach, search_width_px=SEARCHED_PX)
    with monkeypatch.context() as here:
        here.setattr(face_finder, "check_processor", unfit)
        by_litert = FaceFinder(fetched_folder(), reach, search_width_px=SEARCHED_PX)
    assert (by_mediapipe.runtime, by_litert.runtime) == ("MediaPipe", "LiteRT")
    with closing(by_mediapipe), closing(by_litert):
        for number, image in enumerate(frames):
            frame = Frame(np.ascontiguousarray(image), float(number))
            yield frame, by_mediapipe.find(frame), by_litert.find(frame)


def share(one: Face, other: Face) -> float:
    """Intersection over union."""
    right = min(one.x_px + one.width_px, other.x_px + other.width_px)
    bottom = min(one.y_px + one.height_px, other.y_px + other.height_px)
    both = max(0, right - max(one.x_px, other.x_px)) * max(0, bottom - max(one.y_px, other.y_px))
    return both / (one.width_px * one.height_px + other.width_px * other.height_px - both)


def cut(face: Face, searched: float) -> Face:
    """*face* with its box as MediaPipe tells it: whole pixels of what is searched, none below 0."""

    def whole(value: float) -> float:
        return int(value / searched) * searched

    return replace(
        face,
        x_px=max(0.0, whole(face.x_px)),
        y_px=max(0.0, whole(face.y_px)),
        width_px=whole(face.width_px),
        height_px=whole(face.height_px),
    )


@pytest.mark.parametrize("reach", ["short", "full"])
@pytest.mark.parametrize(
    "kind",
    ["sizes", "turned", "places", "dark", "other frames", "demo", "two", "photograph", "nobody"],
)
def test_the_same_faces_are_found_as_by_mediapipe(
    reach: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0
    for frame, wanted, found in find_both(reach, pictures(kind), monkeypatch):
        assert len(found) == len(wanted)
        searched = max(1.0, frame.image.shape[1] / SEARCHED_PX)
        for face in wanted:
            same = cut(max(found, key=lambda each: share(face, each)), searched)
            for side in SIDES:
                assert abs(getattr(face, side) - getattr(same, side)) < 1.01 * searched
            if face.width_px > 30 * searched:
                assert share(face, same) >= 0.9
            for name in POINTS:
                apart_px = math.dist(getattr(face, name), getattr(same, name))
                assert apart_px < 0.03 * face.width_px, name
            assert abs(face.score - same.score) < 0.02
            count += 1
    assert count >= FACES.get(kind, 1)
    assert count == 0 or kind != "nobody"


@pytest.mark.parametrize("reach", ["short", "full"])
def test_the_face_net_is_given_the_same_crop(reach: str, monkeypatch: pytest.MonkeyPatch) -> None:
    geometry = load_manifest(MODELS).face.geometry
    assert geometry is not None
    crops = 0
    for frame, wanted, found in find_both(reach, pictures("turned"), monkeypatch):
        for one, other in zip(wanted, found, strict=True):
            apart = align(frame, one, geometry).astype(int) - align(frame, other, geometry)
            assert np.abs(apart).mean() < 3
            crops += 1
    assert crops >= FACES["turned"]
