"""Imports MediaPipe's vision tasks without the plotting and sound packages that come along."""

import ctypes
import platform
import sys
from types import ModuleType
from typing import Any, Final

from edge.errors import ModelError

_CAPABILITIES: Final = 16
"""AT_HWCAP of linux/auxvec.h."""
_ATOMICS: Final = 1 << 8
"""HWCAP_ATOMICS of the kernel's arch/arm64: the LSE instructions of ARMv8.1."""
_UNUSED: Final = ("matplotlib", "matplotlib.pyplot", "sounddevice")
"""MediaPipe imports these for drawing helpers and a recorder that Mien does not use. They cost
40 MB and a second or more on a small board, and matplotlib writes a font list to the home folder."""


def check_processor(machine: str = "", capabilities: int | None = None) -> None:
    """Refuse a processor on which MediaPipe's library would end the whole program (SIGILL).

    Seen with all aarch64 packages from 1.0.0 to 1.2.2 on an emulated Cortex-A72: "compiled with lse
    enabled, but this feature is not available on this processor".

    Args:
        machine: as `platform.machine` says; this one when empty.
        capabilities: AT_HWCAP as the kernel gives it; this processor's when None.

    Raises:
        ModelError: it is a 64-bit ARM without the LSE instructions.
    """
    if (machine or platform.machine()) != "aarch64":
        return
    if capabilities is None:
        try:
            ask = ctypes.CDLL(None).getauxval
        except (OSError, AttributeError):  # not Linux, where there are no such processors either
            return
        ask.argtypes, ask.restype = [ctypes.c_ulong], ctypes.c_ulong
        capabilities = int(ask(_CAPABILITIES))
    if not capabilities & _ATOMICS:
        raise ModelError(
            "MediaPipe, which finds faces, does not run on this processor, as its packages are made "
            "for ARMv8.1 and newer (Raspberry Pi 5, Jetson Orin)."
        )


def import_vision() -> tuple[Any, Any, Any]:
    """MediaPipe's `vision` tasks, `BaseOptions` and `Image`.

    Empty modules stand in for `_UNUSED` while the import runs; where one is loaded already it is
    left alone, and afterwards the real ones can be imported as ever.

    Raises:
        ImportError: MediaPipe or something that it needs is not installed.
        OSError: a shared library is missing.
        ModelError: this processor cannot run MediaPipe.
    """
    check_processor()
    stand_ins = {name: ModuleType(name) for name in _UNUSED if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        from mediapipe import Image
        from mediapipe.tasks.python import BaseOptions, vision
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
    return vision, BaseOptions, Image
