"""Where the features of the portrait lie, placed by hand, and where each expression moves them.

All positions are (x, y) in pixels of the 512 x 512 portrait. "Right" and "left" are her own.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOUTH_CENTER_X: Final = 223.7
RIGHT_CORNER: Final = (202.4, 140.3)
LEFT_CORNER: Final = (245.1, 141.3)
LIP_TOP: Final = ((210, 139.6), (216.7, 140.1), (223.3, 141), (230, 140.3), (236.7, 140.0))
LIP_UPPER: Final = (  # lower edge of the upper lip
    (206, 141.1), (210, 142.4), (216.7, 143.7), (223.3, 144.3), (230, 143.7), (236.7, 142.7),
    (242, 141.3),
)  # fmt: skip
LIP_LOWER: Final = (  # upper edge of the lower lip
    (207.3, 144.7), (212.7, 148), (218, 149.6), (223.3, 150.1), (228.7, 149.6), (234, 147.6),
    (239.3, 144.4),
)  # fmt: skip
LIP_BOTTOM: Final = ((210, 150), (216, 154), (222.7, 156), (229.3, 154.7), (235.8, 151.3))

RIGHT_BROW: Final = ((190, 91.1), (198.7, 87.7), (205.3, 88.9), (214, 92.9))  # outer to inner
LEFT_BROW: Final = ((263.3, 95.7), (255.3, 92), (247.3, 92.4), (238.7, 93.7))
RIGHT_UPPER_LID: Final = ((198, 97.7), (203.3, 97.1), (208.7, 98.7))
LEFT_UPPER_LID: Final = ((252.7, 100.7), (247.1, 100.1), (242, 100.9))
RIGHT_LOWER_LID: Final = ((197.3, 103.3), (203.3, 104.7), (208.7, 104.9))
LEFT_LOWER_LID: Final = ((252.7, 106), (247.3, 106.9), (242, 106))
EYE_CORNERS: Final = ((193.7, 100.9), (214, 104.3), (236.9, 105.3), (257.7, 103.6))
FRINGE: Final = (
    (186, 78), (196.7, 80), (207, 79), (223, 81), (236.7, 82.7), (250, 86), (264.7, 89.3),
)  # fmt: skip
FOREHEAD: Final = ((193, 83.5), (204, 83), (214, 85), (225, 87.5), (237, 87.5))
NOSE: Final = ((225, 104), (224.5, 113), (223, 131.5))
WINGS: Final = ((211, 128), (236.5, 130))
CHEEKS: Final = ((191, 118), (256, 121))
FOLDS: Final = ((204, 130), (197.5, 136), (243.5, 131), (250.5, 138))
JAW: Final = (
    (190.3, 155.7),
    (200.8, 166.8),
    (212, 174.3),
    (222, 176.5),
    (233, 174),
    (247.9, 164.8),
    (257, 156),
)
CHEEK_SKIN: Final = (
    ((186, 110), (200, 109), (208, 118), (207, 128), (206, 136), (201, 141), (204, 150), (197, 155),
     (189, 147), (185, 130)),
    ((264, 113), (250, 112), (241, 120), (241, 129), (242, 136), (247, 141), (246, 151), (253, 157),
     (261, 148), (266, 131)),
)  # fmt: skip
"""Outlines of the cheeks, which hold nothing but skin."""
SIDES: Final = (
    (181, 92), (180, 120), (182.5, 141), (270, 95), (271, 118), (267, 139),
    (186, 170), (222, 188), (252, 178), (160, 70), (200, 60), (245, 60), (285, 80), (160, 110),
    (290, 115), (262, 167), (271, 178), (181, 158), (176, 170), (196, 186), (244, 190),
)  # fmt: skip
"""Ears, hair, neck: they stay where they are."""


@dataclass(frozen=True)
class Mouth:
    """Shape of a mouth other than the photographed smile; heights are portrait y."""

    half_width: float
    corner_y: float
    top_y: float
    upper_y: float
    lower_y: float
    bottom_y: float
    power: float = 2.0
    """2: lips like parabolas; more: flat in the middle, as in a square mouth."""


@dataclass(frozen=True)
class Expression:
    """How far the features go from the photograph; x and y in portrait pixels, y down."""

    mouth: Mouth | None = None
    """None: the photographed smile."""
    brow_outer_dy: float = 0.0
    brow_middle_dy: float = 0.0
    brow_inner_dy: float = 0.0
    brow_inner_dx: float = 0.0
    """Towards the nose."""
    upper_lid_dy: float = 0.0
    lower_lid_dy: float = 0.0
    chin_dy: float = 0.0
    cheek_dy: float = 0.0
    nose_dx: float = 0.0
    """Of the wings of the nose, which a smile widens, towards its middle."""
    fold_dx: float = 0.0
    """Of the lower ends of the folds beside the mouth, towards the nose."""
    fold_dy: float = 0.0
    smooth: float = 0.0
    """How much the light and shade that a smile puts on the cheeks are smoothed away, 0-1."""
    brow_paint: float = 0.0
    """How much the pale brows are darkened, 0-1."""
    teeth: float = 0.4
    """How light the teeth are where the mouth opens, 0-1."""
    frown_paint: float = 0.0
    """Depth of the lines between the brows, 0-1."""


_SERIOUS = Expression(cheek_dy=2.0, fold_dx=3.5, fold_dy=3.0, nose_dx=1.8, smooth=1.0)

EXPRESSIONS: Final[dict[str, Expression]] = {
    "happy": Expression(teeth=1.0),
    "neutral": replace(
        _SERIOUS,
        mouth=Mouth(14.5, 148.6, 143.2, 147.2, 147.2, 153.4),
        brow_middle_dy=1.0,
        brow_inner_dy=0.5,
        upper_lid_dy=0.9,
        lower_lid_dy=0.6,
        chin_dy=-1.0,
    ),
    "surprise": replace(
        _SERIOUS,
        mouth=Mouth(12.0, 150.5, 140.0, 144.0, 158.0, 164.0, power=2.4),
        brow_outer_dy=-4.0,
        brow_middle_dy=-5.5,
        brow_inner_dy=-5.0,
        upper_lid_dy=-2.1,
        lower_lid_dy=0.8,
        chin_dy=7.0,
        brow_paint=0.5,
        fold_dx=5.0,
    ),
    "sad": replace(
        _SERIOUS,
        mouth=Mouth(15.0, 154.5, 143.8, 147.0, 147.0, 152.6),
        brow_outer_dy=2.5,
        brow_inner_dy=-6.5,
        brow_inner_dx=3.0,
        upper_lid_dy=3.6,
        lower_lid_dy=-0.4,
        chin_dy=-2.5,
        brow_paint=0.8,
        frown_paint=0.4,
    ),
    "angry": replace(
        _SERIOUS,
        mouth=Mouth(16.0, 153.0, 142.8, 146.3, 146.5, 154.5, power=3.0),
        brow_outer_dy=-0.5,
        brow_middle_dy=4.2,
        brow_inner_dy=7.5,
        brow_inner_dx=3.5,
        upper_lid_dy=-1.0,
        lower_lid_dy=-1.6,
        chin_dy=-1.2,
        nose_dx=-1.0,
        teeth=0.75,
        brow_paint=1.0,
        frown_paint=1.0,
    ),
}

_SOURCE_GROUPS: Final = {
    "corners": (RIGHT_CORNER, LEFT_CORNER),
    "lip_top": LIP_TOP,
    "lip_upper": LIP_UPPER,
    "lip_lower": LIP_LOWER,
    "lip_bottom": LIP_BOTTOM,
    "brows": RIGHT_BROW + LEFT_BROW,
    "upper_lids": RIGHT_UPPER_LID + LEFT_UPPER_LID,
    "lower_lids": RIGHT_LOWER_LID + LEFT_LOWER_LID,
    "eye_corners": EYE_CORNERS,
    "fringe": FRINGE,
    "forehead": FOREHEAD,
    "nose": NOSE,
    "wings": WINGS,
    "cheeks": CHEEKS,
    "folds": FOLDS,
    "jaw": JAW,
    "sides": SIDES,
}


def _number_groups() -> dict[str, slice]:
    slices, start = {}, 0
    for name, points in _SOURCE_GROUPS.items():
        slices[name] = slice(start, start + len(points))
        start += len(points)
    return slices


GROUPS: Final = _number_groups()
"""Which rows of a layout are which features."""

SOURCE: Final[Floats] = np.array(
    [point for points in _SOURCE_GROUPS.values() for point in points], dtype=np.float64
)
"""The layout of the photograph, shape [n, 2]."""

_JAW_SHARE: Final = np.array([0.25, 0.7, 0.95, 1.0, 0.95, 0.7, 0.25])
"""How much of the chin's way each point of the jaw goes with it."""


def _lip(points: Floats, middle_y: float, mouth: Mouth) -> Floats:
    half = (LEFT_CORNER[0] - RIGHT_CORNER[0]) / 2
    u = (points[:, 0] - MOUTH_CENTER_X) / half
    y = middle_y + (mouth.corner_y - middle_y) * np.abs(u) ** mouth.power
    moved: Floats = np.column_stack([MOUTH_CENTER_X + u * mouth.half_width, y])
    return moved


def layout(expression: Expression) -> Floats:
    """Where the landmarks lie in that expression: shape [n, 2], rows as in `GROUPS`."""
    e = expression
    points: Floats = SOURCE.copy()
    if e.mouth is not None:
        m = e.mouth
        points[GROUPS["corners"]] = [
            (MOUTH_CENTER_X - m.half_width, m.corner_y),
            (MOUTH_CENTER_X + m.half_width, m.corner_y),
        ]
        for name, middle_y in (
            ("lip_top", m.top_y),
            ("lip_upper", m.upper_y),
            ("lip_lower", m.lower_y),
            ("lip_bottom", m.bottom_y),
        ):
            points[GROUPS[name]] = _lip(SOURCE[GROUPS[name]], middle_y, m)
    towards_nose = np.repeat([1.0, -1.0], 4)
    points[GROUPS["brows"], 0] += towards_nose * np.tile([0.0, 0.2, 0.5, 1.0], 2) * e.brow_inner_dx
    between = (e.brow_middle_dy + e.brow_inner_dy) / 2
    heights = [e.brow_outer_dy, e.brow_middle_dy, between, e.brow_inner_dy]
    points[GROUPS["brows"], 1] += np.tile(heights, 2)
    points[GROUPS["upper_lids"], 1] += np.tile([0.8, 1.0, 0.9], 2) * e.upper_lid_dy
    points[GROUPS["lower_lids"], 1] += e.lower_lid_dy
    # The fringe gives way to raised brows, so that they do not slip under it.
    points[GROUPS["fringe"], 1] += 0.5 * min(e.brow_middle_dy, 0.0)
    points[GROUPS["forehead"], 1] += 0.6 * min(e.brow_middle_dy, e.brow_inner_dy, 0.0)
    points[GROUPS["cheeks"], 1] += e.cheek_dy
    points[GROUPS["wings"], 0] += np.array([1.0, -1.0]) * e.nose_dx
    part = np.array([0.4, 1.0, 0.4, 1.0])
    points[GROUPS["folds"], 0] += np.repeat([1.0, -1.0], 2) * part * e.fold_dx
    points[GROUPS["folds"], 1] += part * e.fold_dy
    points[GROUPS["jaw"], 1] += _JAW_SHARE * e.chin_dy
    return points


def open_mouth(points: Floats, drop_px: float) -> Floats:
    """The layout with the lower jaw *drop_px* further down, as in talking."""
    moved: Floats = points.copy()
    for name in ("lip_lower", "lip_bottom"):
        x = points[GROUPS[name], 0]
        half = abs(points[GROUPS["corners"]][1, 0] - MOUTH_CENTER_X)
        moved[GROUPS[name], 1] += drop_px * (
            1 - np.minimum(np.abs(x - MOUTH_CENTER_X) / half, 1) ** 2
        )
    moved[GROUPS["jaw"], 1] += _JAW_SHARE * drop_px
    return moved
