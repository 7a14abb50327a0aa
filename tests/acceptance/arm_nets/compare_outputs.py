"""How much the outputs of two machines differ, and the instruction counts between marks."""

import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MARK = re.compile(r"^mark ([BE]) (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Difference:
    """Between two sets of int8 arrays."""

    inputs: int
    values: int
    differing: int
    largest: int

    def __str__(self) -> str:
        if not self.differing:
            return f"{self.values} int8 outputs of {self.inputs} inputs, the same bit for bit"
        return (
            f"{self.differing} of {self.values} int8 outputs of {self.inputs} inputs differ, "
            f"by at most {self.largest}"
        )


def difference(
    here: Mapping[str, NDArray[Any]], there: Mapping[str, NDArray[Any]], names: list[str]
) -> Difference:
    """Compare the arrays of those names.

    Raises:
        ValueError: there are none, or their shapes or types differ.
    """
    if not names:
        raise ValueError("there is nothing to compare")
    differing = values = largest = 0
    for name in names:
        if here[name].shape != there[name].shape or here[name].dtype != there[name].dtype:
            raise ValueError(
                f"{name} is {here[name].dtype} {list(here[name].shape)} here and "
                f"{there[name].dtype} {list(there[name].shape)} there"
            )
        apart = np.abs(here[name].astype(np.int32) - there[name].astype(np.int32))
        values += apart.size
        differing += int(np.count_nonzero(apart))
        largest = max(largest, int(apart.max(initial=0)))
    return Difference(len(here[names[0]]), values, differing, largest)


def outputs_of(net: str, arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """Names of the arrays that *net* gave."""
    return sorted(name for name in arrays if re.fullmatch(rf"{net} \d+", name))


def counts(said: str) -> list[int]:
    """Instructions of each framed piece of work, from what count_instructions.c printed.

    Raises:
        ValueError: a frame has no end or no beginning.
    """
    marks = [(found[1], int(found[2])) for found in _MARK.finditer(said)]
    kinds = "".join(kind for kind, _ in marks)
    if kinds != "BE" * (len(marks) // 2):
        raise ValueError("the marks do not come in pairs")
    return [end - begin for (_, begin), (_, end) in zip(marks[::2], marks[1::2], strict=True)]


def describe_counts(pieces: list[int]) -> str:
    """Median and spread; the first inference, which also sets things up, is left out.

    Raises:
        ValueError: fewer than two.
    """
    if len(pieces) < 2:
        raise ValueError("there are too few inferences")
    later = pieces[1:]
    middle = statistics.median(later)
    return (
        f"{middle / 1e6:.2f} million instructions an inference "
        f"(median of {len(later)}; {min(later) / 1e6:.2f} to {max(later) / 1e6:.2f})"
    )
