"""The stages that open a sensor, read it, and open it again whenever it is lost."""

import contextlib
import itertools
import math
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from edge.errors import ClipEnded, MienError, SensorError
from edge.mailbox import Mailbox
from edge.messages import Audio, Frame, SenseState
from edge.perception.speech_gate import SpeechWindow
from edge.runtime.rate_control import RateLimits
from edge.runtime.stage import STALE_S, STEP_S, WAIT_S, Stage
from edge.sensors import Camera, Microphone
from edge.sensors.microphone_health import MicrophoneHealth
from edge.sensors.stuck_camera import RepeatDetector

SILENT_S: Final = 3.0
"""A sensor that delivers nothing for so long is taken for dead and reopened."""
FIRST_SILENT_S: Final = 8.0
"""The same before its first delivery: some cameras take their time."""
RETRY_S: Final = (0.5, 1.0, 2.0, 4.0)
"""Pauses between attempts to open a lost device; the last one repeats."""
STUBBORN: Final = 8
"""Attempts after which a camera that only repeats an old picture is reopened less often: it may
want to show one, as webcams do whose cover is shut."""
STUBBORN_S: Final = 60.0
"""How long it is then watched between two attempts; a new picture ends the trouble at once."""
OPEN_S: Final = 30.0
"""Opening takes longer than reading: "auto" may try several cameras that take 10 s each to fail."""

_NUMBERS: Final = itertools.count(1)


class Gate(Protocol):
    """Cuts speech; `edge.perception.speech_gate.SpeechGate` on the device."""

    def hear(self, audio: Audio) -> SpeechWindow | None:
        """Take a block; a window if one is due."""


class SensorLight(Protocol):
    """Is told of every sensor that is opened or closed."""

    def sensor_opened(self, name: str) -> None:
        """A sensor is about to be opened."""

    def sensor_closed(self, name: str) -> None:
        """A sensor has been closed."""


class _SensorStage(Stage):
    """Opens a sensor, reads it, and opens it again whenever it is lost."""

    kind = "sensor"

    def __init__(self, name: str, open_device: Callable[[], Any], light: SensorLight) -> None:
        super().__init__(name)
        self._open_device = open_device
        self._light = light
        # A stage that hung may still hold its device when another one opens and closes its own:
        # the light has to tell the two apart.
        self._light_name = f"{name} {next(_NUMBERS)}"
        self._device: Any = None
        self._attempts = 0
        self._delivered_s = 0.0
        self._patience_s = FIRST_SILENT_S
        self.state: SenseState = "starting"
        self.trouble = ""
        """One sentence: why it is lost, or what is wrong with what it delivers."""
        self.ended = False
        """It was a clip, and it is over."""
        self.wanted = True
        """False while nobody can make use of what it delivers: then the device is shut."""
        self.reopened = 0

    def read_device(self) -> bool:
        """Read once and pass it on; False if nothing came in time."""
        raise NotImplementedError

    def complaint(self) -> str:
        """What is wrong with what the device delivers, in one sentence; "" if nothing is."""
        return ""

    def silence(self) -> str:
        """Why the device is reopened after `read_device` has been False for too long."""
        return (
            f"The {self.kind} {self._device.name} has delivered nothing new for "
            f"{self._patience_s:.0f} s; it is being reopened."
        )

    def step(self) -> bool:
        """Open if need be, then read once."""
        if not self.wanted and not getattr(self._device, "paced", False):
            if self._device is not None:
                self._close()
                self.state = "starting"
            return not self._stopping.wait(WAIT_S)
        if self._device is None and not self._open():
            return True
        try:
            if self.read_device():
                self._delivered_s = time.monotonic()
                self._patience_s = SILENT_S
                self.state, self.trouble, self._attempts = "ok", self.complaint(), 0
            elif self._silent_too_long():
                raise SensorError(self.silence())
        except ClipEnded:
            self.ended, self.state = True, "off"
            return False
        except SensorError as error:
            self._lose(str(error))
        return True

    def finish(self) -> None:
        """Close the device."""
        if self._device is not None:
            self._close()
        if self.state != "lost":
            self.state = "off"

    def _silent_too_long(self) -> bool:
        # A clip is silent where it has nothing; reopening it would only end it. `paced` is no
        # part of the ports: adapters of devices have no need of it.
        if getattr(self._device, "paced", False):
            return False
        return time.monotonic() - self._delivered_s > self._patience_s

    def _open(self) -> bool:
        self.allow(OPEN_S)
        try:
            # A light that cannot be lit keeps its sensor shut: nobody is watched in secret.
            self._light.sensor_opened(self._light_name)
        except MienError as error:
            self._put_out()
            self._lose(str(error))
            return False
        try:
            self._device = self._open_device()
        except MienError as error:
            self._put_out()
            self._lose(str(error))
            return False
        except BaseException:
            self._put_out()
            raise
        self.allow(STEP_S)
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
        self.allow(pause_s + STEP_S)
        self._stopping.wait(pause_s)

    def _close(self) -> None:
        device, self._device = self._device, None
        try:
            device.close()
        finally:
            self._put_out()

    def _put_out(self) -> None:
        with contextlib.suppress(MienError):  # a light that cannot be switched is told of elsewhere
            self._light.sensor_closed(self._light_name)


class CameraStage(_SensorStage):
    """Camera -> newest frame."""

    kind = "camera"

    def __init__(
        self,
        open_camera: Callable[[], Camera],
        light: SensorLight,
        frames: Mailbox[Frame],
        limits: RateLimits | None = None,
    ) -> None:
        """Read a camera.

        Args:
            open_camera: opens it.
            light: is told of it.
            frames: where the frames go.
            limits: how often to take one; None takes every one.
        """
        super().__init__("camera", open_camera, light)
        self._frames = frames
        self._limits = limits or RateLimits()
        self._taken_s = -math.inf
        self._repeats = RepeatDetector()
        """Kept when the camera is reopened: the picture that it was stuck at is no new one."""
        self._repeating = False

    def silence(self) -> str:
        """Why the camera is reopened."""
        if not self._repeating:
            return super().silence()
        return (
            f"The camera {self._device.name} repeats an old picture all the time: its cover is shut, "
            "or its sensor is stuck. It is being reopened; if that does not help, plug it in again."
        )

    def read_device(self) -> bool:
        """Put the next frame into the mailbox; one that is old already counts as none.

        Neither does one count that repeats an older one bit for bit, whatever its time. `has_sensor`
        is no part of the port: a clip or a virtual camera may well show a still picture.
        """
        wait_s = self._taken_s + self._limits.frame_interval_s - time.monotonic()
        if wait_s > 0 and self._stopping.wait(wait_s):
            return True
        frame: Frame | None = self._device.read(WAIT_S)
        if frame is None:
            return False
        self._taken_s = time.monotonic()
        has_sensor = getattr(self._device, "has_sensor", False)
        self._repeating = has_sensor and self._repeats.seen(frame.image)
        if self._repeating:
            self._patience_s = SILENT_S if self._attempts < STUBBORN else STUBBORN_S
            return False
        self.pass_on(self._frames, frame)
        return getattr(self._device, "paced", False) or self._taken_s - frame.t_s <= STALE_S


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
        """Of devices that have been closed."""
        self._hearing: MicrophoneHealth | None = None
        self._complaint = ""

    def complaint(self) -> str:
        """Whether it is mute, overdriven or losing sound."""
        return self._complaint

    def read_device(self) -> bool:
        """Pass the next block through the gate."""
        audio: Audio | None = self._device.read(WAIT_S)
        self.statistics.overflows = self._past_overflows + self._device.overflows
        if audio is None:
            return False
        if not getattr(self._device, "paced", False):  # nobody can mend a clip's sound
            self._hearing = self._hearing or MicrophoneHealth(self._device.name)
            self._complaint = self._hearing.hear(audio.samples, self._device.overflows, audio.t_s)
        window = self._gate.hear(audio)
        if window is not None:
            self.pass_on(self._windows, window)
        return True

    def _close(self) -> None:
        self._past_overflows += self._device.overflows
        self._hearing, self._complaint = None, ""
        super()._close()
