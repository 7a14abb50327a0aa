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


def mute_native_code() -> None:
    """Keep the log lines of native libraries off the terminal for the rest of the process.

    LiteRT and MediaPipe log to file descriptor 2 whenever they please, even after the last line of
    Python. Python's own `sys.stderr` goes on writing to where it did. MIEN_DEBUG=1 lets them talk.
    """
    try:
        os.fstat(2)
    except OSError:  # closed: the next file that is opened would get their lines
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != 2:
            os.dup2(nowhere, 2)
            os.close(nowhere)
        return
    if os.environ.get("MIEN_DEBUG"):
        return
    try:
        sys.stderr.flush()
        own = os.fdopen(
            os.dup(2), "w", encoding=sys.stderr.encoding, errors="backslashreplace", buffering=1
        )
    except (OSError, ValueError, AttributeError):  # no standard error, or one that is no file
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = own
