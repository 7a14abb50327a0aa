"""Renders the pictures of the documentation: sheets of the faces and an animated tour.

python -m edge.face.gallery --out docs/pictures/faces.png --gif docs/pictures/tour.gif
python -m edge.face.gallery --blind docs/pictures/nine.png
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from edge.emotions import EMOTIONS
from edge.errors import MienError, OutputError
from edge.face.animation import Animator
from edge.face.draw import draw
from edge.face.gif import save_gif
from edge.face.pose import POSES, SHOWN_COLORS, Pose
from edge.messages import Mood
from edge.process.printable import printable
from edge.process.written_files import written_whole

_BACKGROUND: Final = (13, 15, 20)
_GLASS: Final = (3, 4, 7)
_BEZEL: Final = (28, 31, 39)
_LIT: Final = (222, 245, 255)
"""The bluish white of an SSD1306 panel."""
_GAP: Final = 0.18
"""Part of a pixel's pitch that stays dark."""
_NAMES: Final = {"nobody": "nobody there"}

_SHEET: Final = ("happy", "surprise", "neutral", "sad", "angry", "fear", "disgust", "unsure",
                 "nobody")  # fmt: skip
_BLIND: Final = ("sad", "unsure", "surprise", "disgust", "neutral", "nobody", "fear", "happy",
                 "angry")  # fmt: skip
"""The order without names: that of no list, so that a place on the sheet tells nothing."""
_PHASE: Final = 0.45
"""Where the moving accessories stand still on the sheet."""
_TOUR: Final = (("nobody", 1.5), ("neutral", 1.0), ("happy", 1.7), ("surprise", 1.3),
                ("sad", 1.6), ("angry", 1.2), ("fear", 1.1), ("disgust", 1.4), ("unsure", 1.3),
                ("nobody", 1.2))  # fmt: skip
"""What the tour shows, and for how many seconds."""
_TOUR_FPS: Final = 12


def panel(face: Image.Image, pitch: int, *, glow: bool = True) -> Image.Image:
    """The mono picture *face* as a photograph of a glowing panel would show it.

    Args:
        face: mode "1".
        pitch: pixels of the result from one lit dot to the next.
        glow: whether the dots light up what is around them; it triples the size of a GIF.

    Returns:
        RGB, *pitch* times as large as *face*.
    """
    fine = 4  # samples a pixel of the result, so that the dots have soft round corners
    side = pitch * fine
    dot = Image.new("L", (side, side))
    inset = side * _GAP / 2
    ImageDraw.Draw(dot).rounded_rectangle(
        (inset, inset, side - 1 - inset, side - 1 - inset), side * 0.18, fill=255
    )
    dot = dot.resize((pitch, pitch), Image.Resampling.BOX)
    lit = np.kron(np.asarray(face, dtype=np.float64), np.asarray(dot, dtype=np.float64))
    sharp = Image.fromarray(lit.round().astype(np.uint8))
    if not glow:
        flat = face.convert("L").resize(sharp.size, Image.Resampling.NEAREST)
        light = ImageChops.lighter(sharp, flat.point(lambda v: v * 0.75))
    else:
        near = sharp.filter(ImageFilter.GaussianBlur(pitch * 1.1)).point(lambda v: v * 0.55)
        far = sharp.filter(ImageFilter.GaussianBlur(pitch * 5.0)).point(lambda v: v * 0.30)
        light = ImageChops.add(ImageChops.add(near, far), sharp)
    return Image.composite(
        Image.new("RGB", light.size, _LIT), Image.new("RGB", light.size, _GLASS), light
    )


def _device(shown: str, screen: Image.Image, pitch: int, halo: float) -> Image.Image:
    """The *screen* in a bezel, lit from behind in the colour of *shown*, its name under it."""
    edge, margin, label = 4 * pitch, 9 * pitch, 12 * pitch
    width, height = screen.width + 2 * edge, screen.height + 2 * edge
    whole = Image.new("RGB", (width + 2 * margin, height + 2 * margin + label), _BACKGROUND)
    box = (margin, margin, margin + width - 1, margin + height - 1)
    light = Image.new("L", whole.size)
    ImageDraw.Draw(light).rounded_rectangle(box, 5 * pitch, fill=255)
    light = light.filter(ImageFilter.GaussianBlur(5 * pitch)).point(lambda v: v * halo)
    whole.paste(Image.new("RGB", whole.size, SHOWN_COLORS[shown]), (0, 0), light)
    frame = Image.new("L", (whole.width * 2, whole.height * 2))
    ImageDraw.Draw(frame).rounded_rectangle(tuple(2 * part for part in box), 10 * pitch, fill=255)
    frame = frame.resize(whole.size, Image.Resampling.BOX)
    whole.paste(Image.new("RGB", whole.size, _BEZEL), (0, 0), frame)
    inner = (box[0] + edge - pitch, box[1] + edge - pitch)
    glass = (*inner, inner[0] + screen.width + 2 * pitch, inner[1] + screen.height + 2 * pitch)
    ImageDraw.Draw(whole).rounded_rectangle(glass, 2 * pitch, fill=_GLASS)
    whole.paste(screen, (margin + edge, margin + edge))
    tint = tuple(90 + part * 165 // 255 for part in SHOWN_COLORS[shown])
    ImageDraw.Draw(whole).text(
        (whole.width / 2, box[3] + 9.5 * pitch),
        _NAMES.get(shown, shown),
        font=ImageFont.load_default(7.5 * pitch),
        fill=tint,
        anchor="mm",
    )
    return whole


def sheet(*, width: int = 1200, columns: int = 3) -> Image.Image:
    """All emotions, unsure and nobody as panels in a grid, RGB, *width* pixels wide."""
    pitch = 3
    devices = []
    for shown in _SHEET:
        screen = panel(draw(_standing(shown)), pitch)
        devices.append(_device(shown, screen, pitch, halo=0.8))
    each_width, each_height = devices[0].size
    each_height -= 5 * pitch  # the halo's dark rims may overlap
    rows = -(-len(devices) // columns)
    whole = Image.new("RGB", (each_width * columns, each_height * rows + 5 * pitch), _BACKGROUND)
    for index, device in enumerate(devices):
        place = (index % columns * each_width, index // columns * each_height)
        under = whole.crop((*place, place[0] + device.width, place[1] + device.height))
        whole.paste(ImageChops.lighter(under, device), place)
    height = round(whole.height * width / whole.width)
    return whole.resize((width, height), Image.Resampling.LANCZOS)


def blind_sheet(*, pitch: int = 3) -> Image.Image:
    """The same nine as bare panels: no name, no colour, and not in the order of any list."""
    gap = 10 * pitch
    screens = [panel(draw(_standing(shown)), pitch) for shown in _BLIND]
    width, height = screens[0].width + gap, screens[0].height + gap
    whole = Image.new("RGB", (3 * width + gap, 3 * height + gap), _BEZEL)
    for index, screen in enumerate(screens):
        whole.paste(screen, (gap + index % 3 * width, gap + index // 3 * height))
    return whole


def _standing(shown: str) -> Pose:
    """The pose of *shown* with its accessories in the middle of their movement."""
    pose = POSES[shown]
    return replace(pose, extras=replace(pose.extras, phase=_PHASE))


def tour(*, pitch: int = 3, seed: int = 7) -> list[Image.Image]:
    """One panel that goes through the moods of the tour, RGB pictures 1/12 s apart."""
    animator = Animator(seed)
    pictures = []
    t_s = 0.0
    for shown, stay_s in _TOUR:
        for _ in range(round(stay_s * _TOUR_FPS)):
            likely = np.full(len(EMOTIONS), 0.02)
            if shown in EMOTIONS:
                likely[EMOTIONS.index(shown)] = 0.88
            gaze = (0.0, 0.0) if shown == "nobody" else (0.15 * np.sin(t_s), 0.1)
            mood = Mood(t_s, shown, likely / likely.sum(), gaze=gaze)
            face = draw(animator.pose(mood, t_s))
            pictures.append(_device(shown, panel(face, pitch, glow=False), pitch, halo=0.5))
            t_s += 1 / _TOUR_FPS
    return pictures


def main(arguments: list[str] | None = None) -> int:
    """Render what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m edge.face.gallery", description="Render Mien's faces."
    )
    parser.add_argument("--out", type=Path, metavar="FILE.png", help="the sheet of the faces")
    parser.add_argument("--gif", type=Path, metavar="FILE.gif", help="the animated tour")
    parser.add_argument(
        "--blind", type=Path, metavar="FILE.png", help="the faces without names, to be named"
    )
    wanted = parser.parse_args(arguments)
    if all(path is None for path in (wanted.out, wanted.blind, wanted.gif)):
        parser.error("nothing to do: give --out FILE.png, --blind FILE.png or --gif FILE.gif")
    try:
        try:
            for path, is_blind in ((wanted.out, False), (wanted.blind, True)):
                if path is not None:
                    drawn = blind_sheet() if is_blind else sheet()
                    picture = drawn.quantize(256, kmeans=1)
                    with written_whole(path) as file:
                        picture.save(file, format="PNG", optimize=True)
            if wanted.gif is not None:
                save_gif(wanted.gif, tour(), 1 / _TOUR_FPS, colors=48)
        except OSError as error:
            raise OutputError(
                f"The picture cannot be written ({error}): name a file in a folder that exists."
            ) from error
    except MienError as error:
        print(printable(error), file=sys.stderr)
        return error.exit_code
    for path in (wanted.out, wanted.blind, wanted.gif):
        if path is not None:
            print(f"{printable(path)}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
