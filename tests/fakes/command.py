"""`mien` as a function, which tests/unit/edge/conftest.py makes."""

from typing import NamedTuple, Protocol


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class Mien(Protocol):
    """Runs the command line with these arguments."""

    def __call__(self, *arguments: object) -> Ended: ...
