"""One walk through what is wired, or through all of it."""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from edge.build.outputs import this_host
from edge.config.schema import Settings
from edge.diagnostics.trying.camera import try_camera
from edge.diagnostics.trying.display import try_display
from edge.diagnostics.trying.guide import Guide, NotWiredError, StoppedError
from edge.diagnostics.trying.lights import try_lights
from edge.diagnostics.trying.microphone import try_microphone
from edge.errors import MienError, OutputError
from edge.hardware.host import Host
from edge.process.command_output import output_of
from edge.process.native_output import mute_native_code
from edge.process.signals import stopped_by_signals

PARTS: Final[Mapping[str, Callable[[Settings, Host, Guide], None]]] = {
    "display": try_display,
    "lights": try_lights,
    "microphone": try_microphone,
    "camera": try_camera,
}
_ACTIVE: Final = ("active", "activating", "reloading", "deactivating")
_HOLDING: Final = ("run", "calibrate", "bench")
"""Commands of Mien that hold devices."""
_NODES: Final = ("/dev/video", "/dev/snd/pcm", "/dev/i2c-", "/dev/spidev", "/dev/gpio")


def run_session(
    settings: Settings, thing: str | None, step_s: float, picture: Path | None = None
) -> int:
    """Try *thing*, or all that is wired; talks on the standard output.

    Args:
        settings: all of them.
        thing: a key of `PARTS`; None for all.
        step_s: how long each step takes where nobody sits at a terminal.
        picture: where the camera's picture goes to, if anywhere.

    Returns:
        0 if everything that Mien can tell by itself is well, 1 if something is not, 130 if it was
        stopped; where all is tried, that of the first thing that could not be used.

    Raises:
        MienError: *thing* cannot be used, or something else holds it; says what to do.
    """
    holder = held_by()
    if holder:
        raise OutputError(holder)
    mute_native_code()
    stopping = threading.Event()
    keys = (
        sys.stdin if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty() else None
    )
    guide = Guide(sys.stdout, keys, step_s, stopping)
    host = this_host(settings)
    failed = 0
    with stopped_by_signals(stopping.set):
        try:
            for name in PARTS if thing is None else (thing,):
                try:
                    if thing is None:
                        guide.say(f"== {name} ==")
                    if name == "camera":
                        try_camera(settings, host, guide, picture)
                    else:
                        PARTS[name](settings, host, guide)
                except MienError as error:
                    if thing is not None:
                        raise
                    guide.say(str(error))
                    if not isinstance(error, NotWiredError):
                        failed = failed or error.exit_code
                if thing is None:
                    guide.say()
        except StoppedError:
            guide.say("Stopped; everything is off.")
            return 130
    return failed or min(guide.wrong, 1)


def held_by(ask: Callable[..., str] = output_of, proc: Path = Path("/proc")) -> str:
    """Who holds the devices, with the command to stop it; empty if nobody of Mien does.

    Args:
        ask: runs a command and gives what it prints.
        proc: where the kernel tells of its processes.
    """
    state = ask("systemctl", "show", "--property=ActiveState", "--value", "mien.service").strip()
    if state in _ACTIVE:
        return (
            "The service mien is running and holds the devices: stop it with sudo systemctl stop mien, "
            "try again, and start it with sudo systemctl start mien."
        )
    for entry in sorted(proc.glob("[0-9]*")):
        if int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if _is_mien(words) and _has_devices(entry / "fd"):
            return (
                f"Mien runs already, as process {entry.name}, and holds devices: end it with Ctrl-C "
                f"where it runs, or with kill {entry.name}, and try again."
            )
    return ""


def _is_mien(words: list[str]) -> bool:
    """Whether the words of a command line are a Mien that may hold devices."""
    if "edge.splash" in words:
        return True
    for place, word in enumerate(words[:-1]):
        named = word.rpartition("/")[2] == "mien" or (word == "edge" and words[place - 1] == "-m")
        if named and words[place + 1] in _HOLDING:
            return True
    return False


def _has_devices(fds: Path) -> bool:
    """Whether a process has any device open that is tried here; one of another user may have."""
    try:
        opened = [os.readlink(fd) for fd in fds.iterdir()]
    except OSError:
        return True
    return any(path.startswith(_NODES) for path in opened)
