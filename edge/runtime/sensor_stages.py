"""The stages that open a sensor, read it, and open it again whenever it is lost."""

import contextlib
import itertools
import math
from collections.abc import Callable
from typing import Any, Final, Protocol

from edge.errors import ClipEnded, MienError, SensorError
from edge.mailbox import Mailbox
from edge.messages import Audio, Frame, SenseState
from edge.perception.speech_gate import SpeechWindow
from edge.runtime.rate_control import RateLimits
from edge.runtime.stage import Stage
from edge.runtime.timing import CLOCK, DEVICE, Clock, Timing
from edge.sensors import Camera, Microphone, has_sensor, is_paced
from edge.sensors.microphone_health import MicrophoneHealth
from edge.sensors.stuck_camera import RepeatDetector

STUBBORN: Final = 8
"""Attempts after which a camera that only repeats an old picture is reopened less often: it may
want to show one, as webcams do whose cover is shut."""

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

    def __init__(
        self,
        name: str,
        open_device: Callable[[], Any],
        light: SensorLight,
        timing: Timing,
        clock: Clock = CLOCK,
    ) -> None:
        super().__init__(name, timing, clock)
        self._open_device = open_device
        self._light = light
        # A stage that hung may still hold its device when another one opens and closes its own:
        # the light has to tell the two apart.
        self._light_name = f"{name} {next(_NUMBERS)}"
        self._lit = False
        self._device: Any = None
        self._attempts = 0
        self._delivered_s = 0.0
        self._patience_s = timing.first_silent_s
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
        if not self.wanted and not is_paced(self._device):
            if self._device is not None:
                self._close()
                self.state = "starting"
            return not self.clock.wait(self._stopping, self.timing.wait_s)
        if self._device is None and not self._open():
            return True
        try:
            if self.read_device():
                self._delivered_s = self.clock.now_s()
                self._patience_s = self.timing.silent_s
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
        # A clip is silent where it has nothing; reopening it would only end it.
        if is_paced(self._device):
            return False
        return self.clock.now_s() - self._delivered_s > self._patience_s

    def _open(self) -> bool:
        self.allow(self.timing.sensor_open_s)
        try:
            # A light that cannot be lit keeps its sensor shut: nobody is watched in secret.
            self._lit = True
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
        if is_paced(self._device):
            self._put_out()  # a file: nobody is watched
        self.allow(self.timing.step_s)
        self._delivered_s, self._patience_s = self.clock.now_s(), self.timing.first_silent_s
        if self._attempts:
            self.reopened += 1
        return True

    def _lose(self, trouble: str) -> None:
        self.state, self.trouble = "lost", trouble
        if self._device is not None:
            self._close()
        pauses_s = self.timing.sensor_pauses_s
        pause_s = pauses_s[min(self._attempts, len(pauses_s) - 1)]
        self._attempts += 1
        self.allow(pause_s + self.timing.step_s)
        self.clock.wait(self._stopping, pause_s)

    def _close(self) -> None:
        device, self._device = self._device, None
        try:
            device.close()
        finally:
            self._put_out()

    def _put_out(self) -> None:
        if not self._lit:
            return
        self._lit = False
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
        timing: Timing = DEVICE,
        clock: Clock = CLOCK,
    ) -> None:
        """Read a camera.

        Args:
            open_camera: opens it.
            light: is told of it.
            frames: where the frames go.
            limits: how often to take one; None takes every one.
            timing: how long to wait for what.
            clock: the time that it goes by.
        """
        super().__init__("camera", open_camera, light, timing, clock)
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

        Neither does one count that repeats an older one bit for bit, whatever its time, where the
        camera has a sensor.
        """
        wait_s = self._taken_s + self._limits.frame_interval_s - self.clock.now_s()
        if wait_s > 0 and self.clock.wait(self._stopping, wait_s):
            return True
        frame: Frame | None = self._device.read(self.timing.wait_s)
        if frame is None:
            return False
        self._taken_s = self.clock.now_s()
        self._repeating = has_sensor(self._device) and self._repeats.seen(frame.image)
        if self._repeating:
            timing = self.timing
            self._patience_s = timing.silent_s if self._attempts < STUBBORN else timing.stubborn_s
            return False
        self.pass_on(self._frames, frame)
        return is_paced(self._device) or self._taken_s - frame.t_s <= self.timing.stale_s


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
        timing: Timing = DEVICE,
    ) -> None:
        """Listen.

        Args:
            open_microphone: opens it.
            light: is told of it.
            gate: cuts windows of speech.
            windows: where they go.
            timing: how long to wait for what.
        """
        super().__init__("microphone", open_microphone, light, timing)
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
        audio: Audio | None = self._device.read(self.timing.wait_s)
        self.statistics.overflows = self._past_overflows + self._device.overflows
        if audio is None:
            return False
        if not is_paced(self._device):  # nobody can mend a clip's sound
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
