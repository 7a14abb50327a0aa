"""In the guest: opens a camera through Mien's adapter, reads it, and hears what is refused."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import cv2  # noqa: F401 - the adapter loads it with its first picture, and a check is not to wait

from edge.errors import SensorError
from edge.messages import Frame
from edge.sensors.picamera import PiCamera
from tests.acceptance.common.service import NotSoError, need
from tests.acceptance.picamera.bar_pattern import shift_px

SIZE: Final = (640, 480)
READ_S: Final = 10.0


@contextmanager
def camera() -> Iterator[PiCamera]:
    """An open camera that has given its first picture."""
    one = PiCamera(*SIZE)
    try:
        picture(one)
        yield one
    finally:
        one.close()


def picture(one: PiCamera) -> Frame:
    frame = one.read(READ_S)
    if frame is None:
        raise NotSoError(f"no picture came within {READ_S:.0f} s")
    return frame


def refused(message: str, number: int = 0) -> str:
    """What opening says; it has to be a SensorError of one or two sentences that has *message*."""
    try:
        PiCamera(*SIZE, number=number).close()
    except SensorError as error:
        said = str(error)
        need(re.search(message, said) is not None, f"it says: {said}")
        need("\n" not in said and said.endswith("."), f"that is no sentence: {said}")
        return said
    raise NotSoError("it was opened")


def reopened() -> None:
    """The camera can be opened in this process, and gives the pattern."""
    with camera() as one:
        shift_px(picture(one).image)


def descriptors() -> Counter[str]:
    """What this process has open, and how often each kind of it."""
    folder = Path("/proc/self/fd")
    found: Counter[str] = Counter()
    for name in os.listdir(folder):
        with suppress(OSError):  # the folder's own
            found[re.sub(r"[0-9\[\]]+", "", os.readlink(folder / name))] += 1
    return found


def as_before(before: Counter[str]) -> int:
    """How many descriptors are open; not more of any kind than *before*."""
    after = descriptors()
    need(not after - before, f"more are open: {dict(after - before)}")
    return after.total()
