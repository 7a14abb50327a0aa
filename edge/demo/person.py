"""The portrait, brought to life: bent into expressions, with what a bend cannot show painted in."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.demo.cutout import KEPT_HEIGHT_PX, SIZE_PX, cut_out
from edge.demo.landmarks import CHEEK_SKIN, EXPRESSIONS, FOLDS, GROUPS, SOURCE, layout, open_mouth
from edge.demo.spline import Floats, backward_map

Layer = NDArray[np.float32]
Pixels = NDArray[np.uint8]

SCALE: Final = 2.0
"""The face is bent at this many times the size of the portrait, for fine edges."""
X0, Y0, X1, Y1 = 144, 54, 308, 194
"""The part of the portrait that is bent."""

_TEETH_SEEN_PX: Final = 2.2
_MOUTH_RGB: Final = (52, 16, 18)
_SEAM_RGB: Final = (104, 44, 42)
_LASH_RGB: Final = (58, 38, 30)
_BROW_RGB: Final = (84, 56, 38)
_SHADE_RGB: Final = (140, 88, 68)


@dataclass(frozen=True)
class Look:
    """What the face does."""

    weights: dict[str, float]
    """Share of each of `EXPRESSIONS`, sum 1."""
    eyes_closed: float = 0.0
    """0-1."""
    jaw_drop_px: float = 0.0
    """How far talking opens the mouth."""


def _in_patch(points: Floats) -> Floats:
    result: Floats = (points + 0.5 - (X0, Y0)) * SCALE - 0.5
    return result


def _blur(picture: Layer, sigma_px: float) -> Layer:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.float32)


def _soft_line(shape: tuple[int, int], points: Floats, width_px: float, blur_px: float) -> Layer:
    mask = np.zeros(shape, np.uint8)
    cv2.polylines(
        mask,
        [np.round(points * 16).astype(np.int32)],
        False,
        255,
        max(1, round(width_px)),
        cv2.LINE_AA,
        4,
    )
    return _blur(mask.astype(np.float32) / np.float32(255), blur_px)


def _soft_area(shape: tuple[int, int], points: Floats, blur_px: float) -> Layer:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return _blur(mask.astype(np.float32) / np.float32(255), blur_px)


def _paint(picture: Layer, color: tuple[float, ...], alpha: Layer) -> None:
    picture += (np.array(color, np.float32) - picture) * np.clip(alpha, 0, 1)[..., None]


class Person:
    """Draws the woman of the portrait in any mixture of expressions."""

    def __init__(self, portrait: NDArray[np.uint8]) -> None:
        """Cut her out and prepare her face.

        Args:
            portrait: shape [512, 512, 3], RGB; her features must lie where `landmarks` says.
        """
        alpha = cut_out(portrait)
        size = (round(SIZE_PX * SCALE), round(SIZE_PX * SCALE))
        whole = cv2.resize(portrait, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
        rows = round(KEPT_HEIGHT_PX * SCALE)
        soft = cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR)
        layered = np.dstack([whole, soft * 255])[:rows]
        self._layer: Pixels = np.clip(np.round(layered), 0, 255).astype(np.uint8)
        """Shape [rows, columns, 4], RGBA, 0-255."""
        self._at = tuple(round(v * SCALE) for v in (X0, Y0, X1, Y1))
        x0, y0, x1, y1 = self._at
        self._patch = self._layer[y0:y1, x0:x1, :3].astype(np.float32)
        self._height, self._width = self._patch.shape[:2]
        self._smooth = self._without_folds()
        self._source = _in_patch(SOURCE)
        self._layouts = {name: layout(e) for name, e in EXPRESSIONS.items()}
        edge = cv2.GaussianBlur(
            cv2.copyMakeBorder(
                np.ones((self._height - 48, self._width - 48), np.float32),
                24, 24, 24, 24, cv2.BORDER_CONSTANT, value=0,
            ), (0, 0), 9,
        )  # fmt: skip
        self._blend = np.clip((edge - 0.5) * 2, 0, 1)
        """0 at the rim of the patch, so that it joins the rest of her without a seam."""

    def _without_folds(self) -> Layer:
        """The face with evenly lit cheeks: without the folds and highlights of the smile.

        Takes out the middle scale of light and shade; the grain of the skin stays.
        """
        shape = (self._height, self._width)
        smooth: Layer = self._patch.copy()
        folds = _in_patch(np.array(FOLDS, dtype=np.float64)).reshape(2, 2, 2)
        for outline, (start, end) in zip(CHEEK_SKIN, folds, strict=True):
            points = _in_patch(np.array(outline, dtype=np.float64))
            skin = _soft_area(shape, points, 1.0 * SCALE)
            spread = _blur(skin, 9 * SCALE)[..., None] + np.float32(1e-3)
            even = _blur(self._patch * skin[..., None], 9 * SCALE) / spread
            inner = _soft_area(shape, points, 2.5 * SCALE)[..., None]
            smooth += (even - _blur(self._patch, 1.5 * SCALE)) * inner * np.float32(0.9)
            along = start + (end - start) * np.linspace(-0.2, 1.6, 5)[:, None]
            fold = _soft_line(shape, along, 2.5 * SCALE, 1.0 * SCALE)[..., None]
            smooth += (even - smooth) * np.clip(fold * np.float32(1.2), 0, 0.85)
        return smooth

    def draw(self, look: Look) -> Pixels:
        """Draw her with that look, `SCALE` times the portrait: shape [rows, columns, 4], RGBA."""
        points = np.zeros_like(SOURCE)
        for name, weight in look.weights.items():
            points += weight * self._layouts[name]
        points = open_mouth(points, look.jaw_drop_px)
        moved = _in_patch(points)
        mix = {
            key: sum(w * getattr(EXPRESSIONS[name], key) for name, w in look.weights.items())
            for key in ("smooth", "teeth", "brow_paint", "frown_paint")
        }
        base = self._patch + (self._smooth - self._patch) * np.float32(mix["smooth"])
        face = self._bend(base, moved, mix["teeth"])
        self._paint_brows(face, moved, mix["brow_paint"])
        self._paint_frown(face, moved, mix["frown_paint"])
        self._paint_lids(face, moved, look.eyes_closed)
        face = self._patch + (face - self._patch) * self._blend[..., None]
        layer: Pixels = self._layer.copy()
        x0, y0, x1, y1 = self._at
        layer[y0:y1, x0:x1, :3] = np.clip(np.round(face), 0, 255)
        return layer

    def _bend(self, base: Layer, moved: Floats, teeth_light: float) -> Layer:
        """Bend the face, what is above the mouth line and what is below it each for itself.

        The teeth go with the upper half. Where the mouth opens wider than that, it is dark.
        """
        lips = {name: moved[GROUPS[name]] for name in ("lip_upper", "lip_lower")}
        teeth = self._source[GROUPS["lip_lower"]].copy()  # where they end in the photograph
        moved_teeth = teeth + lips["lip_upper"] - self._source[GROUPS["lip_upper"]]
        maps, upper = self._half(base, moved, ("lip_lower", "lip_bottom"), teeth, moved_teeth)
        _, lower = self._half(base, moved, ("lip_top", "lip_upper"), teeth[:0], teeth[:0])

        shape = (self._height, self._width)
        corners = moved[GROUPS["corners"]]
        right, left = corners[:1], corners[1:]
        upper_edge = np.concatenate([right, lips["lip_upper"], left])
        lower_edge = np.concatenate([right, lips["lip_lower"], left])
        below_outline = np.concatenate(
            [[[-9, right[0, 1]]], lower_edge, [[self._width + 9, left[0, 1]]],
             [[self._width + 9, self._height + 9]], [[-9, self._height + 9]]]
        )  # fmt: skip
        below = _soft_area(shape, below_outline, 0.35 * SCALE)
        # Beyond the corners both halves agree nearly, and a wide transition hides what remains.
        broad = _blur(below, 3 * SCALE)
        columns = np.arange(self._width, dtype=np.float32)[None, :]
        outside = np.maximum(right[0, 0] - columns, columns - left[0, 0]) / (3 * SCALE)
        below += (broad - below) * np.clip(outside, 0, 1)

        inside = _soft_area(shape, np.concatenate([upper_edge, lower_edge[::-1]]), 0.4 * SCALE)
        gap = float((lower_edge - upper_edge)[1:-1, 1].max()) / SCALE
        teeth_end = np.interp(maps[0], teeth[:, 0], teeth[:, 1]).astype(np.float32)
        depth = np.clip((maps[1] - teeth_end - SCALE) / (1.2 * SCALE), 0, 1)
        # A mouth wider open than the smile (6 px) shows but the edge of the teeth below the lip.
        wide = np.float32(np.clip((gap - 6.5) / 4, 0, 1))
        rows = np.arange(self._height, dtype=np.float32)[:, None]
        lip = np.interp(columns[0], upper_edge[:, 0], upper_edge[:, 1]).astype(np.float32)
        behind = np.clip((rows - lip - _TEETH_SEEN_PX * SCALE) / (1.5 * SCALE), 0, 1)
        depth = np.maximum(depth, wide * behind)
        depth = np.maximum(depth, np.float32(1 - teeth_light))
        face: Layer = upper + (lower - upper) * below[..., None]
        mouth = upper.copy()
        _paint(mouth, _MOUTH_RGB, depth)
        face += (mouth - face) * (inside * np.float32(np.clip(gap, 0, 1)))[..., None]
        seam = _soft_line(shape, (upper_edge + lower_edge) / 2, 0.9 * SCALE, 0.4 * SCALE)
        _paint(face, _SEAM_RGB, seam * np.float32(0.8 * np.clip(1.6 - gap, 0, 1)))
        return face

    def _half(
        self,
        base: Layer,
        moved: Floats,
        without: tuple[str, ...],
        extra: Floats,
        moved_extra: Floats,
    ) -> tuple[tuple[Layer, Layer], Layer]:
        """Bend the face by all landmarks but some: the maps, and the picture."""
        keep = np.ones(len(SOURCE), bool)
        for name in without:
            keep[GROUPS[name]] = False
        source = np.concatenate([self._source[keep], extra])
        target = np.concatenate([moved[keep], moved_extra])
        maps = backward_map(source, target, self._width, self._height)
        picture = cv2.remap(base, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return maps, np.asarray(picture, np.float32)

    def _paint_lids(self, face: Layer, moved: Floats, closed: float) -> None:
        """Lower the upper lids over the eyes, in the colour of the skin above them."""
        if closed <= 0:
            return
        shape = (self._height, self._width)
        corners = moved[GROUPS["eye_corners"]]
        uppers = moved[GROUPS["upper_lids"]].reshape(2, 3, 2)
        lowers = moved[GROUPS["lower_lids"]].reshape(2, 3, 2)
        ends = (corners[[0, 1]], corners[[3, 2]])
        for upper, lower, (outer, inner) in zip(uppers, lowers, ends, strict=True):
            top = np.array([outer, *(upper - [0, 2.2 * SCALE]), inner])
            down = (lower - upper + [0, 0.6 * SCALE]) * closed
            edge = np.array([outer, *(upper + down), inner])
            x, y = np.round(upper[1] - [0, 3.6 * SCALE]).astype(int)
            skin = _blur(face, 1.2 * SCALE)[y, x]
            lid = _soft_area(shape, np.concatenate([top, edge[::-1]]), 0.7 * SCALE)
            _paint(face, tuple(skin), lid)
            _paint(face, _LASH_RGB, 0.7 * _soft_line(shape, edge, 0.9 * SCALE, 0.4 * SCALE))

    def _paint_brows(self, face: Layer, moved: Floats, strength: float) -> None:
        if strength <= 0:
            return
        shape = (self._height, self._width)
        for brow in moved[GROUPS["brows"]].reshape(2, 4, 2):
            line = _soft_line(shape, brow, 2.2 * SCALE, 0.7 * SCALE)
            _paint(face, _BROW_RGB, line * np.float32(0.55 * strength))

    def _paint_frown(self, face: Layer, moved: Floats, strength: float) -> None:
        """The lines between the brows, and the shadow of lowered brows on the eyes."""
        if strength <= 0:
            return
        shape = (self._height, self._width)
        brows = moved[GROUPS["brows"]].reshape(2, 4, 2)
        lids = moved[GROUPS["upper_lids"]].reshape(2, 3, 2)
        for brow, lid, side in zip(brows, lids, (1, -1), strict=True):
            top = brow[3] + np.array([side * 3.5, -4.0]) * SCALE
            line = np.array([top, top + np.array([side * 0.8, 7.0]) * SCALE])
            crease = _soft_line(shape, line, 1.2 * SCALE, 0.9 * SCALE)
            _paint(face, _SHADE_RGB, crease * np.float32(0.6 * strength))
            hollow = _soft_area(shape, np.concatenate([brow[1:], lid[::-1]]), 1.2 * SCALE)
            _paint(face, _SHADE_RGB, hollow * np.float32(0.5 * strength))
