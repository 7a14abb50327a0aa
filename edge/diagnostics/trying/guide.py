"""Talks a person through one thing after another: says, waits for Enter, and ends at once when asked."""

import os
import select
import textwrap
import threading
import time
from collections.abc import Callable
from typing import Final, TextIO

from edge.errors import MienError
from edge.process.printable import printable

WIDTH: Final = 88
LOOK_S: Final = 0.04
"""How often a moving face is drawn anew, and a key is looked for."""


class StoppedError(Exception):
    """Somebody has had enough."""


class NotWiredError(MienError):
    """There is nothing of the kind to try."""


class Guide:
    """What is said goes to *out*; where somebody sits at *keys* each step waits for Enter."""

    def __init__(
        self,
        out: TextIO,
        keys: TextIO | None,
        step_s: float,
        stopping: threading.Event | None = None,
    ) -> None:
        """Begin.

        Args:
            out: where to say it.
            keys: the standard input if it is a terminal, else None: then each step takes *step_s*.
            step_s: how long a step takes without anybody to press Enter, in seconds.
            stopping: ends everything once it is set.
        """
        self.out, self._keys, self.step_s = out, keys, step_s
        self.stopping = stopping or threading.Event()
        self.wrong = 0
        """How many things Mien itself has found to be wrong."""
        self.live = out.isatty()
        """Whether a line may be written over."""

    def say(self, text: str = "") -> None:
        """Say a paragraph."""
        for line in textwrap.wrap(printable(text), WIDTH) or [""]:
            print(line, file=self.out)
        self.out.flush()

    def advise(self, *advice: str) -> None:
        """Say what to do when it is not so."""
        for each in advice:
            lines = textwrap.wrap(printable(each), WIDTH - 4)
            print("  - " + "\n    ".join(lines), file=self.out)
        self.out.flush()

    def judge(self, well: bool, text: str, *advice: str) -> None:
        """Say what Mien itself has found, and what to do about it if it is not *well*."""
        self.say(f"{'Good' if well else 'Not good'}: {text}")
        if not well:
            self.wrong += 1
            self.advise(*advice)

    def wait(self, meanwhile: Callable[[], object] = lambda: None, longest_s: float = 0.0) -> None:
        """Let somebody look: until Enter, or for a step.

        Args:
            meanwhile: is called all the time.
            longest_s: of a step without anybody; 0 for the usual.

        Raises:
            StoppedError: somebody has had enough.
        """
        if self._keys is not None:
            print("[Enter] next  [Ctrl-C] end ", end="", file=self.out, flush=True)
        end_s = time.monotonic() + (longest_s or self.step_s)
        while self._keys is not None or time.monotonic() < end_s:
            meanwhile()
            if self._keys is not None and select.select([self._keys], [], [], 0)[0]:
                if not os.read(self._keys.fileno(), 1024):  # Ctrl-D: nobody will press anything
                    self._keys = None
                    print(file=self.out)
                return
            if self.stopping.wait(LOOK_S):
                print(file=self.out, flush=True)
                raise StoppedError
        if self.stopping.is_set():
            raise StoppedError
