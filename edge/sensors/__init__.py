"""Ports to the camera and the microphone.

Adapters live beside this file, one a device family, and import their hardware module when they are
opened, so that all of Mien loads on any desktop. Constructing an adapter opens its device.
"""

from typing import Protocol, runtime_checkable

from edge.messages import Audio, Frame


class Camera(Protocol):
    """Delivers pictures."""

    name: str
    """What a person would call it, for messages."""

    def read(self, timeout_s: float) -> Frame | None:
        """Wait for the next picture, at most *timeout_s*; None if none came in time.

        Raises:
            SensorError: the device is gone and has to be reopened.
            ClipEnded: it was a clip, and it is over.
        """

    def close(self) -> None:
        """Let go of the device. May be called twice."""


class Microphone(Protocol):
    """Delivers sound in blocks, without gaps as long as it is read often enough."""

    name: str
    overflows: int
    """How many times sound was lost because nobody read it: counted, never fatal."""

    def read(self, timeout_s: float) -> Audio | None:
        """Wait for the next block (512 samples, 32 ms), at most *timeout_s*; None if none came.

        Raises:
            SensorError: the device is gone and has to be reopened.
            ClipEnded: it was a clip, and it is over.
        """

    def close(self) -> None:
        """Let go of the device. May be called twice."""


@runtime_checkable
class Paced(Protocol):
    """A camera or microphone that keeps to the times of a file: its silence is no sign of trouble."""

    @property
    def paced(self) -> bool:
        """Whether it does."""


@runtime_checkable
class HasSensor(Protocol):
    """A camera with a sensor, whose noise makes every picture a new one.

    One that repeats a picture bit for bit is stuck; a clip or a virtual camera may show a still one.
    """

    @property
    def has_sensor(self) -> bool:
        """Whether it has."""


def is_paced(device: object) -> bool:
    """Whether *device* keeps to the times of a file."""
    return isinstance(device, Paced) and device.paced


def has_sensor(device: object) -> bool:
    """Whether every picture of *device* has to differ from the one before."""
    return isinstance(device, HasSensor) and device.has_sensor
