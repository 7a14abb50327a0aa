"""Asks Linux about its cameras: which there are, and why one cannot be used."""

import errno
import os
import re
import stat
import struct
from pathlib import Path
from typing import Final

from edge.errors import SensorError

_SYSFS: Final = Path("/sys/class/video4linux")
_DEV: Final = Path("/dev")
_MAJOR: Final = 81
"""Of every V4L2 device (Documentation/admin-guide/devices.txt of Linux)."""

_QUERYCAP: Final = 0x80685600  # VIDIOC_QUERYCAP, struct v4l2_capability, 104 bytes
_REQBUFS: Final = 0xC0145608  # VIDIOC_REQBUFS, struct v4l2_requestbuffers, 20 bytes
_CAN_CAPTURE: Final = 0x1 | 0x1000  # V4L2_CAP_VIDEO_CAPTURE, _MPLANE
_CONVERTS: Final = 0x4000 | 0x8000  # V4L2_CAP_VIDEO_M2M_MPLANE, _M2M: codecs, scalers
_DEVICE_CAPS: Final = 0x80000000  # V4L2_CAP_DEVICE_CAPS: the node's own follow
_BUFFER_CAPTURE: Final = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
_MEMORY_MMAP: Final = 1  # V4L2_MEMORY_MMAP

_NOT_CAMERAS: Final = ("bcm2835-", "unicam", "pispbe", "rp1-cfe", "rpivid", "rpi-hevc")
"""Start of the names of a Raspberry Pi's own nodes: parts of its camera path and codecs, which
deliver pictures only through picamera2."""


_VIRTUAL: Final = ("v4l2 loopback", "vivid", "vimc", "akvcam")
"""Names of drivers whose pictures another program or the driver itself makes."""


def _capability(node: Path) -> bytes | None:
    """What a node says of itself (struct v4l2_capability); None if it says nothing."""
    import fcntl

    try:
        file = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return fcntl.ioctl(file, _QUERYCAP, bytes(104))
    except OSError:
        return None
    finally:
        os.close(file)


def has_sensor(node: Path) -> bool:
    """Whether there is a real camera behind a node, whose every picture has some noise in it."""
    answer = _capability(node)
    if answer is None:
        return False
    return answer[:16].rstrip(b"\0").decode("utf-8", "replace") not in _VIRTUAL


def _captures(node: Path) -> bool | None:
    """Whether a node delivers pictures; None if it does not say."""
    answer = _capability(node)
    if answer is None:
        return None
    all_caps, own_caps = struct.unpack_from("<II", answer, 84)
    caps = own_caps if all_caps & _DEVICE_CAPS else all_caps
    return bool(caps & _CAN_CAPTURE) and not caps & _CONVERTS


def _number(path: Path) -> int:
    digits = re.sub(r"\D", "", path.name)
    return int(digits) if digits else -1


def list_cameras(sysfs: Path = _SYSFS, dev: Path = _DEV) -> list[tuple[str, str]]:
    """Path and name of every V4L2 camera, in the order of their numbers.

    Args:
        sysfs: folder in which the kernel lists its video devices.
        dev: folder of the device nodes.
    """
    cameras = []
    entries = sorted(sysfs.glob("video*"), key=_number) if sysfs.is_dir() else []
    for entry in entries:
        try:
            name = (entry / "name").read_text(errors="replace").strip()
        except OSError:
            continue
        captures = _captures(dev / entry.name)
        if captures is None:  # a camera's second node carries metadata; its first the pictures
            try:
                captures = int((entry / "index").read_text()) == 0
            except (OSError, ValueError):
                captures = True
        if captures and not name.startswith(_NOT_CAMERAS):
            cameras.append((str(dev / entry.name), name))
    return cameras


def others_named(dev: Path = _DEV) -> str:
    """The /dev/video* that exist, for a message."""
    nodes = sorted(dev.glob("video*"), key=_number)
    if not nodes:
        return f"there is no {dev}/video* at all, plug a camera in"
    return "there are " + ", ".join(str(node) for node in nodes)


def why_not(node: Path) -> str:
    """Find out why a camera does not open: one sentence, with the remedy."""
    import fcntl

    if not node.exists():
        return f"There is no camera {node}: {others_named(node.parent)}."
    try:
        file = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        return _reason(node, error)
    try:
        answer = fcntl.ioctl(file, _QUERYCAP, bytes(104))
        all_caps, own_caps = struct.unpack_from("<II", answer, 84)
        caps = own_caps if all_caps & _DEVICE_CAPS else all_caps
        if not caps & _CAN_CAPTURE:
            return f"{node} delivers no pictures, it is another kind of device: {_suggest()}."
        # Streaming belongs to one program at a time: asking for buffers tells whether it is free.
        for count in (1, 0):
            request = struct.pack("<IIIII", count, _BUFFER_CAPTURE, _MEMORY_MMAP, 0, 0)
            fcntl.ioctl(file, _REQBUFS, request)
    except OSError as error:
        return _reason(node, error)
    finally:
        os.close(file)
    return f"The camera {node} delivers no pictures: pull it out and plug it in again."


def refuse_others(node: Path) -> None:
    """Refuse what is known to be no camera before it is opened, which may set another device off.

    Raises:
        SensorError: it is a folder, a pipe, or a device that is no camera.
    """
    try:
        status = os.stat(node)
    except OSError:
        return
    camera = stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) == _MAJOR
    if not (camera or stat.S_ISREG(status.st_mode)):
        raise SensorError(_no_camera(node, status.st_mode))


def _no_camera(path: Path, mode: int) -> str:
    """A sentence on something of that name that is something else."""
    if stat.S_ISDIR(mode):
        return f"{path} is a folder, not a camera: {_suggest()}."
    if stat.S_ISREG(mode):
        return f"{path} is a file, not a camera: watch a recording with --clip, or {_suggest()}."
    return f"{path} is not a camera: {_suggest()}."


def _suggest() -> str:
    cameras = list_cameras()
    if not cameras:
        return "plug a camera in"
    return "use " + " or ".join(f"{path} ({name})" for path, name in cameras[:3])


def _reason(node: Path, error: OSError) -> str:
    if error.errno == errno.EBUSY:
        return f"The camera {node} is busy: another program uses it; `fuser {node}` names it."
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"The camera {node} may not be opened by this user: add the user to the group video "
            "(`sudo usermod -aG video $USER`) and log in again."
        )
    if error.errno in (errno.ENOTTY, errno.EINVAL):
        return _no_camera(node, node.stat().st_mode)
    return f"The camera {node} cannot be opened ({error.strerror}): plug it in again."
