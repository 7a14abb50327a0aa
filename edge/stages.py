"""The stages of the appliance: one thread each, joined by mailboxes, every wait bounded."""

import math
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from edge.errors import MienError
from edge.mailbox import Mailbox
from edge.messages import FaceReading, Frame, Mood, NoFace, VoiceReading
from edge.outputs import Output
from edge.perception.speech_gate import SpeechWindow

WAIT_S: Final = 0.2
"""Longest that a stage waits for anything before it looks whether it should stop."""
STALE_S: Final = 0.2
"""An older frame is not worth reading."""
REST_S: Final = 0.002
"""Least pause between two pictures of an output that cannot keep up with its own rate."""


class FrameReader(Protocol):
    """Reads faces; `edge.perception.face_reader.FaceReader` on the device."""

    def read(self, frame: Frame) -> FaceReading | NoFace:
        """What the frame says."""

    def close(self) -> None:
        """Free what it holds."""


class WindowReader(Protocol):
    """Reads voices; `edge.perception.voice_reader.VoiceReader` on the device."""

    def read(self, window: SpeechWindow | None) -> VoiceReading | None:
        """What the window says."""


class Stage:
    """A named thread that repeats `step` until it is told to stop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.failure: BaseException | None = None
        """What ended the stage, when it was not told to stop."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask to end; `join` waits for it."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False if the stage hangs."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """The thread is running."""
        return self._thread.is_alive()

    def step(self) -> bool:
        """One bounded piece of work; False ends the stage."""
        raise NotImplementedError

    def finish(self) -> None:
        """Let go of what `step` took; called once, on the stage's own thread."""

    def _run(self) -> None:
        try:
            while not self._stopping.is_set() and self.step():
                continue
        except Exception as error:  # the appliance reports it; a thread must not die in silence
            self.failure = error
        try:
            self.finish()
        except Exception as error:  # what ended the stage says more than what followed from it
            self.failure = self.failure or error


class FaceStage(Stage):
    """Newest frame -> newest face reading."""

    def __init__(
        self,
        reader: FrameReader,
        frames: Mailbox[Frame],
        readings: Mailbox[FaceReading | NoFace],
    ) -> None:
        super().__init__("face")
        self._reader, self._frames, self._readings = reader, frames, readings
        self.processed = 0
        self.refused = 0
        """Frames that were too old to be read."""
        self.oldest_s = 0.0
        """Age of the oldest frame that was read, when its reading began."""
        self.busy_s = 0.0

    def step(self) -> bool:
        """Read the newest frame, unless it is too old."""
        frame = self._frames.take(WAIT_S)
        if frame is None:
            return True
        began_s = time.monotonic()
        age_s = began_s - frame.t_s
        if age_s > STALE_S:
            self.refused += 1
            return True
        self.oldest_s = max(self.oldest_s, age_s)
        self._readings.put(self._reader.read(frame))
        self.processed += 1
        self.busy_s += time.monotonic() - began_s
        return True

    def finish(self) -> None:
        """Free the reader."""
        self._reader.close()


class VoiceStage(Stage):
    """Newest window -> newest voice reading."""

    def __init__(
        self,
        reader: WindowReader,
        windows: Mailbox[SpeechWindow],
        readings: Mailbox[VoiceReading],
    ) -> None:
        super().__init__("voice")
        self._reader, self._windows, self._readings = reader, windows, readings
        self.processed = 0

    def step(self) -> bool:
        """Read the newest window."""
        reading = self._reader.read(self._windows.take(WAIT_S))
        if reading is not None:
            self._readings.put(reading)
            self.processed += 1
        return True


class OutputStage(Stage):
    """Shows the newest mood, as often as the output wants."""

    def __init__(self, output: Output, report: Callable[[str], None]) -> None:
        """Drive *output*; *report* is told once when it fails, and again only after it recovered."""
        super().__init__(f"output {output.name}")
        self._output, self._report = output, report
        self._moods: Mailbox[Mood] = Mailbox()
        self._mood: Mood | None = None
        self._shown_s = -math.inf
        self._failing = False

    def put(self, mood: Mood) -> None:
        """Leave the newest mood."""
        self._moods.put(mood)

    def step(self) -> bool:
        """Show the newest mood when the output is due."""
        due_s = self._shown_s + self._output.interval_s
        if self._stopping.wait(max(REST_S, min(WAIT_S, due_s - time.monotonic()))):
            return False
        # Only the first mood is waited for: an animated face moves on without a new one.
        self._mood = self._moods.take(WAIT_S if self._mood is None else 0.0) or self._mood
        if self._mood is None or time.monotonic() < due_s:
            return True
        self._shown_s = time.monotonic()
        try:
            self._output.show(self._mood, self._shown_s)
            self._failing = False
        except MienError as error:
            if not self._failing:
                self._report(str(error))
            self._failing = True
            self._stopping.wait(1.0)
        return True

    def finish(self) -> None:
        """Clear and close the output."""
        self._output.close()
