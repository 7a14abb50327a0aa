"""Ports to the camera and the microphone.

Adapters live beside this file, one a device family, and end in the `ADAPTER` that is named below.
Constructing one opens its device; its hardware module and numpy are imported then, not before, so
that all of Mien loads on any desktop and the settings are read at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from edge.config.adapters import Adapter, S
from edge.hardware.host import Host

if TYPE_CHECKING:
    from edge.messages import Audio, Frame

ADAPTERS: Final = ("picamera", "opencv", "portaudio")
"""Those that came with Mien, in the order in which "auto" asks them; other packages add to them by
the entry points `mien.sensors`. A clip stands in for all of them and is no choice of the settings."""


class Camera(Protocol):
    """Delivers pictures."""

    name: str
    """What a person would call it, for messages."""

    def read(self, timeout_s: float) -> "Frame | None":
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

    def read(self, timeout_s: float) -> "Audio | None":
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


@dataclass(frozen=True)
class CameraRequest:
    """The camera that is asked for, and what pictures it is to deliver."""

    source: int | str
    """As `find` of its adapter gave it, or as a person wrote it."""
    width_px: int
    height_px: int
    rate_hz: int


def anywhere(host: Host) -> bool:
    """For adapters whose devices "auto" may take on any machine."""
    return True


@dataclass(frozen=True)
class CameraAdapter(Adapter[S]):
    """A family of cameras that can be plugged in.

    `[camera] source` chooses it by its name; "auto" tries whatever the adapters find.
    """

    find: Callable[[S, Host], Sequence[tuple[str, str]]]
    """What is attached just now: (what `--camera` takes for it, its name)."""
    make: Callable[[S, CameraRequest, Host], Camera]
    """Opens the camera that is asked for; raises SensorError where it cannot."""
    automatic: Callable[[Host], bool] = anywhere
    """Whether "auto" may take what is found on this machine."""


@dataclass(frozen=True)
class MicrophoneAdapter(Adapter[S]):
    """A family of microphones; `[microphone] device` chooses it by its name."""

    find: Callable[[S, Host], Sequence[tuple[int | str, str]]]
    """What is attached just now: (what `--microphone` takes for it, its name)."""
    make: Callable[[S, int | str, Host], Microphone]
    """Opens the device of that number or name, or any for "auto"; raises SensorError."""
