"""Imports MediaPipe's vision tasks without the plotting and sound packages that come along."""

import sys
from types import ModuleType
from typing import Any, Final

_UNUSED: Final = ("matplotlib", "matplotlib.pyplot", "sounddevice")
"""MediaPipe imports these for drawing helpers and a recorder that Mien does not use. They cost
40 MB and a second or more on a small board, and matplotlib writes a font list to the home folder."""


def import_vision() -> tuple[Any, Any, Any]:
    """MediaPipe's `vision` tasks, `BaseOptions` and `Image`.

    Empty modules stand in for `_UNUSED` while the import runs; where one is loaded already it is
    left alone, and afterwards the real ones can be imported as ever.

    Raises:
        ImportError: MediaPipe or something that it needs is not installed.
        OSError: a shared library is missing.
    """
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
