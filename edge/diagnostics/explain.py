"""Shows what the face net reads in a photograph, and where in it: `mien explain`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from edge.emotions import COLORS, EMOTIONS
from edge.errors import OutputError, SensorError
from edge.messages import Frame
from edge.perception.face_net import FaceNet
from edge.perception.face_reader import Finder
from edge.perception.framing import align, fit_similarity
from edge.process.written_files import written_whole

_ZOOM: Final = 8
"""Pixels of the sheet for one of the crop."""
_MARGIN, _BARS, _ROW = 24, 300, 44
_PAPER, _INK, _PALE = (250, 250, 248), (32, 34, 38), (226, 227, 224)


@dataclass(frozen=True, eq=False)
class Explanation:
    """One face, what it seems to feel, and where that was seen."""

    face: Image.Image
    """The face as the net has it, but larger and in colour."""
    probabilities: NDArray[np.float64]
    """Shape [7]."""
    emotion: str
    """The one that the map is about."""
    where: NDArray[np.float64]
    """[h, w] over the crop: above 0 where the net saw the emotion, below where it saw others."""


def explain(frame: Frame, finder: Finder, net: FaceNet, emotion: str | None) -> Explanation:
    """Read the largest face in *frame*; the map is about *emotion*, else about the likeliest.

    Raises:
        SensorError: there is no face.
        ModelError: the model gives no feature map.
    """
    faces = finder.find(frame)
    if not faces:
        raise SensorError(
            "No face was found in the picture; use one in which a face is at least 40 pixels and a "
            "hundredth of the picture wide, upright and in the light."
        )
    face = max(faces, key=lambda each: each.width_px)
    crop = align(frame, face, net.geometry)
    probabilities = net.read(crop)
    chosen = emotion or EMOTIONS[int(probabilities.argmax())]
    where = net.explain(crop, chosen)
    eyes_and_mouth = np.array([face.right_eye, face.left_eye, face.mouth])
    geometry = net.geometry
    target = np.array([geometry.right_eye, geometry.left_eye, geometry.mouth]) * _ZOOM
    size = (geometry.width_px * _ZOOM, geometry.height_px * _ZOOM)
    return Explanation(
        _cut_out(frame.image, fit_similarity(eyes_and_mouth, target), size),
        probabilities,
        chosen,
        where,
    )


def draw_explanation(what: Explanation) -> Image.Image:
    """Face with the map over it, and the seven probabilities as bars."""
    height = what.face.height + 2 * _MARGIN + 28
    sheet = Image.new("RGB", (what.face.width + _BARS + 3 * _MARGIN, height), _PAPER)
    sheet.paste(_heat(what), (_MARGIN, _MARGIN))
    pen = ImageDraw.Draw(sheet)
    text, small = ImageFont.load_default(18), ImageFont.load_default(15)
    pen.text(
        (_MARGIN, _MARGIN + what.face.height + 8),
        f"bright: what speaks for {what.emotion}",
        _INK,
        small,
    )
    left = what.face.width + 2 * _MARGIN
    for place, index in enumerate(np.argsort(-what.probabilities)):
        name, share = EMOTIONS[index], float(what.probabilities[index])
        top = _MARGIN + place * _ROW
        pen.text((left, top), name, _INK, text)
        pen.text((left + _BARS, top), f"{share:.0%}", _INK, text, anchor="ra")
        bar = (left, top + 24, left + _BARS, top + 32)
        pen.rounded_rectangle(bar, 4, _PALE)
        if share * _BARS >= 8:
            pen.rounded_rectangle((*bar[:2], left + share * _BARS, bar[3]), 4, COLORS[name])
    return sheet


def save_explanation(what: Explanation, out: Path) -> None:
    """Write the sheet to *out*.

    Raises:
        OutputError: it cannot be written, or its name has no ending of a picture.
    """
    form = Image.registered_extensions().get(out.suffix.lower())
    if form not in Image.SAVE:
        raise OutputError(f"{out} has no ending of a picture; call it .png.")
    try:
        with written_whole(out) as file:
            draw_explanation(what).save(file, format=form)
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written ({error.strerror or error}); use --out."
        ) from error


def _cut_out(
    image: NDArray[np.uint8], transform: NDArray[np.float64], size: tuple[int, int]
) -> Image.Image:
    import cv2

    cut: Any = cv2.warpAffine(
        image, transform, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return Image.fromarray(cut)


def _heat(what: Explanation) -> Image.Image:
    """The face, grey and dark where nothing speaks for the emotion, lit in its colour where it does."""
    strongest = max(float(what.where.max()), 1e-9)
    lit = np.clip(what.where / strongest, 0, 1)
    small = Image.fromarray((lit * 255).astype(np.uint8))
    glow = np.asarray(small.resize(what.face.size, Image.Resampling.BICUBIC), np.float64)[..., None]
    glow /= 255
    grey = np.asarray(ImageOps.autocontrast(what.face.convert("L")), np.float64)[..., None] / 255
    color = np.array(COLORS[what.emotion], np.float64) / 255
    tinted = grey * (0.35 + 0.65 * glow) * (1 - 0.55 * glow) + color * glow * (0.2 + 0.45 * grey)
    return Image.fromarray((np.clip(tinted, 0, 1) * 255).astype(np.uint8))
