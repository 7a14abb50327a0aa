"""The stages of the appliance: one thread each, joined by mailboxes, every wait bounded."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from edge.errors import ClipEnded, MienError, SensorError
from edge.mailbox import Mailbox
from edge.messages import (
    Audio,
    FaceReading,
    Frame,
    Mood,
    NoFace,
    SenseState,
    VoiceReading,
)
from edge.outputs import Output
from edge.perception.speech_gate import SpeechWindow
from edge.sensors import Camera, Microphone

WAIT_S: Final = 0.2
"""Longest that a stage waits for anything before it looks whether it should stop."""
STALE_S: Final = 0.2
"""An older frame is not worth reading."""
SILENT_S: Final = 3.0
"""A sensor that delivers nothing for so long is taken for dead and opened anew."""
FIRST_SILENT_S: Final = 8.0
"""The same before its first delivery: some cameras take their time."""
RETRY_S: Final = (0.5, 1.0, 2.0, 4.0)
"""Pauses between attempts to open a lost device; the last one repeats."""


class FrameReader(Protocol):
    """Reads faces; `edge.perception.face_reader.FaceReader` on the device."""

    def read(self, frame: Frame) -> FaceReading | NoFace:
        """What the frame says."""


class Gate(Protocol):
    """Cuts speech; `edge.perception.speech_gate.SpeechGate` on the device."""

    def hear(self, audio: Audio) -> SpeechWindow | None:
        """Take a block; a window if one is due."""


class WindowReader(Protocol):
    """Reads voices; `edge.perception.voice_reader.VoiceReader` on the device."""

    def read(self, window: SpeechWindow | None) -> VoiceReading | None:
        """What the window says."""


class SensorLight(Protocol):
    """Is told of every sensor that is opened or closed."""

    def sensor_opened(self, name: str) -> None:
        """A sensor is about to be opened."""

    def sensor_closed(self, name: str) -> None:
        """A sensor has been closed."""


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
        finally:
            self.finish()


class _SensorStage(Stage):
    """Opens a sensor, reads it, and opens it again whenever it is lost."""

    kind = "sensor"

    def __init__(self, name: str, open_device: Callable[[], Any], light: SensorLight) -> None:
        super().__init__(name)
        self._open_device = open_device
        self._light = light
        self._device: Any = None
        self._attempts = 0
        self._delivered_s = 0.0
        self._patience_s = FIRST_SILENT_S
        self.state: SenseState = "starting"
        self.trouble = ""
        self.ended = False
        """It was a clip, and it is over."""
        self.reopened = 0

    def read_device(self) -> bool:
        """Read once and pass it on; False if nothing came in time."""
        raise NotImplementedError

    def step(self) -> bool:
        if self._device is None and not self._open():
            return True
        try:
            if self.read_device():
                self._delivered_s = time.monotonic()
                self._patience_s = SILENT_S
                self.state, self.trouble, self._attempts = "ok", "", 0
            elif time.monotonic() - self._delivered_s > self._patience_s:
                raise SensorError(
                    f"The {self.kind} {self._device.name} has delivered nothing for "
                    f"{self._patience_s:.0f} s; it is being opened anew."
                )
        except ClipEnded:
            self.ended, self.state = True, "off"
            return False
        except SensorError as error:
            self._lose(str(error))
        return True

    def finish(self) -> None:
        if self._device is not None:
            self._close()
        if self.state != "lost":
            self.state = "off"

    def _open(self) -> bool:
        self._light.sensor_opened(self.name)
        try:
            self._device = self._open_device()
        except MienError as error:
            self._light.sensor_closed(self.name)
            self._lose(str(error))
            return False
        self._delivered_s, self._patience_s = time.monotonic(), FIRST_SILENT_S
        if self._attempts:
            self.reopened += 1
        return True

    def _lose(self, trouble: str) -> None:
        self.state, self.trouble = "lost", trouble
        if self._device is not None:
            self._close()
        pause_s = RETRY_S[min(self._attempts, len(RETRY_S) - 1)]
        self._attempts += 1
        self._stopping.wait(pause_s)

    def _close(self) -> None:
        device, self._device = self._device, None
        try:
            device.close()
        finally:
            self._light.sensor_closed(self.name)


class CameraStage(_SensorStage):
    """Camera -> newest frame."""

    kind = "camera"

    def __init__(
        self, open_camera: Callable[[], Camera], light: SensorLight, frames: Mailbox[Frame]
    ) -> None:
        super().__init__("camera", open_camera, light)
        self._frames = frames

    def read_device(self) -> bool:
        frame: Frame | None = self._device.read(WAIT_S)
        if frame is not None:
            self._frames.put(frame)
        return frame is not None


class MicrophoneStage(_SensorStage):
    """Microphone -> speech gate -> newest window that is worth reading.

    The gate sees every block, so it lives on this thread; it is cheap and bounded.
    """

    kind = "microphone"

    def __init__(
        self,
        open_microphone: Callable[[], Microphone],
        light: SensorLight,
        gate: Gate,
        windows: Mailbox[SpeechWindow],
    ) -> None:
        super().__init__("microphone", open_microphone, light)
        self._gate = gate
        self._windows = windows
        self._past_overflows = 0

    @property
    def overflows(self) -> int:
        """How often sound was lost."""
        return self._past_overflows + (self._device.overflows if self._device else 0)

    def read_device(self) -> bool:
        audio: Audio | None = self._device.read(WAIT_S)
        if audio is None:
            return False
        window = self._gate.hear(audio)
        if window is not None:
            self._windows.put(window)
        return True

    def _close(self) -> None:
        self._past_overflows += self._device.overflows
        super()._close()


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
        due_s = self._shown_s + self._output.interval_s
        if self._stopping.wait(max(0.0, min(WAIT_S, due_s - time.monotonic()))):
            return False
        self._mood = self._moods.take(min(WAIT_S, self._output.interval_s)) or self._mood
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
        self._output.close()
