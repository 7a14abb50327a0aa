"""The drawn face: golden pictures, telling the expressions apart, any pose on any panel."""

import importlib.util
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edge.emotions import EMOTIONS
from edge.face.canvas import Mode
from edge.face.draw import draw
from edge.face.layout import layout
from edge.face.pose import POSES, SHOWN_COLORS, Brow, Extras, Eye, as_vector, from_vector, mix
from edge.messages import SHOWN

GOLDEN = Path(__file__).parents[3] / "golden"
TOLERANCE = 0.015
"""Share of pixels that may differ: the edges of shapes move a little between Pillow's versions."""


def rendered() -> dict[str, Image.Image]:
    spec = importlib.util.spec_from_file_location("golden_render", GOLDEN / "render.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pictures: Callable[[], dict[str, Image.Image]] = module.pictures
    return pictures()


PICTURES = rendered()


def lit(picture: Image.Image) -> NDArray[np.bool_]:
    return np.asarray(picture.convert("L")) >= 128


@pytest.mark.parametrize("name", PICTURES)
def test_looks_like_its_golden_picture(name: str) -> None:
    wanted = np.asarray(Image.open(GOLDEN / f"{name}.png").convert("RGB"), dtype=int)
    drawn = np.asarray(PICTURES[name].convert("RGB"), dtype=int)
    assert drawn.shape == wanted.shape
    differing = (np.abs(drawn - wanted).max(axis=-1) > 64).mean()
    assert differing <= TOLERANCE, f"{differing:.2%} differ; see tests/golden/render.py"


def test_every_golden_picture_is_still_drawn() -> None:
    assert {path.stem for path in GOLDEN.glob("*.png")} == set(PICTURES)


@pytest.mark.parametrize(("one", "other"), list(combinations(SHOWN, 2)))
def test_any_two_expressions_differ_plainly(one: str, other: str) -> None:
    first, second = lit(draw(POSES[one])), lit(draw(POSES[other]))
    union = (first | second).sum()
    assert (first ^ second).sum() / union > 0.3


@pytest.mark.parametrize("size", [(128, 64), (128, 32)])
def test_any_two_are_told_apart_from_two_metres(size: tuple[int, int]) -> None:
    """There, on a 0.96" panel, an eye's minute of arc is 3.4 pixels of 0.17 mm."""
    shown = [name for name in SHOWN if name not in ("starting", "fault")]
    blur = ImageFilter.GaussianBlur(3.4 / 2.355)  # from the width at half height
    seen = [draw(POSES[name], size, "1").convert("L").filter(blur) for name in shown]
    alike = np.corrcoef([np.asarray(picture, dtype=float).ravel() for picture in seen])
    for one, other in combinations(range(len(shown)), 2):
        assert alike[one, other] < 0.86, (shown[one], shown[other])


@pytest.mark.parametrize("size", [(128, 64), (128, 32), (64, 48), (96, 64)])
def test_neutral_does_not_smile_and_disgust_does_not_wink(size: tuple[int, int]) -> None:
    no_eye, no_brow = Eye(width=0, height=0, pupil=0), Brow(weight=0)
    mouth = replace(
        POSES["neutral"], left=no_eye, right=no_eye, left_brow=no_brow, right_brow=no_brow
    )
    rows, columns = np.nonzero(lit(draw(mouth, size)))
    middle = (columns.min() + columns.max()) / 2
    inner = np.abs(columns - middle) < np.ptp(columns) / 4
    assert rows[inner].mean() == pytest.approx(rows[~inner].mean(), abs=0.2)
    eyes = lit(draw(replace(POSES["disgust"], extras=Extras()), size))
    assert (eyes ^ eyes[:, ::-1]).sum() < 0.05 * eyes.sum()


@pytest.mark.parametrize("shown", EMOTIONS)
def test_half_strength_is_still_told_from_neutral(shown: str) -> None:
    if shown == "neutral":
        return
    weak = mix(POSES["neutral"], POSES[shown], 0.55)
    first, second = lit(draw(weak)), lit(draw(POSES["neutral"]))
    assert (first ^ second).sum() / (first | second).sum() > 0.2


@pytest.mark.parametrize("size", [(128, 64), (128, 32), (96, 64), (128, 128), (64, 128), (256, 64)])
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_fits_panels_of_every_shape(size: tuple[int, int], mode: Mode) -> None:
    for pose in POSES.values():
        picture = draw(pose, size, mode)
        assert picture.size == size
        assert picture.mode == mode
        bits = np.asarray(picture.convert("L")) > 60
        assert 0.005 < bits.mean() < 0.6
        # Nothing runs off the sides; a brow or a tear may touch the upper or lower edge.
        assert not bits[:, 0].any() and not bits[:, -1].any()


def test_mouth_lies_between_the_eyes_on_flat_panels() -> None:
    flat, usual = layout((128, 32)), layout((128, 64))
    assert flat.eye_dx > usual.eye_dx
    bits = lit(draw(replace(POSES["neutral"], extras=Extras()), (128, 32)))
    assert bits[:, 56:72].any() and not bits[:14, 56:72].any()


@pytest.mark.parametrize("shown", EMOTIONS)
def test_color_panels_show_the_emotions_color(shown: str) -> None:
    pixels = np.asarray(
        draw(replace(POSES[shown], extras=Extras()), (128, 128), "RGB"), dtype=float
    )
    bright = pixels[pixels.max(axis=2) > 100]
    median = np.median(bright, axis=0)
    wanted = np.array(SHOWN_COLORS[shown])
    assert np.argmax(median) == np.argmax(wanted)
    assert np.corrcoef(median, wanted)[0, 1] > 0.9


@pytest.mark.parametrize("name", ["camera_lost", "microphone_lost"])
@pytest.mark.parametrize("shown", ["happy", "nobody"])
def test_lost_senses_put_an_icon_into_their_corner(shown: str, name: str) -> None:
    pose = POSES[shown]
    with_icon = lit(draw(replace(pose, extras=replace(pose.extras, **{name: 1.0}))))
    changed = with_icon ^ lit(draw(pose))
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 25
    assert rows.min() >= 48
    assert columns.max() <= 18 if name == "camera_lost" else columns.min() >= 109


def test_gaze_moves_the_pupils_the_way_it_points() -> None:
    def darkness(x: float, y: float) -> tuple[float, float]:
        bits = lit(draw(replace(POSES["neutral"], gaze_x=x, gaze_y=y)))[16:44, 20:56]
        rows, columns = np.nonzero(~bits[4:-4, 4:-4])
        return float(columns.mean()), float(rows.mean())

    assert darkness(1, 0)[0] > darkness(0, 0)[0] + 1 > darkness(-1, 0)[0] + 2
    assert darkness(0, 1)[1] > darkness(0, 0)[1] > darkness(0, -1)[1]


def test_closed_eyes_leave_a_line() -> None:
    neutral = POSES["neutral"]
    shut = replace(
        neutral, left=replace(neutral.left, openness=0), right=replace(neutral.right, openness=0)
    )
    bits = lit(draw(shut))[14:44]
    assert 3 <= bits[:, 38].sum() <= 7
    assert bits[:, 30].any() and bits[:, 46].any()


def test_vectors_hold_the_whole_pose() -> None:
    for pose in POSES.values():
        assert from_vector(as_vector(pose)) == pose


@given(st.sampled_from(SHOWN), st.sampled_from(SHOWN), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_every_pose_between_two_can_be_drawn(one: str, other: str, share: float) -> None:
    picture = draw(mix(POSES[one], POSES[other], share))
    assert np.asarray(picture).any()


@given(st.integers(0, 2**31), st.sampled_from([(128, 64), (128, 32), (96, 64)]))
@settings(max_examples=40, deadline=None)
def test_overshooting_springs_never_break_the_drawing(seed: int, size: tuple[int, int]) -> None:
    vectors = np.stack([as_vector(pose) for pose in POSES.values()])
    low, high = vectors.min(axis=0), vectors.max(axis=0)
    margin = 0.15 * (high - low)
    wild = np.random.default_rng(seed).uniform(low - margin, high + margin)
    assert draw(from_vector(wild), size, "RGB").size == size


def test_every_accessory_is_drawn() -> None:
    plain = replace(POSES["neutral"], extras=Extras())
    before = lit(draw(plain))
    for item in fields(Extras):
        if item.name != "phase":
            extras = Extras(**{item.name: 1.0}, phase=0.3)
            assert (lit(draw(replace(plain, extras=extras))) ^ before).sum() > 8, item.name
