"""What a run did, counted."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass
class Statistics:
    """Counts of one stage, or of a whole run: every stage counts into one of its own."""

    frames: int = 0
    """Delivered by the camera."""
    read: int = 0
    """Frames in which a face was looked for."""
    dropped: int = 0
    """Frames that a newer one replaced before they could be read."""
    refused: int = 0
    """Frames that were too old to be read."""
    oldest_s: float = 0.0
    """Age of the oldest frame that was read, when its reading began."""
    age_s: float = 0.0
    """Sum of these ages over all frames that were read."""
    busy_s: float = 0.0
    """Time spent on reading frames."""
    moved_s: float = -math.inf
    """When something has last moved in the picture, as far as anybody asked, monotonic."""
    windows: int = 0
    """Windows of speech that gave a reading."""
    overflows: int = 0
    """How often sound was lost."""

    def add(self, other: "Statistics") -> None:
        """Count *other* in: sums, but the greatest of `oldest_s` and `moved_s`."""
        self.frames += other.frames
        self.read += other.read
        self.dropped += other.dropped
        self.refused += other.refused
        self.oldest_s = max(self.oldest_s, other.oldest_s)
        self.age_s += other.age_s
        self.busy_s += other.busy_s
        self.moved_s = max(self.moved_s, other.moved_s)
        self.windows += other.windows
        self.overflows += other.overflows

    @classmethod
    def total(cls, parts: Iterable["Statistics"]) -> "Statistics":
        """All *parts* together."""
        total = cls()
        for part in parts:
            total.add(part)
        return total


@dataclass(frozen=True)
class RunReport:
    """What a run did, counted."""

    exit_code: int
    seconds: float
    ready_s: float
    """From the start of the run to the first picture or sound of any sense."""
    frames: int = 0
    frames_read: int = 0
    frames_dropped: int = 0
    frames_refused: int = 0
    oldest_frame_s: float = 0.0
    face_s: float = 0.0
    """Mean time to read one frame."""
    overflows: int = 0
    voice_windows: int = 0
    shown: tuple[tuple[float, str], ...] = ()
    """(seconds since the start, what was shown from then on), the last changes only."""
    hung: tuple[str, ...] = ()
    """Stages that did not end in time."""
    restarts: int = 0
    """Stages that crashed or hung and were started again."""

    def sentence(self) -> str:
        """The run in two lines."""
        changes = " -> ".join(
            shown
            for index, (_, shown) in enumerate(self.shown)
            if index == 0 or shown != self.shown[index - 1][1]
        )
        restarts = f", {self.restarts} restarts of a part" if self.restarts else ""
        return (
            f"{self.seconds:.0f} s: {self.frames_read} of {self.frames} frames read, "
            f"{self.frames_dropped} dropped, {self.frames_refused} too old, oldest read "
            f"{self.oldest_frame_s * 1000:.0f} ms; {self.voice_windows} voice windows, "
            f"{self.overflows} sound overflows{restarts}.\nShown: {changes}"
        )
