"""Damaged and odd clips, through the commands that take one."""

import os
import struct
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image

from edge.process.native_output import quiet_stderr
from tests.fakes.clips import beep, make_clip
from tests.fuzz.mutations import NUMBERS, another_kind, bytes_of

CODECS: Final = {
    "a.mp4": ("libx264", "aac"), "b.avi": ("mjpeg", "adpcm_ima_wav"), "c.mkv": ("libx265", "flac"),
    "d.mov": ("prores", "alac"), "e.ts": ("mpeg2video", "mp3"), "f.webm": ("libvpx-vp9", "libopus"),
    "g.wmv": ("wmv2", "mp3"), "h.3gp": ("mpeg4", "aac"), "i.mp4": ("libsvtav1", ""),
    "j.wav": ("", "pcm_s16le"), "k.mp3": ("", "mp3"), "l.flac": ("", "flac"), "m.gif": ("", ""),
}  # fmt: skip
"""Of the pictures and of the sound, as people's clips have them."""
CLIPS: Final = tuple(CODECS)
_LEVELS: Final = [40, 90, 140, 200, 230, 120]
_OTHERS: Final = (
    b"#EXTM3U\n#EXTINF:1,\nbeep.wav\n",
    b"ffconcat version 1.0\nfile 'beep.wav'\n",
    b"\x1b[2J\x1b[31mansi art\n" * 40,
    b"GIF89a",
    b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0data\xff\xff\xff\xff",
    b"v=0\nm=audio 5004 RTP/AVP 96\nc=IN IP4 127.0.0.1\na=rtpmap:96 L16/44100\n",
    b"<svg xmlns='http://www.w3.org/2000/svg' width='9e9' height='9e9'/>",
    b"",
)
"""What FFmpeg knows beside films and sounds, some of it naming other files."""
_NAMES: Final = (
    "clip{}",
    "\x1b[2J{}",
    "a\nb{}",
    "-{}",
    "%d{}",
    "concat:a|b{}",
    "x" * 200 + "{}",
    "é\u202e{}",
)


def make_clips(folder: Path) -> None:
    """Put the undamaged ones there."""
    import av

    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    for name, codecs in CODECS.items():
        if not any(codecs):
            first, *more = [Image.new("L", (64, 48), level) for level in _LEVELS]
            first.save(folder / name, save_all=True, append_images=more, duration=100)
            continue
        with quiet_stderr():  # encoders tell of their settings
            make_clip(
                folder / name,
                levels=_LEVELS if codecs[0] else None,
                sound=beep(0.6, 0.1) if codecs[1] else None,
                codecs=codecs if {*codecs} - {""} <= av.codecs_available else ("mpeg4", ""),
            )
    # As root SVT-AV1 gives whoever encodes with it the highest priority in real time, for good: a
    # case that hung would then keep the judge from ever looking at it, and the machine from all else.
    os.sched_setscheduler(0, policy, parameters)


def damage_clip(random: Random, original: Path, folder: Path) -> Path:
    """A clip in *folder* that is *original* damaged, or something else by its name."""
    name = "clip{}" if random.random() < 0.8 else random.choice(_NAMES)
    clip = folder / name.format(original.suffix)
    what = random.random()
    if what < 0.05:
        clip.touch()
        another_kind(random, clip)
    elif what < 0.12:
        clip.write_bytes(random.choice(_OTHERS))
    elif what < 0.16:
        # Two halves of different kinds, as after a file system's repair.
        other = original.with_name(random.choice(CLIPS)).read_bytes()
        clip.write_bytes(original.read_bytes()[: len(other) // 2] + other[len(other) // 2 :])
    elif what < 0.55:
        clip.write_bytes(_field_of(random, original.read_bytes()))
    else:
        clip.write_bytes(bytes_of(random, original.read_bytes()))
    return clip


def _field_of(random: Random, whole: bytes) -> bytes:
    """*whole* with wrong numbers beside the names of its boxes or chunks: sizes, rates, counts."""
    data = bytearray(whole)
    names = [
        at
        for at in range(4, len(data) - 64)
        if all(97 <= byte < 123 or 65 <= byte < 91 for byte in data[at : at + 4])
    ]
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.choice(names or [4]) + 4 * random.choice((-1, 1, 1, 2, 3, 4, 5, 6, 8, 10))
        number = int(random.choice([one for one in NUMBERS if abs(one) < 2**64]))
        order, code = random.choice("<>"), random.choice("HIIQ")
        field = struct.pack(order + code, number % 2 ** (8 * struct.calcsize(code)))
        data[max(0, at) : max(0, at) + len(field)] = field
    return bytes(data)


def play(random: Random, clip: Path) -> list[str]:
    """The arguments of a command that takes *clip*."""
    if random.random() < 0.1:
        return ["explain", str(clip), "--out", "sheet.png"]
    if random.random() < 0.15:
        return ["bench", "--clip", str(clip), "--seconds", "0.2", "--json"]
    more = random.choice(([], ["--repeat"], ["--repeat", "--no-face"], ["--no-voice"]))
    shown = ["--display", "none", "--events", "events.jsonl"]
    return ["run", "--clip", str(clip), "--seconds", "0.5", *shown, *more]
