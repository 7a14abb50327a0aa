"""Command line: `python -m edge.demo` makes the demo clip where `mien run` looks for it."""

import argparse
import sys
import wave
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from edge.config.paths import DEMO_CLIP, PORTRAIT
from edge.demo.film import write_film
from edge.demo.picture import Pictures
from edge.demo.script import DURATION_S
from edge.demo.sound import RATE_HZ, make_sound, sound_source
from edge.errors import MienError, SettingsError
from edge.process.printable import printable
from edge.process.regular_files import is_one_of
from edge.process.written_files import written_whole

PORTRAIT_SIZE_PX: Final = 512
_VOICES: Final = {
    "recordings": "recorded words",
    "espeak-ng": "words spoken by espeak-ng",
    "synthesis": "a synthesized voice",
}


def read_portrait(path: Path) -> NDArray[np.uint8]:
    """Read the portrait: shape [512, 512, 3], RGB.

    Raises:
        SettingsError: it is missing, no picture, or not the portrait that the landmarks belong to.
    """
    if not path.is_file():
        raise SettingsError(
            f"There is no portrait at {path}: fetch it with {sys.executable} -m edge.fetch, or give "
            "scikit-image's data/astronaut.png with --portrait."
        )
    data = np.fromfile(path, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if picture is None or picture.shape != (PORTRAIT_SIZE_PX, PORTRAIT_SIZE_PX, 3):
        raise SettingsError(
            f"{path} is not the 512 x 512 portrait that the demo is made from: give scikit-image's "
            "data/astronaut.png."
        )
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _write_voice(path: Path) -> None:
    sound, _ = make_sound()
    with written_whole(path) as stream, wave.open(stream, "wb") as file:
        file.setparams((1, 2, RATE_HZ, len(sound), "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())


def main(arguments: list[str] | None = None) -> int:
    """Make the clip; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m edge.demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=DEMO_CLIP, help="the .mp4 file to write")
    parser.add_argument(
        "--portrait",
        type=Path,
        default=PORTRAIT,
        help="scikit-image's data/astronaut.png; unless given, the one that `edge.fetch` fetched",
    )
    parser.add_argument("--silent", action="store_true", help="leave the sound track out")
    parser.add_argument(
        "--voice-only", action="store_true", help="write the sound alone, as a .wav file"
    )
    parser.add_argument(
        "--seconds", type=float, default=DURATION_S, help="how much to make, from the start"
    )
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    try:
        if is_one_of(options.out, [options.portrait]):
            raise SettingsError(f"--out {options.out} is the portrait itself; name another file.")
        if options.voice_only:
            _write_voice(options.out)
            return 0
        pictures = Pictures(read_portrait(options.portrait))
        with Progress(
            TextColumn("Making the demo clip"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=console,
        ) as bar:
            task = bar.add_task("", total=1.0)
            write_film(
                options.out,
                pictures,
                with_sound=not options.silent,
                seconds=min(max(options.seconds, 1.0), DURATION_S),
                progress=lambda share: bar.update(task, completed=share),
            )
    except MienError as error:
        console.print(printable(error), style="red", highlight=False, markup=False)
        return error.exit_code
    voice = "no sound" if options.silent else _VOICES[sound_source()]
    size = options.out.stat().st_size / 1e6
    console.print(
        f"{printable(options.out)}: {options.seconds:.0f} s, {voice}, {size:.1f} MB",
        highlight=False,
        markup=False,
    )
    return 0
