"""The camera: how fast and bright it is, and whether a face is found, with the picture as text."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from edge.build.sensors import asked_rate_hz, open_camera
from edge.config.paths import fetched_folder, models_folder
from edge.config.schema import Settings
from edge.diagnostics.trying.guide import Guide, NotWiredError
from edge.errors import OutputError, SensorError
from edge.hardware.host import Host
from edge.messages import Face, Frame
from edge.outputs.leds import LedSettings, recording_light
from edge.perception.face_finder import FaceFinder
from edge.perception.face_net import FaceNet
from edge.perception.face_reader import let_judge
from edge.perception.manifest import load_manifest
from edge.process.written_files import written_whole

SECONDS: Final = 4.0
"""How long it is looked at."""
SILENT_S: Final = 8.0
DARK, BRIGHT = 45.0, 210.0
"""Mean brightness, 0-255, of a picture that is too dark or too bright."""
SMALL_PX: Final = 40.0
"""Narrower faces are not found."""
SLOW_SHARE: Final = 0.6
"""Of the rate that was asked for."""
RAMP: Final = " .:-=+*#%@"
COLUMNS, ROWS = 64, 24


def try_camera(settings: Settings, host: Host, guide: Guide, picture: Path | None = None) -> None:
    """Look for a while, and say what is seen.

    Args:
        settings: all of them.
        host: lends the pin of the recording LED.
        guide: talks.
        picture: a PNG to write the last frame to; nothing is written without.

    Raises:
        MienError: it cannot be opened or used; says what to do.
        StoppedError: somebody has had enough.
    """
    if not settings.camera.enabled:
        raise NotWiredError(
            "The camera is switched off: set [camera] enabled to true."
        )  # fmt: skip
    face = settings.face
    finder = FaceFinder(
        fetched_folder(settings.models.folder), face.range, face.min_score, face.search_width_px
    )
    light = recording_light(settings.of(LedSettings), host)
    try:
        if face.range == "auto":
            folder = models_folder(settings.models.folder)
            let_judge(FaceNet(folder, load_manifest(folder).face), finder)
        light.sensor_opened("camera")
        camera = open_camera(settings, host)
        try:
            kept = "" if picture is not None else " No picture is kept."
            guide.say(f"This is {camera.name}. Sit where people will be, and look at it.{kept}")
            frame, faces, rate_hz = _watch(camera.read, finder, guide)
        finally:
            camera.close()
    finally:
        light.close()
        finder.close()
    for line in as_text(frame, faces):
        print(line, file=guide.out)
    guide.say()
    if picture is not None:
        write_picture(frame, faces, picture)
        guide.say(f"The same is in {picture}.")
    judge(frame, faces, rate_hz, settings, guide)


def _watch(
    read: Callable[[float], Frame | None], finder: FaceFinder, guide: Guide
) -> tuple[Frame, Sequence[Face], float]:
    """The last frame, the faces in it or in the last one that had any, and the rate.

    Raises:
        SensorError: nothing came.
        StoppedError: somebody has had enough.
    """
    newest: list[Frame] = []
    seen: tuple[Frame, Sequence[Face]] | None = None
    count, first_s, began_s = 0, 0.0, time.monotonic()

    def look() -> None:
        nonlocal count, first_s, seen
        frame = read(0.3)
        if frame is None:
            if not newest and time.monotonic() - began_s > SILENT_S:
                raise SensorError(
                    "The camera was opened and gives no picture: plug it in again, or try another socket."
                )
            return
        first_s = first_s or time.monotonic()
        count += 1
        newest[:] = [frame]
        if count % 5 == 1:  # looking for faces must not decide the rate
            faces = finder.find(frame)
            if faces:
                seen = (frame, faces)

    guide.wait(look, SECONDS)
    while not newest:
        look()
    lasted_s = time.monotonic() - first_s
    rate_hz = (count - 1) / lasted_s if lasted_s > 0 else 0.0
    frame, faces = seen or (newest[0], finder.find(newest[0]))
    return frame, faces, rate_hz


def judge(
    frame: Frame, faces: Sequence[Face], rate_hz: float, settings: Settings, guide: Guide
) -> None:
    """Say how bright, how fast, and what was found."""
    height, width = frame.image.shape[:2]
    asked_hz = asked_rate_hz(settings)
    guide.judge(
        rate_hz >= SLOW_SHARE * asked_hz,
        f"{width} x {height} pixels, {rate_hz:.0f} pictures a second ({asked_hz:g} were asked for).",
        "In the dark many cameras halve their rate: make it brighter.",
        "On a slow bus or board ask for less: [camera] width_px = 320, height_px = 240.",
    )
    mean = float(frame.image.mean())
    guide.judge(
        DARK <= mean <= BRIGHT,
        f"the picture's brightness is {mean:.0f} of 255"
        + (", too dark." if mean < DARK else ", too bright." if mean > BRIGHT else "."),
        "Put the light in front of the person, and no window or lamp behind.",
    )
    if not faces:
        guide.judge(
            False, "no face was found.",
            "Look straight at the camera from 0.5 to 1.5 m, in good light; see whether the picture is "
            "upright.",
        )  # fmt: skip
        return
    face = max(faces, key=lambda one: one.width_px)
    across = (face.x_px + face.width_px / 2) / width
    side = "left" if across < 1 / 3 else "right" if across > 2 / 3 else "middle"
    guide.judge(
        face.width_px >= SMALL_PX,
        f"{'a face' if len(faces) == 1 else f'{len(faces)} faces'}; the largest is {face.width_px:.0f} "
        f"pixels wide, in the {side} of the picture.",
        "Come closer, or ask for a larger picture: [camera] width_px.",
    )


def as_text(frame: Frame, faces: Sequence[Face]) -> list[str]:
    """The frame in characters, mirrored as in a mirror, faces in a box."""
    height, width = frame.image.shape[:2]
    grey = Image.fromarray(frame.image).convert("L")
    small = np.asarray(grey.resize((COLUMNS, ROWS), Image.Resampling.BOX), np.float64)
    low, high = np.percentile(small, (2, 98))
    steps = (np.clip((small - low) / max(high - low, 1.0), 0, 1) * (len(RAMP) - 1)).round()
    cells = np.array(list(RAMP))[steps.astype(int)]
    for face in faces:
        left, right = (
            round(min(max(x / width, 0), 1) * (COLUMNS - 1))
            for x in (face.x_px, face.x_px + face.width_px)
        )
        top, bottom = (
            round(min(max(y / height, 0), 1) * (ROWS - 1))
            for y in (face.y_px, face.y_px + face.height_px)
        )
        cells[[top, bottom], left : right + 1] = "-"
        cells[top : bottom + 1, [left, right]] = "|"
        for corner in ((top, left), (top, right), (bottom, left), (bottom, right)):
            cells[corner] = "+"
    edge = f"+{'-' * COLUMNS}+"
    return [edge, *(f"|{''.join(row[::-1])}|" for row in cells.tolist()), edge]


def write_picture(frame: Frame, faces: Sequence[Face], path: Path) -> None:
    """Write the frame with the faces in boxes as a PNG.

    Raises:
        OutputError: it cannot be written.
    """
    drawn = Image.fromarray(frame.image)
    draw = ImageDraw.Draw(drawn)
    for face in faces:
        box = (face.x_px, face.y_px, face.x_px + face.width_px, face.y_px + face.height_px)
        draw.rectangle(box, outline=(90, 255, 120), width=max(2, frame.image.shape[1] // 200))
    try:
        with written_whole(path) as file:
            drawn.save(file, format="PNG")
    except OSError as error:
        raise OutputError(
            f"The picture {path} cannot be written ({error.strerror or error}): name a file in a folder "
            "that exists and may be written to."
        ) from error
