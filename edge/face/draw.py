"""Draws a `Pose` as the face on a panel of any size: eyes, brows and mouth."""

import numpy as np
from PIL import Image

from edge.face.accessories import draw_icons, draw_marks
from edge.face.canvas import DARK, WHITE, Canvas, Ink, Mode, Points
from edge.face.layout import Layout, layout
from edge.face.pose import Brow, Eye, Mouth, Pose

_ACROSS = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 41))
"""Where outlines are computed, -1 the left and 1 the right end: densest at the steep ends."""
_CLOSED_EYE_PX = 4.8
"""Thickness of the line that is left of a closed eye."""
_GAZE_X_PX, _GAZE_Y_PX = 6.5, 6.0
"""How far the pupils travel at full gaze."""
_LOOK_X_PX, _LOOK_Y_PX = 2.5, 1.5
"""How far the whole eyes travel with them, which reads as a turn of the head."""
_TONGUE: Ink = (255, 110, 120)


def draw(pose: Pose, size: tuple[int, int] = (128, 64), mode: Mode = "1") -> Image.Image:
    """Draw *pose* for a panel.

    Args:
        pose: what to draw.
        size: width and height of the panel in pixels.
        mode: "1" for mono panels (crisp), "L" for grey ones, "RGB" for colour ones.

    Returns:
        A picture of *size* in *mode*, lit on black.
    """
    canvas = Canvas(size, mode)
    place = layout(size)
    ink = _face_ink(pose)
    shift_x, shift_y = pose.shift_x * place.unit, pose.shift_y * place.unit
    if mode == "1":  # by whole pixels, so that a breath moves edges and does not gnaw at them
        shift_x, shift_y = round(shift_x), round(shift_y)
    center_x, center_y = place.center_x + shift_x, place.center_y + shift_y

    gaze_x, gaze_y = np.clip(pose.gaze_x, -1, 1), np.clip(pose.gaze_y, -1, 1)
    eye_y = center_y + place.eye_dy + gaze_y * _LOOK_Y_PX * place.unit
    sides = ((-1, pose.left, pose.left_brow), (1, pose.right, pose.right_brow))
    for side, eye, brow in sides:
        eye_x = center_x + side * place.eye_dx + gaze_x * _LOOK_X_PX * place.unit
        if mode == "1":
            eye_x, eye_y = round(eye_x), round(eye_y)
        _draw_eye(canvas, eye, side, (eye_x, eye_y), (gaze_x, gaze_y), place, ink)
        _draw_brow(canvas, brow, side, (eye_x, eye_y), place, ink)
    mouth_x = center_x + gaze_x * 1.2 * place.mouth_unit
    mouth_y = center_y + place.mouth_dy + pose.mouth.drop * place.mouth_unit
    _draw_mouth(canvas, pose.mouth, (mouth_x, mouth_y), place.mouth_unit, ink)
    draw_marks(canvas, pose.extras, place, (shift_x, shift_y), ink)
    picture = canvas.finish()
    draw_icons(picture, pose.extras)
    return picture


def _between(xs: Points, top: Points, bottom: Points) -> Points:
    """The outline of the area between two curves over *xs*."""
    return np.concatenate([np.stack([xs, top], 1), np.stack([xs, bottom], 1)[::-1]])


def _face_ink(pose: Pose) -> Ink:
    """The face's colour, lightened: pure blue and red look dim on a small panel."""
    light = [0.78 * min(max(part, 0.0), 1.0) + 0.22 for part in (pose.red, pose.green, pose.blue)]
    return round(light[0] * 255), round(light[1] * 255), round(light[2] * 255)


def _draw_eye(
    canvas: Canvas,
    eye: Eye,
    side: int,
    center: tuple[float, float],
    gaze: tuple[float, float],
    place: Layout,
    ink: Ink,
) -> None:
    """Draw the eye on the viewer's left (*side* -1) or right (1)."""
    x, y = center
    unit = place.unit
    if eye.cross > 0.5:
        _draw_cross(canvas, x, y, eye.width * unit * (2 * eye.cross - 1), unit, ink)
        return
    size = 1 - 2 * max(eye.cross, 0)
    half_width = max(eye.width * unit * size / 2, 0)
    half_height = max(eye.height * unit * place.stretch * size / 2, 0)
    thin = _CLOSED_EYE_PX * unit / 2 * size
    half_open = max(half_height * min(max(eye.openness, 0.0), 1.15), thin)

    # The closed line is as fat as the squeezed eye at its middle and keeps round ends.
    profile = (1 - np.abs(_ACROSS) ** eye.roundness) ** (1 / eye.roundness)
    bow = eye.bow * unit * (0.5 - _ACROSS**2)
    top, bottom = bow - half_open * profile, bow + half_open * profile
    inward = -side * _ACROSS
    # Of a bowed eye the lid covers nothing before it comes down, or the arch would be cut flat.
    highest = min(-half_open, float(top.min()))
    lid = highest + 2 * half_open * eye.lid - inward * eye.lid_tilt * unit / 2
    cheek = half_open - 2 * half_open * eye.cheek + _ACROSS**2 * 5 * eye.cheek * unit
    floor = bow + thin * profile
    bottom = np.maximum(np.minimum(bottom, np.maximum(cheek, floor - half_open * eye.lid)), top)
    top = np.minimum(np.maximum(top, lid), bottom)
    xs = _ACROSS * half_width
    seen = bottom - top > 0.05  # a fully covered end would leave a hairline
    if seen.sum() > 1:
        outline = _between(xs[seen], top[seen], bottom[seen])
        canvas.fill(outline + np.array([x, y]), ink)
    _draw_pupil(canvas, eye, (x, y), gaze, place, (top, bottom))


def _draw_pupil(
    canvas: Canvas,
    eye: Eye,
    center: tuple[float, float],
    gaze: tuple[float, float],
    place: Layout,
    edges: tuple[Points, Points],
) -> None:
    """Draw the pupil where the eye looks; the lids hide it because they are as dark as it is."""
    unit = place.unit
    top, bottom = edges
    gap = float(np.max(bottom - top))
    width = eye.pupil * unit
    # A pupil in a nearly closed eye would cut it in two.
    if width < 2 or gap < 0.3 * eye.height * unit:
        return
    height = width * (1 + (place.stretch - 1) * 0.6)
    x = center[0] + gaze[0] * _GAZE_X_PX * unit
    y = center[1] + gaze[1] * _GAZE_Y_PX * unit
    if canvas.mode == "1":
        x, y = round(x), round(y)
    middle = len(_ACROSS) // 2
    y = min(
        max(y, center[1] + float(top[middle]) + height * 0.36),
        center[1] + float(bottom[middle]) - height * 0.36,
    )
    canvas.dot(x, y, width, height, DARK)
    shine = 0.36 * width * eye.shine
    shine_x, shine_y = x + 0.15 * width, y - 0.15 * height
    lid = center[1] + float(top[min(middle + 6, len(top) - 1)])
    if shine > 1.2 and shine_y - shine / 2 > lid:
        canvas.dot(shine_x, shine_y, shine, shine, WHITE)


def _draw_cross(canvas: Canvas, x: float, y: float, size: float, unit: float, ink: Ink) -> None:
    reach = size * 0.36
    for slope in (-1, 1):
        arm = np.array([[x - reach, y - slope * reach], [x + reach, y + slope * reach]])
        canvas.stroke(arm, 5 * unit, ink)


def _draw_brow(
    canvas: Canvas,
    brow: Brow,
    side: int,
    eye: tuple[float, float],
    place: Layout,
    ink: Ink,
) -> None:
    """Draw a brow with a dark rim, which keeps it apart from an eye that it touches."""
    unit = place.unit
    if brow.weight < 0.5:
        return
    xs = _ACROSS * brow.length / 2
    ys = brow.tilt * (side * _ACROSS) / 2 - brow.arch * (1 - _ACROSS**2)
    lift = brow.height * (1 + (place.stretch - 1) * 0.75)
    line = np.stack([xs, ys - lift], axis=1) * unit + eye
    # The panel's edge must not swallow a brow: what is too high is let down.
    line[:, 1] += max(brow.weight * unit / 2 + 0.5 - float(line[:, 1].min()), 0)
    canvas.stroke(line, (brow.weight + 4) * unit, DARK)
    canvas.stroke(line, brow.weight * unit, ink)


def _draw_mouth(
    canvas: Canvas, mouth: Mouth, center: tuple[float, float], unit: float, ink: Ink
) -> None:
    """Draw the lips as a line, or as a ring around what is in the open mouth."""
    if mouth.weight < 0.5:
        return
    half = mouth.width / 2
    line = mouth.curve * (0.5 - _ACROSS**2) + mouth.slant * _ACROSS / 2
    line = line + mouth.wave * np.sin(_ACROSS * np.pi * 2.5)
    xs = _ACROSS * half
    weight = mouth.weight * unit
    lowest = float(line.max()) + mouth.openness * (1 - mouth.rise) * 0.9 + mouth.weight / 2
    floor = canvas.size[1] - 0.5 - lowest * unit
    center = center[0], min(center[1], floor)  # a flat panel must not swallow the lower lip
    if mouth.openness < 1:
        lips = np.stack([xs, line], axis=1) * unit + center
        canvas.stroke(lips, weight, ink)
    else:
        # An O is an ellipse; a laughing bowl has a nearly flat upper lip.
        corners = 2 + 3 * min(max(mouth.teeth, 0.0), 1.0)
        swell = (1 - np.abs(_ACROSS) ** corners) ** (1 / corners)
        top = line - mouth.openness * mouth.rise * swell
        bottom = line + mouth.openness * (1 - mouth.rise) * swell
        canvas.fill(_between(xs, top, bottom) * unit + center, ink)
        for edge in (top, bottom):
            canvas.stroke(np.stack([xs, edge], 1) * unit + center, weight, ink)
        _draw_inside(canvas, mouth, (top, bottom), center, unit, ink)
    if mouth.blech > 0.05:
        _draw_blech(canvas, mouth, line, center, unit, ink)


def _draw_inside(
    canvas: Canvas,
    mouth: Mouth,
    edges: tuple[Points, Points],
    center: tuple[float, float],
    unit: float,
    ink: Ink,
) -> None:
    """Draw what an open mouth shows: darkness, teeth or the tongue."""
    top, bottom = edges
    margin = mouth.weight / 2
    half = max(mouth.width / 2 - margin, 0)
    inner_xs = half * _ACROSS
    inner_top = np.minimum(top + margin, bottom)
    inner_bottom = np.maximum(bottom - margin, inner_top)
    hole = _between(inner_xs, inner_top, inner_bottom) * unit + center
    canvas.fill(hole, DARK)
    if mouth.tongue > 0.05:
        # The tongue is the part of the hole under an arch.
        arch = inner_bottom.max() - mouth.tongue * (0.5 * mouth.openness - 7.0 * _ACROSS**2)
        ridge = np.minimum(np.maximum(inner_top, arch), inner_bottom)
        canvas.fill(_between(inner_xs, ridge, inner_bottom) * unit + center, _TONGUE)
    if mouth.teeth > 0.05:
        canvas.fill(hole, WHITE if canvas.mode == "RGB" else ink)
        middle = (inner_top + inner_bottom) / 2
        bite = np.stack([inner_xs, middle], 1) * unit + center
        canvas.stroke(bite, 1.6 * unit * mouth.teeth, DARK)
        for place in (-0.6, -0.2, 0.2, 0.6):
            ends = [np.interp(place, _ACROSS, part) for part in (inner_top, inner_bottom)]
            gap = np.array([[place * half, ends[0]], [place * half, ends[1]]]) * unit + center
            if canvas.mode == "1":  # one column of pixels each
                gap[:, 0] = np.floor(gap[:, 0]) + 0.5
            canvas.stroke(gap, 1.2 * unit * mouth.teeth, DARK)


def _draw_blech(
    canvas: Canvas,
    mouth: Mouth,
    line: Points,
    center: tuple[float, float],
    unit: float,
    ink: Ink,
) -> None:
    """Draw the tongue stuck out under the lip, with a dark rim that keeps it apart from it."""
    root_y = float(line[len(line) // 2]) + mouth.weight / 2 + 1.2
    width, length = 15.0, 12.0 * mouth.blech
    turn = np.linspace(0, np.pi, 19)
    round_end = np.stack([np.cos(turn), np.sin(turn)], 1) * (width / 2, min(width / 2, length))
    round_end[:, 1] += root_y + max(length - width / 2, 0)
    shape = np.concatenate([[[width / 2, root_y]], round_end, [[-width / 2, root_y]]])
    canvas.stroke(shape * unit + center, 2.6 * unit, DARK)
    canvas.fill(shape * unit + center, _TONGUE if canvas.mode == "RGB" else ink)
    if length > 8:
        crease = np.array([[0, root_y + 2.8], [0, root_y + length - 4.5]])
        canvas.stroke(crease * unit + center, 1.8 * unit, DARK)
