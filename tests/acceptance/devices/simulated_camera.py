"""In the guest: who stands before the camera. Writes pictures to a v4l2loopback device.

/run/rig/camera names the device, /run/rig/scene what is to be seen: the name of a file of pictures
(`film`), or "frozen" for no new picture at all.
"""

import fcntl
import os
import struct
import time
from pathlib import Path
from typing import Final

from tests.acceptance.devices.simulation_control import ready, wish

FILM: Final = Path("/rig/film")
WIDTH, HEIGHT = 640, 480
BYTES: Final = WIDTH * HEIGHT * 2
RATE_HZ: Final = 4.0
_S_FMT: Final = 0xC0D05605
"""VIDIOC_S_FMT of linux/videodev2.h, with a struct v4l2_format of 208 bytes."""
_OUTPUT: Final = 2
_YUYV: Final = int.from_bytes(b"YUYV", "little")
_PROGRESSIVE: Final = 1
_SRGB: Final = 8
_PRIVATE: Final = 0xFEEDCAFE
"""V4L2_PIX_FMT_PRIV_MAGIC: the fields after it count."""


def video_format() -> bytearray:
    """A `struct v4l2_format` for the pictures that are going to be written."""
    format_ = bytearray(208)
    struct.pack_into("<I", format_, 0, _OUTPUT)
    struct.pack_into(
        "<8I", format_, 8, WIDTH, HEIGHT, _YUYV, _PROGRESSIVE, 2 * WIDTH, BYTES, _SRGB, _PRIVATE
    )
    return format_


def main() -> None:
    number = os.open(wish("camera", "/dev/video0"), os.O_RDWR)
    fcntl.ioctl(number, _S_FMT, video_format())
    scene, pictures, count = "", [b""], 0
    due_s = time.monotonic()
    while True:
        wanted = wish("scene", "nobody")
        if wanted not in (scene, "frozen"):
            film = (FILM / f"{wanted}.yuyv").read_bytes()
            pictures = [film[place : place + BYTES] for place in range(0, len(film), BYTES)]
            scene = wanted
        if wanted != "frozen":
            os.write(number, pictures[count % len(pictures)])
            count += 1
            if count == 1:
                ready()
        due_s = max(due_s + 1 / RATE_HZ, time.monotonic() - 1 / RATE_HZ)
        time.sleep(max(due_s - time.monotonic(), 0.0))


if __name__ == "__main__":
    main()
