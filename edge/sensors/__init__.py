"""Ports to the camera and the microphone.

Adapters live beside this file, one a device family, and import their hardware module when they are
opened, so that all of Mien loads on any desktop. Constructing an adapter opens its device.
"""

from typing import Protocol

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
