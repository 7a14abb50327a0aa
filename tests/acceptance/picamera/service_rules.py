"""In the guest: the camera as Mien's service is allowed to use it, under the rules of its own unit."""

import json
import os
import subprocess
from pathlib import Path
from typing import Final

from tests.acceptance.common.service import need
from tests.acceptance.picamera.bar_pattern import shift_px
from tests.acceptance.picamera.open_camera import camera, picture

UNIT: Final = Path("/etc/systemd/system/mien.service")
COPY: Final = Path("/run/systemd/system/mien-rig-camera.service")
SAID: Final = Path("/var/lib/mien/rig-camera.json")
"""In the service's folder for state, one of the few places that it may write to."""
LIMIT_S: Final = 200.0
_LEFT_OUT: Final = (
    "Type=",
    "NotifyAccess=",
    "Exec",
    "Restart",
    "Watchdog",
    "Standard",
    "WantedBy=",
)
"""What makes it a service that says READY and comes back; none of it a rule of what it may do."""


def copied(unit: str, command: str, environment: str) -> str:
    """The text of *unit* with another program under the same rules, which runs once."""
    kept = [line for line in unit.splitlines() if not line.startswith(_LEFT_OUT)]
    added = {
        "[Unit]": ["DefaultDependencies=no"],
        "[Service]": ["Type=oneshot", f"ExecStart={command}", f"Environment={environment}"],
    }
    lines = [text for line in kept for text in (line, *added.get(line, []))]
    return "\n".join(lines) + "\n"


def confined() -> str:
    """Run `main` under those rules; what it saw."""
    environment = f"PYTHONPATH=/rig GLIBC_TUNABLES={os.environ['GLIBC_TUNABLES']}"
    command = "/opt/mien/venv/bin/python -m tests.acceptance.picamera.service_rules"
    COPY.parent.mkdir(parents=True, exist_ok=True)
    COPY.write_text(copied(UNIT.read_text(), command, environment))
    # Mien's rules for udev are what lets its group at the heap.
    for words in (
        ("systemctl", "start", "systemd-udevd.service"),
        ("udevadm", "trigger", "--settle", "--subsystem-match=dma_heap"),
        ("systemctl", "daemon-reload"),
        ("systemctl", "start", COPY.name),
    ):
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        need(done.returncode == 0, f"{' '.join(words)}: {done.stderr.strip()[-200:]}")
    said = json.loads(SAID.read_text())
    need(said["uid"] != 0, "it ran as root")
    need(said["status"] == {"Seccomp": "2", "NoNewPrivs": "1", "CapBnd": "0" * 16}, str(said))
    need(not said["opened"], f"it may open {said['opened']}")
    return (
        f"{said['pictures']} pictures read as user mien with mien.service's rules: filtered system "
        "calls, no capability, no network, closed devices, no memory both written and run"
    )


def main() -> None:
    """Read a few pictures and write down under what rules."""
    from tests.acceptance.picamera import libcamera_shim

    libcamera_shim.install()
    with camera() as one:
        shifts = {shift_px(picture(one).image) for _ in range(5)}
    lines = [line.partition(":\t") for line in Path("/proc/self/status").read_text().splitlines()]
    names = ("Seccomp", "NoNewPrivs", "CapBnd")
    result = {
        "uid": os.getuid(),
        "status": {name: value for name, _, value in lines if name in names},
        "opened": [path for path in ("/dev/vda", "/dev/kmsg") if _opens(path)],
        "pictures": len(shifts),
    }
    SAID.write_text(json.dumps(result))


def _opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
