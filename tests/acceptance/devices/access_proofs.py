"""In the guest: with what the service works, and what it may open."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.acceptance.common.service import main_pid, need, show
from tests.acceptance.devices.observed_outputs import World


def real_libraries(world: World) -> str:
    """Its process has the libraries loaded and the devices open."""
    pid = main_pid()
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
    wanted = {
        "OpenCV": "cv2.abi3.so",
        "PyAudio": "_portaudio",
        "lgpio": "_lgpio",
        "MediaPipe": "mediapipe",
        "LiteRT": "ai_edge_litert",
    }
    missing = [name for name, file in wanted.items() if file not in maps]
    need(not missing, f"not loaded: {', '.join(missing)}")
    fds = Path(f"/proc/{pid}/fd")
    opened = {os.readlink(fd) for fd in fds.iterdir() if fd.is_symlink()}
    devices = sorted(
        path
        for path in opened
        if path.startswith(("/dev/video", "/dev/snd/pcm", "/dev/i2c", "/dev/gpio"))
    )
    kinds = {path.rstrip("0123456789cpCD") for path in devices}
    need(len(kinds) == 4, f"of the devices it has only {devices} open")
    return f"{', '.join(wanted)} loaded; open: {', '.join(devices)}"


OPEN: Final = """
import os, sys
with open("/sys/fs/cgroup" + sys.argv[1] + "/cgroup.procs", "w") as file:
    file.write(str(os.getpid()))
for path in sys.argv[2:]:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        print(path, 0)
    except OSError as error:
        print(path, error.errno)
"""


def devices_allowed(world: World) -> str:
    """What the service's rules for devices let through, tried as root from within its group."""
    need(show("DevicePolicy") == "closed", f"the policy is {show('DevicePolicy')}")
    needed = ["/dev/video0", "/dev/i2c-1", "/dev/gpiochip0", "/dev/snd/controlC0", "/dev/null"]
    others = ["/dev/vda", "/dev/kmsg", "/dev/uhid", "/dev/mem", "/dev/ttyS0", "/dev/hidraw0"]
    others += [node for node in ("/dev/fuse", "/dev/input/event0") if Path(node).exists()]
    others = [node for node in others if Path(node).exists()]
    outside = subprocess.run(
        [sys.executable, "-c", OPEN, "/system.slice/rig-proofs.service", *others],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    free = {line.split()[0] for line in outside.stdout.splitlines() if line.endswith(" 0")}
    within = subprocess.run(
        [sys.executable, "-c", OPEN, show("ControlGroup"), *needed, *others],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    answers = {line.split()[0]: int(line.split()[1]) for line in within.stdout.splitlines()}
    need(len(answers) == len(needed) + len(others), f"it ended with {within.stderr[-200:]}")
    # Busy is an answer of the device itself.
    shut = [node for node in needed if answers[node] not in (0, errno.EBUSY)]
    need(not shut, f"refused although needed: {', '.join(shut)}")
    refused = [node for node in others if node in free and answers[node] == errno.EPERM]
    leaks = [node for node in others if node in free and answers[node] != errno.EPERM]
    need(not leaks, f"not refused: {', '.join(leaks)}")
    need(len(refused) >= 4, f"only {refused} could be tried")
    return (
        f"closed; from within its group root itself gets EPERM for {', '.join(refused)}, which open "
        f"outside of it; {', '.join(needed)} open"
    )
