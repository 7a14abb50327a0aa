"""The stages of the appliance: one thread each, joined by mailboxes, every wait bounded."""

import math
import threading
import time
from typing import Final, Protocol, TypeVar

from edge.mailbox import Mailbox
from edge.messages import FaceReading, Frame, NoFace, VoiceReading
from edge.pace import Pace
from edge.perception.motion import Motion
from edge.perception.speech_gate import SpeechWindow

Item = TypeVar("Item")

WAIT_S: Final = 0.2
"""Longest that a stage waits for anything before it looks whether it should stop."""
STALE_S: Final = 0.2
"""An older frame is not worth reading."""
STEP_S: Final = 5.0
"""A step that takes longer hangs: every wait in one is bounded by 3 s, an inference is far below."""
FIRST_READ_S: Final = 20.0
"""The same for a model's first inference: it allocates, and pages its file in from the SD card."""


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
    """A named thread that repeats `step` until it is told to stop.

    Every step is a sign of life. A stage whose step takes longer than it is allowed can be
    abandoned: what it still has to say, should it ever wake up, is dropped.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.failure: BaseException | None = None
        """What ended the stage, when it was not told to stop."""
        self._stopping = threading.Event()
        self._passing = threading.Lock()
        self._abandoned = False
        self._pulse = (math.inf, STEP_S)
        """When the running step began or was last allowed more time, and how long it may take."""
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

    def allow(self, limit_s: float) -> None:
        """Give the running step *limit_s* from now; called by the step itself."""
        self._pulse = (time.monotonic(), limit_s)

    def late(self, t_s: float, awake_s: float = -math.inf) -> bool:
        """Whether the running step has taken longer than it is allowed, at monotonic time *t_s*.

        Args:
            t_s: now.
            awake_s: nothing before it counts: the whole process may have been stopped until then.
        """
        beat_s, limit_s = self._pulse
        return self.alive and t_s - max(beat_s, awake_s) > limit_s

    def abandon(self) -> None:
        """Ask to end, and drop from now on whatever the stage passes on."""
        with self._passing:
            self._abandoned = True
        self.stop()

    def pass_on(self, mailbox: Mailbox[Item], item: Item) -> None:
        """Put *item* into *mailbox*, unless the stage has been abandoned."""
        with self._passing:
            if not self._abandoned:
                mailbox.put(item)

    def step(self) -> bool:
        """One bounded piece of work; False ends the stage."""
        raise NotImplementedError

    def finish(self) -> None:
        """Let go of what `step` took; called once, on the stage's own thread."""

    def _run(self) -> None:
        try:
            self.allow(STEP_S)
            while not self._stopping.is_set() and self.step():
                self.allow(STEP_S)
        # The supervisor reports it; a thread must not die in silence, not even of a SystemExit.
        except BaseException as error:
            self.failure = error
        self.allow(STEP_S)
        try:
            self.finish()
        except BaseException as error:  # what ended the stage says more than what followed from it
            self.failure = self.failure or error


class FaceStage(Stage):
    """Newest frame -> newest face reading."""

    def __init__(
        self,
        reader: FrameReader,
        frames: Mailbox[Frame],
        readings: Mailbox[FaceReading | NoFace],
        pace: Pace | None = None,
    ) -> None:
        """Read faces.

        Args:
            reader: reads one frame.
            frames: where the frames come from.
            readings: where the readings go.
            pace: how often to look while nothing moves; None looks at every frame.
        """
        super().__init__("face")
        self._reader, self._frames, self._readings = reader, frames, readings
        self._pace = pace or Pace()
        self._motion = Motion()
        self._looked_s = -math.inf
        self.moved_s = -math.inf
        """When something has last moved in the picture, as far as anybody asked."""
        self.processed = 0
        self.refused = 0
        """Frames that were too old to be read."""
        self.oldest_s = 0.0
        """Age of the oldest frame that was read, when its reading began."""
        self.busy_s = 0.0
        self.age_s = 0.0
        """Sum of the ages of all frames that were read."""

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
        if not self._worth_a_look(frame, began_s):
            return True
        self._looked_s = began_s
        self.age_s += age_s
        self.oldest_s = max(self.oldest_s, age_s)
        self.allow(STEP_S if self.processed else FIRST_READ_S)
        self.pass_on(self._readings, self._reader.read(frame))
        self.processed += 1
        self.busy_s += time.monotonic() - began_s
        return True

    def _worth_a_look(self, frame: Frame, t_s: float) -> bool:
        """While nobody is in view not every frame is searched, but every movement is."""
        if self._pace.look_interval_s <= 0:
            self._motion.forget()
            return True
        if self._motion.seen(frame.image):
            self.moved_s = t_s
            return True
        return t_s - self._looked_s >= self._pace.look_interval_s

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
        window = self._windows.take(WAIT_S)
        self.allow(STEP_S if self.processed else FIRST_READ_S)
        reading = self._reader.read(window)
        if reading is not None:
            self.pass_on(self._readings, reading)
            self.processed += 1
        return True
