"""What a run did, counted."""

from collections.abc import Iterable
from dataclasses import dataclass

from edge.sensor_stages import MicrophoneStage
from edge.stages import FaceStage, VoiceStage


@dataclass
class Totals:
    """What all stages have done since the start of the run, those that were replaced included."""

    frames: int = 0
    read: int = 0
    dropped: int = 0
    refused: int = 0
    oldest_s: float = 0.0
    age_s: float = 0.0
    """Sum over all frames that were read."""
    busy_s: float = 0.0
    windows: int = 0
    overflows: int = 0

    def add(self, stage: object) -> None:
        """Add what *stage* has done."""
        if isinstance(stage, FaceStage):
            self.read += stage.processed
            self.refused += stage.refused
            self.age_s += stage.age_s
            self.busy_s += stage.busy_s
            self.oldest_s = max(self.oldest_s, stage.oldest_s)
        elif isinstance(stage, VoiceStage):
            self.windows += stage.processed
        elif isinstance(stage, MicrophoneStage):
            self.overflows += stage.overflows

    def plus(self, stages: Iterable[object], frames: int, dropped: int) -> "Totals":
        """These and what *stages* have done; *frames* and *dropped* are counted by the mailbox."""
        sums = Totals(**vars(self))
        for stage in stages:
            sums.add(stage)
        sums.frames, sums.dropped = frames, dropped
        return sums


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
    """Stages that fell over or hung and were started again."""

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
