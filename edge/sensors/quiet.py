"""Keeps C libraries from writing to the terminal."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_LOCK = threading.Lock()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what C code writes to standard error nowhere for a moment.

    ALSA and JACK print a page of warnings about devices that do not exist while PortAudio looks for
    those that do. The whole process is deaf on file descriptor 2 meanwhile: keep it short.
    """
    with _LOCK:
        try:
            saved = os.dup(2)
        except OSError:  # started without a standard error: nothing to silence
            yield
            return
        try:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                sys.stderr.flush()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
