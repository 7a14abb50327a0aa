"""The shared libraries that the packages load, and Debian's packages of them.

setup.sh runs this file by itself, with whatever Python it has found and before anything is installed:
it needs the standard library alone, and prints the packages of what is missing.
"""

import ctypes
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

LIBRARIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "libEGL.so.1": "libegl1",
        "libGLESv2.so.2": "libgles2",
        "libGL.so.1": "libgl1",
        "libgthread-2.0.so.0": "libglib2.0-0",
        "libportaudio.so.2": "libportaudio2",
    }
)
"""Shared libraries that MediaPipe, OpenCV and PyAudio load, and Debian's packages of them."""


def missing(load: Callable[[str], object] = ctypes.CDLL) -> list[str]:
    """Those of `LIBRARIES` that *load* raises OSError for."""
    absent = []
    for library in LIBRARIES:
        try:
            load(library)
        except OSError:
            absent.append(library)
    return absent


if __name__ == "__main__":
    for library in missing():
        print(LIBRARIES[library])
