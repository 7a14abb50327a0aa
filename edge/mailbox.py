"""A letter box that holds one item: the newest."""

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Joins two threads without ever growing: what is not taken in time is replaced."""

    def __init__(self) -> None:
        self._item: Item | None = None
        self._filled = threading.Condition()
        self.put_count = 0
        self.dropped = 0
        """Items that were replaced before anybody took them."""

    def put(self, item: Item) -> None:
        """Leave *item*, replacing one that is still there."""
        with self._filled:
            self.put_count += 1
            if self._item is not None:
                self.dropped += 1
            self._item = item
            self._filled.notify()

    def take(self, timeout_s: float) -> Item | None:
        """Take the item, waiting at most *timeout_s* for one; None if none came."""
        with self._filled:
            if self._item is None:
                self._filled.wait(timeout_s)
            item, self._item = self._item, None
            return item
