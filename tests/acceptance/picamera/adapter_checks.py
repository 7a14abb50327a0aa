"""In the guest: what Mien's camera adapter has to do on the real picamera2 and libcamera."""

import os
import statistics
import threading
import time
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from edge.errors import SensorError
from edge.messages import Frame
from edge.sensors.picamera import BUFFERS, CLOSE_S, STALE_S, STALL_S, PiCamera, ribbon_cameras
from tests.acceptance.common.service import need
from tests.acceptance.picamera import libcamera_shim
from tests.acceptance.picamera.bar_pattern import shift_px
from tests.acceptance.picamera.open_camera import (
    READ_S,
    SIZE,
    as_before,
    camera,
    descriptors,
    picture,
    refused,
    reopened,
)
from tests.acceptance.picamera.service_rules import confined as confined

TIMES: Final = 20
DESCRIPTION: Final = Path("/usr/share/libcamera/pipeline/virtual/virtual.yaml")
"""Where libcamera looks for the description of virtual cameras."""

libcamera_shim.install()


def opened() -> str:
    import libcamera  # type: ignore[import-not-found, unused-ignore]

    need(ribbon_cameras() == ["rig-bars"], f"there are {ribbon_cameras()}")
    with camera() as one:
        device = one._camera
        config = device.camera_configuration()
        sizes = [config[name]["size"] for name in ("main", "lores")]
        need(sizes == [(1280, 960), SIZE], f"its streams are {sizes}")
        need(one.name == "rig-bars", f"its name is {one.name}")
        need(config["buffer_count"] == BUFFERS, f"it has {config['buffer_count']} buffers")
        need(config["colour_space"] == libcamera.ColorSpace.Smpte170m(), "other colours")
        shared = sum(n for name, n in descriptors().items() if name.startswith("/dmabuf:"))
        need(shared >= 2 * BUFFERS, f"only {shared} descriptors are of DMA buffers")
        return (
            f"picamera2 {version('picamera2')}, libcamera "
            f"{device.camera_manager.version.lstrip('v')}, Linux {os.uname().release}; {one.name}, "
            f"main 1280x960 and lores 640x480, {2 * BUFFERS} buffers of a DMA heap; "
            f"{libcamera_shim.STATEMENT}"
        )


def pictures() -> str:
    with camera() as one:
        taken = [picture(one) for _ in range(TIMES)]
    first = taken[0].image
    need(
        all(frame.image.shape == (480, 640, 3) for frame in taken)
        and str(first.dtype) == "uint8"
        and first.flags["C_CONTIGUOUS"],
        f"pictures are {first.shape} of {first.dtype}",
    )
    shifts = [shift_px(frame.image) for frame in taken]
    steps = [(after - before) % 640 for before, after in pairwise(shifts)]
    need(all(0 < step < 320 for step in steps), f"the bars moved by {steps}")
    return (
        f"{TIMES} of 640x480, RGB: the eight bars in the right colours in every row, further left "
        f"each time, by {min(steps)} px or more"
    )


def stamps() -> str:
    began_s = time.monotonic()
    with camera() as one:
        given: list[int] = []
        device_frame = one._frame

        def noting(request: Any) -> Frame | None:
            frame = device_frame(request)
            if frame is not None:
                given.append(request.get_metadata()["SensorTimestamp"])
            return frame

        one._frame = noting  # type: ignore[method-assign]
        times, ages = [], []
        for _ in range(TIMES):
            frame = picture(one)
            times.append(frame.t_s)
            ages.append(time.monotonic() - frame.t_s)
    need(times == [stamp / 1e9 for stamp in given], "they are not libcamera's SensorTimestamp")
    need(all(after > before for before, after in pairwise(times)), f"{times}")
    need(times[0] > began_s, "the first is from before the camera was opened")
    # STALE_S is looked at before the picture is converted.
    need(min(ages) > 0 and max(ages) < 2 * STALE_S, f"ages of {min(ages):.3f} to {max(ages):.3f} s")
    period_s = statistics.median(b - a for a, b in pairwise(times))
    return (
        f"{TIMES} later and later, each libcamera's SensorTimestamp; {period_s * 1e3:.0f} ms apart; "
        f"{min(ages) * 1e3:.0f} to {max(ages) * 1e3:.0f} ms old when they are handed over"
    )


def newest() -> str:
    skipped, ages = [], []
    with camera() as one:
        for _ in range(5):
            before = picture(one)
            time.sleep(1.0)
            after = picture(one)
            ages.append(time.monotonic() - after.t_s)
            # The bars count the pictures that the camera has taken, whoever has seen them.
            passed = (shift_px(after.image) - shift_px(before.image)) % 640
            need(passed > 3, f"only {passed} pictures in a second")
            skipped.append(passed - 1)
            need(after.t_s - before.t_s > 1.0 - STALE_S, "it was taken before the pause")
    need(max(ages) < 2 * STALE_S, f"{max(ages):.2f} s old")
    return (
        f"5 pauses of 1 s: the next is at most {max(ages) * 1e3:.0f} ms old; {min(skipped)} to "
        f"{max(skipped)} others, counted by the bars, were let go meanwhile"
    )


def stale() -> str:
    hold_s, old, ages = 0.6, [], []
    with camera() as one:
        device_frame = one._frame

        def noting(request: Any) -> Frame | None:
            age_s = time.monotonic() - request.get_metadata()["SensorTimestamp"] / 1e9
            frame = device_frame(request)
            if frame is None:
                old.append(age_s)
            return frame

        one._frame = noting  # type: ignore[method-assign]
        held = threading.Event()

        def hold(request: Any) -> None:
            if not held.is_set():
                held.set()
                time.sleep(hold_s)

        one._camera.post_callback = hold
        for number in range(TIMES):
            held.clear()
            need(held.wait(READ_S), "the loop was not held")
            frame = picture(one)
            need(len(old) > number, "none was refused")
            ages.append(time.monotonic() - frame.t_s)
        # Refused ones go back to the camera as well, or it would have stopped by now.
        one._camera.post_callback = None
        for _ in range(2 * BUFFERS):
            picture(one)
    need(min(old) > STALE_S and max(ages) < 2 * STALE_S, f"{min(old):.2f} {max(ages):.2f}")
    return (
        f"picamera2's loop held for {hold_s} s each time: {len(old)} refused at an age of "
        f"{min(old):.2f} s or more; those read instead at most {max(ages):.2f} s old"
    )


def busy() -> str:
    with camera() as one:
        before = descriptors()
        for _ in range(TIMES):
            said = refused(r"another program uses it.*Device or resource busy")
            picture(one)
        as_before(before)
    return (
        f'a second opener, in the same process: "{said}" The first goes on; no descriptor lost. '
        "Another process cannot be tried: the virtual camera has no /dev/media to lock"
    )


def stalled() -> str:
    one = PiCamera(*SIZE)
    picture(one)
    kept: list[Any] = []

    def keep(request: Any) -> None:
        request.acquire()
        kept.append(request)

    one._camera.post_callback = keep
    return f"all {BUFFERS} buffers withheld: {_lost_and_found(one)}"


def dead_loop() -> str:
    one = PiCamera(*SIZE)
    picture(one)

    def die(request: Any) -> None:
        raise RuntimeError("the rig ends this thread")

    one._camera.post_callback = die
    return f"its thread ends: {_lost_and_found(one)}"


def _lost_and_found(one: PiCamera) -> str:
    """Wait for the adapter to say that its camera is gone, close it, and open it again."""
    began_s = time.monotonic()
    said = ""
    while not said and time.monotonic() - began_s < 3 * STALL_S:
        try:
            one.read(0.5)
        except SensorError as error:
            said = str(error)
    lost_s = time.monotonic() - began_s
    need("has stopped delivering pictures" in said, f"it says: {said or 'nothing'}")
    need(lost_s > STALL_S / 2, f"already after {lost_s:.1f} s")
    one.close()
    closed_s = time.monotonic() - began_s - lost_s
    need(closed_s < CLOSE_S, f"closing took {closed_s:.1f} s")
    reopened()
    return f'"{said}" after {lost_s:.1f} s; closed in {closed_s:.1f} s, reopened, the bars'


def twenty() -> str:
    reopened()
    before, threads = descriptors(), threading.active_count()
    open_s, close_s = [], []
    for _ in range(TIMES):
        began_s = time.monotonic()
        one = PiCamera(*SIZE)
        shift_px(picture(one).image)
        open_s.append(time.monotonic() - began_s)
        began_s = time.monotonic()
        one.close()
        close_s.append(time.monotonic() - began_s)
    open_now = as_before(before)
    need(threading.active_count() == threads, f"threads: {threading.enumerate()}")
    need(max(close_s) < CLOSE_S, f"closing took {max(close_s):.1f} s")
    return (
        f"a picture each time, {max(open_s):.2f} s from opening to it at most; closed in "
        f"{max(close_s):.2f} s at most; {open_now} descriptors and {threads} thread as before"
    )


def nothing_there() -> str:
    second = refused("no Raspberry Pi camera number 1: there are 1", number=1)
    away = DESCRIPTION.with_suffix(".away")
    DESCRIPTION.rename(away)
    try:
        # libcamera looks for cameras once.
        import picamera2

        picamera2.Picamera2._cm.reset()
        said = refused("No camera is connected.*ribbon cable")
    finally:
        away.rename(DESCRIPTION)
    return f'"{said}" Asked for a second one: "{second}"'


def other_format() -> str:
    libcamera_shim.install(reordered=False)
    said = refused("gives its pictures as NV12")
    before = descriptors()
    for _ in range(TIMES):
        refused("gives its pictures as NV12")
    as_before(before)
    libcamera_shim.install()
    reopened()
    return f'NV12, as the virtual camera gives it: "{said}" {TIMES + 1} times, closed each time'
