"""The stages that read: a frame or a window of speech in, a reading out."""

import math
from typing import Protocol

from edge.mailbox import Mailbox
from edge.messages import FaceReading, Frame, NoFace, VoiceReading
from edge.perception.motion import Motion
from edge.perception.speech_gate import SpeechWindow
from edge.runtime.rate_control import RateLimits
from edge.runtime.stage import Stage
from edge.runtime.timing import CLOCK, DEVICE, Clock, Timing


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


class FaceStage(Stage):
    """Newest frame -> newest face reading."""

    def __init__(
        self,
        reader: FrameReader,
        frames: Mailbox[Frame],
        readings: Mailbox[FaceReading | NoFace],
        limits: RateLimits | None = None,
        timing: Timing = DEVICE,
        clock: Clock = CLOCK,
    ) -> None:
        """Read faces.

        Args:
            reader: reads one frame.
            frames: where the frames come from.
            readings: where the readings go.
            limits: how often to look while nothing moves; None looks at every frame.
            timing: how long to wait for what.
            clock: the time that it goes by.
        """
        super().__init__("face", timing, clock)
        self._reader, self._frames, self._readings = reader, frames, readings
        self._limits = limits or RateLimits()
        self._motion = Motion()
        self._looked_s = -math.inf

    def step(self) -> bool:
        """Read the newest frame, unless it is too old."""
        frame = self._frames.take(self.timing.wait_s)
        if frame is None:
            return True
        statistics, began_s = self.statistics, self.clock.now_s()
        age_s = began_s - frame.t_s
        if age_s > self.timing.stale_s:
            statistics.refused += 1
            return True
        if not self._worth_a_look(frame, began_s):
            return True
        self._looked_s = began_s
        statistics.age_s += age_s
        statistics.oldest_s = max(statistics.oldest_s, age_s)
        self.allow(self.timing.step_s if statistics.read else self.timing.first_read_s)
        self.pass_on(self._readings, self._reader.read(frame))
        statistics.read += 1
        statistics.busy_s += self.clock.now_s() - began_s
        return True

    def _worth_a_look(self, frame: Frame, t_s: float) -> bool:
        """While nobody is in view not every frame is searched, but every movement is."""
        if self._limits.look_interval_s <= 0:
            self._motion.forget()
            return True
        if self._motion.seen(frame.image):
            self.statistics.moved_s = t_s
            return True
        return t_s - self._looked_s >= self._limits.look_interval_s

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
        timing: Timing = DEVICE,
    ) -> None:
        """Read voices.

        Args:
            reader: reads one window.
            windows: where the windows come from.
            readings: where the readings go.
            timing: how long to wait for what.
        """
        super().__init__("voice", timing)
        self._reader, self._windows, self._readings = reader, windows, readings

    def step(self) -> bool:
        """Read the newest window."""
        window = self._windows.take(self.timing.wait_s)
        first = not self.statistics.windows
        self.allow(self.timing.first_read_s if first else self.timing.step_s)
        reading = self._reader.read(window)
        if reading is not None:
            self.pass_on(self._readings, reading)
            self.statistics.windows += 1
        return True
