"""What a run did, counted."""

from dataclasses import dataclass


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

    def sentence(self) -> str:
        """The run in two lines."""
        changes = " -> ".join(
            shown
            for index, (_, shown) in enumerate(self.shown)
            if index == 0 or shown != self.shown[index - 1][1]
        )
        return (
            f"{self.seconds:.0f} s: {self.frames_read} of {self.frames} frames read, "
            f"{self.frames_dropped} dropped, {self.frames_refused} too old, oldest read "
            f"{self.oldest_frame_s * 1000:.0f} ms; {self.voice_windows} voice windows, "
            f"{self.overflows} sound overflows.\nShown: {changes}"
        )
