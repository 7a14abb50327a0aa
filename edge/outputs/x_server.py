"""Survives the end of the X server that a window is on: Xlib would end the process, without a word."""

import ctypes
import re
import threading
from pathlib import Path
from typing import Any, Final

_LIBRARY: Final = re.compile(r"(?m)\s(/\S*/libX11(?!-xcb)[.-][^/\s]*)$")
"""Xlib among the mapped files: the system's, or one that a package of Python has brought."""


class XServer:
    """Notices that the server has ended, in place of Xlib's own way, which is exit(1)."""

    def __init__(self) -> None:
        self.ended = False
        """The server of a window has ended; SDL can open no other one in this process."""
        self._kept: list[object] = []
        """What Xlib calls must not be collected."""

    def watch(self) -> None:
        """Survive the end from now on; to be called when a window has been opened."""
        if self._kept:
            return
        for library in sorted(set(_LIBRARY.findall(Path("/proc/self/maps").read_text()))):
            self._install(ctypes.CDLL(library))

    def _install(self, xlib: Any) -> None:
        def stay(display: int | None) -> int:
            # To return is to exit, or to have Mesa run into what Xlib no longer has (SIGSEGV). So
            # this thread stays here; whoever looks after it sees that it hangs, and goes on.
            self.ended = True
            threading.Event().wait()
            return 0

        handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(stay)
        xlib.XSetIOErrorHandler.argtypes = [ctypes.c_void_p]
        xlib.XSetIOErrorHandler.restype = ctypes.c_void_p
        xlib.XSetIOErrorHandler(handler)
        self._kept += [xlib, handler]


SERVER: Final = XServer()
"""Xlib has one handler for the whole process."""
