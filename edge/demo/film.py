"""Writes the clip to a file through PyAV."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from edge.demo.picture import Pictures
from edge.demo.script import DURATION_S, HEIGHT_PX, RATE_FPS, WIDTH_PX
from edge.demo.sound import RATE_HZ, make_sound
from edge.errors import OutputError
from edge.process.pip_command import pip_install
from edge.process.written_files import written_whole

VIDEO_CODECS: Final = ("libx264", "libopenh264", "mpeg4")
"""In order of preference; which of them PyAV brings depends on its build."""
_OPTIONS: Final = {"libx264": {"crf": "23", "preset": "medium", "threads": "2"}}


def write_film(
    path: Path,
    pictures: Pictures,
    *,
    with_sound: bool = True,
    seconds: float = DURATION_S,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Draw, speak and encode the clip.

    Args:
        path: the file to write, `.mp4`. It appears only when it is complete.
        pictures: draws the frames.
        with_sound: False leaves the sound track out.
        seconds: how much of it to write, from the start.
        progress: called with the share that is done, 0-1.

    Raises:
        OutputError: PyAV is missing, or the file cannot be written.
    """
    try:
        import av
    except ImportError:
        raise OutputError(
            f"Making the demo clip needs PyAV: install it with `{pip_install('av')}`."
        ) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            written_whole(path) as file,
            av.open(file, "w", format="mp4") as container,
        ):
            _write(av, container, pictures, with_sound, seconds, progress)
    except (OSError, av.error.FFmpegError) as error:
        raise OutputError(
            f"The demo clip cannot be written to {path} ({error}): choose a folder that can be "
            "written to, with 10 MB of room."
        ) from error


def _write(
    av: Any,
    container: Any,
    pictures: Pictures,
    with_sound: bool,
    seconds: float,
    progress: Callable[[float], None],
) -> None:
    codec = next(name for name in VIDEO_CODECS if name in av.codecs_available)
    video = container.add_stream(codec, rate=RATE_FPS, options=_OPTIONS.get(codec, {}))
    video.width, video.height, video.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    if codec != "libx264":
        video.bit_rate = 900_000
    audio = container.add_stream("aac", rate=RATE_HZ, layout="mono") if with_sound else None
    if audio is not None:
        audio.bit_rate = 64_000
    sound, loudness = make_sound()
    per = RATE_HZ // RATE_FPS
    count = round(seconds * RATE_FPS)
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(
            pictures.at(number / RATE_FPS, float(loudness[number])), format="rgb24"
        )
        frame.pts, frame.time_base = number, Fraction(1, RATE_FPS)
        container.mux(video.encode(frame))
        if audio is not None:
            block = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound[None, number * per : (number + 1) * per]), "fltp", "mono"
            )
            block.sample_rate, block.pts, block.time_base = (
                RATE_HZ,
                number * per,
                Fraction(1, RATE_HZ),
            )
            container.mux(audio.encode(block))
        progress((number + 1) / count)
    container.mux(video.encode(None))
    if audio is not None:
        container.mux(audio.encode(None))
