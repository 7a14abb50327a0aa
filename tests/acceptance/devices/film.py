"""Makes what the guest sees and hears: `python -m tests.acceptance.devices.film PORTRAIT FOLDER`.

It runs in the installed system, on this machine: the pictures of the demo's person in the moods that
the proofs need, and speech that the demo's synthesiser makes; nothing is recorded. And what ought to
come of it: the faces to compare with, the splash, and how bright each LED of a colour has to be.
"""

import json
import sys
import wave
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.demo.command import read_portrait
from edge.demo.picture import Pictures
from edge.demo.script import SCENES
from edge.demo.sound import RATE_HZ, make_sound
from edge.face.pose import SHOWN_COLORS
from edge.outputs.leds import duty_cycle
from edge.splash.render import pages, poses
from tests.acceptance.devices import face_gallery
from tests.acceptance.devices.simulated_camera import RATE_HZ as PICTURES_HZ
from tests.acceptance.devices.simulated_microphone import FORMATS

MOODS: Final = ("happy", "surprise", "sad", "angry", "neutral")
SETTLED_S: Final = 0.6
"""After a scene has begun the expression is fully there."""
NOBODY: Final = "empty room"
SPOKEN_S: Final = (5.0, 23.0)
"""From when to when somebody speaks in the demo."""


def yuyv(picture: NDArray[np.uint8]) -> bytes:
    """A picture of shape [h, w, 3], RGB, as cameras send it: ITU-R BT.601, limited range."""
    rgb = picture.astype(np.float32)
    luma = rgb @ np.array([0.257, 0.504, 0.098], np.float32) + 16
    blue = rgb @ np.array([-0.148, -0.291, 0.439], np.float32) + 128
    red = rgb @ np.array([0.439, -0.368, -0.071], np.float32) + 128
    packed = np.empty((*picture.shape[:2], 2), np.float32)
    packed[..., 0] = luma
    packed[:, 0::2, 1] = (blue[:, 0::2] + blue[:, 1::2]) / 2
    packed[:, 1::2, 1] = (red[:, 0::2] + red[:, 1::2]) / 2
    return np.clip(np.round(packed), 0, 255).astype(np.uint8).tobytes()


def scene_times(name: str) -> list[float]:
    """The times in the demo, in its seconds, of the pictures of one scene."""
    scene = next(scene for scene in SCENES if scene.name == name)
    begin_s = scene.start_s + SETTLED_S
    count = int((scene.end_s - 0.1 - begin_s) * PICTURES_HZ)
    times = [begin_s + number / PICTURES_HZ for number in range(count)]
    return [*times, *reversed(times[1:-1])]  # there and back, so that it goes on without a jump


def write_speech(path: Path, sound: NDArray[np.float32], rate_hz: int, channels: int) -> None:
    """Write *sound*, which has the demo's rate, as 16-bit samples of another one."""
    import soxr

    part = soxr.resample(sound, RATE_HZ, rate_hz)
    samples = np.repeat((np.clip(part, -1, 1) * 32767).astype("<i2")[:, None], channels, axis=1)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate_hz, len(part), "NONE", ""))
        file.writeframes(samples.tobytes())


def main() -> None:
    portrait, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    pictures = Pictures(read_portrait(portrait))
    for name in (NOBODY, *MOODS):
        times = scene_times(name)
        if name == NOBODY:
            times = times[:4]
        drawn = {t_s: yuyv(pictures.at(t_s, 0.0)) for t_s in sorted(set(times))}
        file = folder / f"{'nobody' if name == NOBODY else name}.yuyv"
        file.write_bytes(b"".join(drawn[t_s] for t_s in times))
    dark = np.full((480, 640, 3), 1, np.uint8)
    (folder / "dark.yuyv").write_bytes(yuyv(dark))
    sound, _ = make_sound("synthesis")
    part = sound[round(SPOKEN_S[0] * RATE_HZ) : round(SPOKEN_S[1] * RATE_HZ)]
    for rate_hz, channels in FORMATS:
        write_speech(folder / f"speech-{rate_hz}-{channels}.wav", part, rate_hz, channels)
    face_gallery.write(folder / "faces")
    (folder / "splash.pages").write_bytes(b"".join(pages(pose, (128, 64)) for pose in poses()))
    colors = {
        name: [duty_cycle(part / 255) / 100 for part in color]
        for name, color in SHOWN_COLORS.items()
    }
    (folder / "colours.json").write_text(json.dumps(colors), encoding="utf-8")


if __name__ == "__main__":
    main()
