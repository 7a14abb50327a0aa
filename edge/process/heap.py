"""Keeps the C library's heap from creeping up over hours and days.

By default glibc gives threads heaps of their own, up to eight for each core, and after the first picture
it takes those from a heap as well, where they leave holes that smaller things then lie in. So a process
that holds no more than before grows for hours. Here one heap serves all threads, and large blocks
are mapped by themselves and given back at once, which costs some processor time
(docs/decisions/023-heap.md).
"""

import ctypes
from typing import Final

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""As malloc.h numbers them."""
_OPTIONS: Final = {
    _ARENA_MAX: 1,
    # To set one keeps glibc from raising both, up to 32 and 64 MB. Pillow writes pictures by way of
    # blocks of 64 kB, cut down to what was written: where they are mapped, that leaves no hole.
    _MMAP_THRESHOLD: 64 * 1024,
    _TRIM_THRESHOLD: 128 * 1024,
}


def steady_heap() -> None:
    """Have one heap from now on; to be called before there are threads. Without glibc it does nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in _OPTIONS.items():
            mallopt(option, value)
