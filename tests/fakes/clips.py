"""Makes small clips for tests: pictures whose brightness tells their number, and beeps."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 44_100
FLASH = 235
DARK = 16


def make_clip(
    path: Path,
    *,
    fps: int = 10,
    levels: list[int] | None = None,
    sound: NDArray[np.float64] | None = None,
    size: tuple[int, int] = (64, 48),
    turned: int = 0,
    codecs: tuple[str, str] = ("mpeg4", ""),
) -> Path:
    """Write a clip of grey pictures with those levels and that sound (mono, `RATE_HZ`).

    The second of *codecs* is that of the sound; left empty, one that is usual for the file's ending.
    """
    import av

    width, height = size
    with av.open(str(path), "w") as container:
        video: av.VideoStream | None = None
        audio: av.AudioStream | None = None
        if levels is not None:
            drawn = container.add_stream(codecs[0], rate=fps, options={"qscale": "2"})
            assert isinstance(drawn, av.VideoStream)
            formats = drawn.codec.video_formats
            assert formats
            drawn.width, drawn.height, drawn.pix_fmt = width, height, formats[0].name
            video = drawn
            if turned:
                video.set_display_rotation(turned)
        if sound is not None:
            usual = {".wav": "pcm_s16le", ".mp3": "mp3"}.get(path.suffix, "aac")
            name = codecs[1] or usual
            rate_hz = 48_000 if name == "libopus" else RATE_HZ
            made = container.add_stream(name, rate=rate_hz, layout="mono")
            assert isinstance(made, av.AudioStream)
            audio = made
        for number, level in enumerate(levels or []):
            image = np.full((height, width, 3), level, np.uint8)
            image[: height // 2, : width // 2] = level // 2  # darker upper left: tells what is up
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            assert video is not None
            container.mux(video.encode(frame))
        if sound is not None:
            assert audio is not None
            for start in range(0, len(sound), 1024):
                block = sound[None, start : start + 1024].astype(np.float32)
                out = av.AudioFrame.from_ndarray(
                    np.round(block * 32767).astype(np.int16), format="s16", layout="mono"
                )
                out.sample_rate, out.pts, out.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
                container.mux(audio.encode(out))
        for stream in (video, audio):
            if stream is not None:
                container.mux(stream.encode(None))
    return path


def beep(seconds: float, at_s: float, long_s: float = 0.1) -> NDArray[np.float64]:
    """Silence with one beep in it: shape [n], `RATE_HZ`."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    heard = (t >= at_s) & (t < at_s + long_s)
    return np.where(heard, 0.5 * np.sin(2 * np.pi * 1000 * t), 0.0)
