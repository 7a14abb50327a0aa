"""Whose turn it is to write to the terminal: that of previews, or of whoever says a sentence.

By itself, because who says one need not draw: a word hours into a run loads no library of pictures.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final


class Turn:
    """Who may write to the terminal, and how often others than previews have written."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.others = 0


TURN: Final = Turn()


@contextmanager
def beside_previews() -> Iterator[None]:
    """Inside, whole lines can be written: previews hold still, and begin anew below them."""
    mine = TURN.lock.acquire(timeout=1.0)
    try:
        yield
    finally:
        TURN.others += 1
        if mine:
            TURN.lock.release()
