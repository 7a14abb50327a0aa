"""How a process grows: what /proc says of it, its trend, and a picture of that. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

HOUR_S: Final = 3600.0
BLOCK_S: Final = 60.0
"""The trend is that of the lower deciles of so long a time: neighbouring samples are no separate
witnesses, and what a moment needs (a frame being converted) comes on top of what is held, the more
often the busier the machine is."""
HELD_PERCENT: Final = 10
LEAST_BLOCKS: Final = 5
"""Fewer tell nothing of a trend."""
_SURE: Final = 1.96
"""Two-sided 95 % of the normal distribution."""
_BARS: Final = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Sample:
    """What a process held at one moment."""

    t_s: float
    """Since its start."""
    resident_mb: float
    anonymous_mb: float
    """Of that, what is in no file; and what of it is swapped out."""
    threads: int
    files: int
    """Open file descriptors."""
    cpu_s: float
    """Processor time so far."""


@dataclass(frozen=True)
class Trend:
    """A slope for each hour, with the ends of its 95 % confidence interval."""

    per_h: float
    low: float
    high: float

    def __str__(self) -> str:
        """As the table says it."""
        return f"{self.per_h:+.2f} MB/h ({self.low:+.2f} to {self.high:+.2f})"


@dataclass(frozen=True)
class Flatness:
    """How a count that goes up and down fared: its least, median and most, early and late."""

    early: tuple[int, float, int]
    late: tuple[int, float, int]

    @property
    def flat(self) -> bool:
        """A count that something is added to for good never gets as low again as it was.

        Nor is it mostly as low: its least may be that of rare moments, which only one of both met.
        """
        return self.late[0] <= self.early[0] or self.late[1] <= self.early[1]

    def __str__(self) -> str:
        """As the table says it."""
        early, late = (f"{low} to {high}" for low, _, high in (self.early, self.late))
        return f"{early} at first, {late} at the end"


def read_status(status: str) -> dict[str, int]:
    """The numbers of /proc/PID/status by their names; sizes in kB."""
    found: dict[str, int] = {}
    for line in status.splitlines():
        name, _, rest = line.partition(":")
        first = rest.split()[:1]
        if first and first[0].isdecimal():
            found[name] = int(first[0])
    return found


def read_cpu_ticks(stat: str) -> int:
    """User and system time in clock ticks of /proc/PID/stat, where the name may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def sample(t_s: float, status: Mapping[str, int], files: int, cpu_s: float) -> Sample:
    """A sample of what `read_status` found."""
    own_kb = status["RssAnon"] + status.get("VmSwap", 0)
    return Sample(t_s, status["VmRSS"] / 1024, own_kb / 1024, status["Threads"], files, cpu_s)


def held(
    t_s: Sequence[float], values: Sequence[float], block_s: float = BLOCK_S
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median times and lower deciles of blocks of *block_s*, the last one only if it is half full."""
    times, numbers = np.asarray(t_s, np.float64), np.asarray(values, np.float64)
    if not len(times):
        return np.zeros(0), np.zeros(0)
    which = ((times - times[0]) // block_s).astype(int)
    full = np.bincount(which).max() / 2
    kept = [block for block in np.unique(which) if np.sum(which == block) >= full]
    return (
        np.array([np.median(times[which == block]) for block in kept]),
        np.array([np.percentile(numbers[which == block], HELD_PERCENT) for block in kept]),
    )


def trend(t_s: Sequence[float], values: Sequence[float], block_s: float = BLOCK_S) -> Trend:
    """The median of all slopes between two blocks (Theil 1950), its interval after Sen (1968).

    Args:
        t_s: times in seconds, rising.
        values: as many of what is watched.
        block_s: length of a block.

    Raises:
        ValueError: fewer than `LEAST_BLOCKS` blocks.
    """
    middles, levels = held(t_s, values, block_s)
    count = len(middles)
    if count < LEAST_BLOCKS:
        raise ValueError(f"{count} blocks of {block_s:.0f} s are too few")
    first, second = np.triu_indices(count, 1)
    slopes = np.sort((levels[second] - levels[first]) / (middles[second] - middles[first]))
    spread = _SURE * np.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, int(np.floor((len(slopes) - spread) / 2)))
    high = min(len(slopes) - 1, int(np.ceil((len(slopes) + spread) / 2)))
    return Trend(
        float(np.median(slopes)) * HOUR_S,
        float(slopes[low]) * HOUR_S,
        float(slopes[high]) * HOUR_S,
    )


def flatness(counts: Sequence[int]) -> Flatness:
    """The first third of *counts* against the last; of at least three."""
    third = len(counts) // 3
    early, late = (
        (min(part), float(np.median(part)), max(part)) for part in (counts[:third], counts[-third:])
    )
    return Flatness(early, late)


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """*values* as a line of *width* bars, the least the lowest; each the median of its share."""
    shares = [part for part in np.array_split(np.asarray(values, np.float64), width) if len(part)]
    levels = np.array([np.median(part) for part in shares])
    if not len(levels):
        return ""
    low, high = levels.min(), levels.max()
    heights = (levels - low) / (high - low) if high > low else np.zeros(len(levels))
    return "".join(_BARS[round(float(height) * (len(_BARS) - 1))] for height in heights)
