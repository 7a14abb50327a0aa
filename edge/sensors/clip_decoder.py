"""Decodes a clip: its pictures and its sound, each with its place in time. No clock, no waiting."""

import itertools
import os
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.errors import SensorError
from edge.messages import SAMPLE_RATE_HZ
from edge.process.pip_command import pip_install
from edge.sensors.resample import BLOCK

Sound = NDArray[np.float32]

STILL_HZ: Final = 10
"""A still image is shown as a film of this rate."""
LONGEST_SIDE_PX: Final = 1280
"""Larger pictures are scaled down while they are converted: no stage uses more."""
OPEN_S: Final = 3.0
READ_S: Final = 1.0
"""Longest that FFmpeg may look for the streams of a file, and for its next piece: of one that a power cut
has damaged, gigabytes may be zeros. Then the file ends there."""
_GAP_S: Final = 0.05
"""Sound that comes this much later than expected left a gap, which is filled with silence."""
_NOT_CLIPS: Final = ("tty", "bin", "xbin", "adf", "idf", "hls", "concat")
"""FFmpeg's readers of text art and of lists of other files."""
_STILLS: Final = ("image2", "_pipe")


@dataclass(frozen=True)
class ClipInfo:
    """What a clip is made of."""

    path: Path
    has_picture: bool
    has_sound: bool
    still: bool
    """It is one image."""
    origin_s: float
    """Time stamp at which it starts."""
    length_s: float
    """Of the longer of picture and sound, a whole number of samples at 16 kHz."""

    @property
    def length_samples(self) -> int:
        """Length at 16 kHz."""
        return round(self.length_s * SAMPLE_RATE_HZ)


def _load_av() -> Any:
    try:
        import av
    except ImportError as error:
        raise SensorError(
            f"Playing a clip needs PyAV: install it with `{pip_install('av')}`."
        ) from error
    return av


def _open(av: Any, path: Path) -> Any:
    began_s = time.monotonic()
    try:
        container = av.open(str(path), timeout=(OPEN_S, READ_S))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, PermissionError):
            raise SensorError(
                f"{path} may not be read by this user: change its permissions with `chmod a+r`."
            ) from error
        raise _unreadable(path) from error
    gave_up = time.monotonic() - began_s >= OPEN_S  # which PyAV does not tell
    if gave_up or container.format.name in _NOT_CLIPS:
        container.close()
        raise _unreadable(path)
    return container


def _unreadable(path: Path) -> SensorError:
    return SensorError(
        f"{path} is not a sound or video file that can be read, or it is damaged: give an .mp4, "
        ".mkv, .webm, .wav, .mp3 or the like."
    )


def _picture_stream(container: Any) -> Any | None:
    """The film in it that can be decoded; the cover picture of a song is none."""
    for stream in _decodable(container.streams.video):
        disposition = int(getattr(stream, "disposition", 0) or 0)
        if not disposition & 0x0400:  # AV_DISPOSITION_ATTACHED_PIC
            return stream
    return None


def _sound_stream(container: Any) -> Any | None:
    return next(iter(_decodable(container.streams.audio)), None)


def _decodable(streams: Any) -> list[Any]:
    """Those whose codec FFmpeg knows: a packet of another one ends the process in older PyAVs."""
    return [stream for stream in streams if stream.codec_context is not None]


def _span_s(stream: Any) -> tuple[float, float | None]:
    """Start and end of a stream on its own time line; None for an end that it does not tell."""
    start = float((stream.start_time or 0) * stream.time_base)
    return start, None if stream.duration is None else start + float(
        stream.duration * stream.time_base
    )


def _scanned_end_s(av: Any, path: Path, streams: list[int]) -> float:
    """Find the end of a clip that does not tell its length, by going through its packets.

    Raises:
        SensorError: there are none.
    """
    end_s, empty = 0.0, True
    with _open(av, path) as container:
        for packet in _packets(av, container, [container.streams[i] for i in streams]):
            empty = False
            if packet.pts is not None:
                end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    if empty:
        raise _unreadable(path)
    return end_s


def probe_clip(path: Path) -> ClipInfo:
    """Look at a clip and make sure that it can be decoded.

    Raises:
        SensorError: there is no such file, it is no clip, it is damaged, or PyAV is missing.
    """
    av = _load_av()
    if os.path.isdir(path):
        raise SensorError(f"{path} is a folder: give a sound or video file.")
    if not os.path.exists(path):
        raise SensorError(f"There is no file {path}: check its name.")
    if not os.path.isfile(path):
        raise SensorError(f"{path} is a pipe or a device: give a sound or video file.")
    with _open(av, path) as container:
        picture = _picture_stream(container)
        sound = _sound_stream(container)
        chosen = [stream for stream in (picture, sound) if stream is not None]
        if not chosen:
            raise SensorError(
                f"{path} holds neither pictures nor sound that can be decoded: give another clip."
            )
        still = picture is not None and any(mark in container.format.name for mark in _STILLS)
        spans = [_span_s(stream) for stream in chosen]
        whole_s = None if container.duration is None else container.duration / 1_000_000
        indices = [stream.index for stream in chosen]
    origin_s = min(start for start, _ in spans)
    ends = [end for _, end in spans]
    if still:
        length_s = 1 / STILL_HZ
    elif None not in ends:
        length_s = max(end for end in ends if end is not None) - origin_s
    elif whole_s is not None and whole_s > 0:
        length_s = whole_s
    else:
        length_s = _scanned_end_s(av, path, indices) - origin_s
    samples = max(BLOCK, round(length_s * SAMPLE_RATE_HZ))
    info = ClipInfo(
        path, picture is not None, sound is not None, still, origin_s, samples / SAMPLE_RATE_HZ
    )
    # A header may promise what the rest of a cut-off file does not hold.
    has_picture = info.has_picture and next(pictures(info), None) is not None
    has_sound = info.has_sound and next(_decoded(info), None) is not None
    if not has_picture and not has_sound:
        raise _unreadable(path)
    return ClipInfo(path, has_picture, has_sound, still, origin_s, info.length_s)


def _packets(av: Any, container: Any, streams: list[Any]) -> Iterator[Any]:
    """The packets of some streams; a file that breaks off ends there."""
    demuxed = container.demux(streams)
    while True:
        try:
            packet = next(demuxed, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        yield packet


def _frames(av: Any, container: Any, stream: Any) -> Iterator[Any]:
    """Decoded frames of a stream; broken ones are left out, as players do."""
    for packet in _packets(av, container, [stream]):
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue


def pictures(info: ClipInfo) -> Generator[tuple[float, Any], None, None]:
    """Go through the pictures once.

    Yields:
        Seconds from the start of the clip, never falling, and PyAV's frame.
    """
    av = _load_av()
    with _open(av, info.path) as container:
        stream = _picture_stream(container)
        if stream is None:
            return
        rate = float(stream.average_rate or 25)
        last_s = -1 / rate
        for frame in _frames(av, container, stream):
            # Some files lack stamps; then the rate tells.
            at_s = last_s + 1 / rate if frame.time is None else float(frame.time) - info.origin_s
            last_s = max(at_s, last_s, 0.0)
            if last_s >= info.length_s:
                return
            yield last_s, frame
            if info.still:
                return


def to_rgb(frame: Any) -> NDArray[np.uint8]:
    """Convert a frame: shape [height, width, 3], RGB, upright, at most `LONGEST_SIDE_PX`."""
    # A phone held upright writes the picture lying down with a note how far to turn it (degrees,
    # counter-clockwise). Scaling loses the note.
    turns = round((getattr(frame, "rotation", 0) or 0) / 90) % 4
    scale = min(1.0, LONGEST_SIDE_PX / max(frame.width, frame.height))
    if scale < 1.0:
        frame = frame.reformat(
            width=2 * round(frame.width * scale / 2), height=2 * round(frame.height * scale / 2)
        )
    image = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(image, turns), np.uint8)


def _decoded(info: ClipInfo) -> Iterator[tuple[float, Sound]]:
    """The sound as it is decoded: seconds from the start, and samples at 16 kHz, shape [n]."""
    av = _load_av()
    with _open(av, info.path) as container:
        stream = _sound_stream(container)
        if stream is None:
            return
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
        at_s: float | None = None
        for frame in itertools.chain(_frames(av, container, stream), [None]):
            if frame is not None and frame.time is not None:
                at_s = float(frame.time) - info.origin_s
            try:
                for piece in resampler.resample(frame):
                    samples = np.asarray(piece.to_ndarray(), np.float32).reshape(-1)
                    yield at_s if at_s is not None else 0.0, samples
            except (av.error.FFmpegError, ValueError):  # the format changed midway
                continue


def sound(info: ClipInfo) -> Iterator[Sound]:
    """Go through the sound once: pieces that together are exactly `length_samples` long.

    Where the clip has none (it starts late, has a gap, ends early) there is silence.
    """
    given = 0
    total = info.length_samples
    for at_s, samples in _decoded(info):
        late = round(at_s * SAMPLE_RATE_HZ) - given
        if late > _GAP_S * SAMPLE_RATE_HZ:
            late = min(late, total - given)
            yield np.zeros(late, np.float32)
            given += late
        elif late < -_GAP_S * SAMPLE_RATE_HZ and given == 0:
            samples = samples[-late:]  # sound from before the start
        samples = samples[: total - given]
        if len(samples):
            yield np.clip(samples, -1.0, 1.0)
            given += len(samples)
        if given >= total:
            return
    while given < total:
        silence = np.zeros(min(BLOCK, total - given), np.float32)
        yield silence
        given += len(silence)
