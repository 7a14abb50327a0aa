"""Everything that the appliance is made of; `edge.build.appliance` makes it from the settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edge.errors import MienError
from edge.fusion import Fusion, Reading
from edge.hardware.thermal import Heat
from edge.messages import Belief
from edge.outputs import Output
from edge.runtime.idle_policy import IdlePolicy
from edge.runtime.load_policy import LoadPolicy
from edge.runtime.reader_stages import FrameReader, WindowReader
from edge.runtime.sensor_stages import Gate, SensorLight
from edge.sensors import Camera, Microphone


class Light(SensorLight, Protocol):
    """The recording light, and letting go of it."""

    def close(self) -> None:
        """Put it out."""


class Joins(Protocol):
    """Makes one belief of the readings of all senses; `edge.fusion.Fusion` on the device."""

    def update(self, readings: Sequence[Reading], t_s: float) -> Belief:
        """Take in the readings of one moment; the belief at *t_s*, monotonic."""


@dataclass
class Components:
    """Everything that the appliance is made of. Each maker may be called again after a failure."""

    outputs: Sequence[Callable[[], Output]]
    light: Callable[[], Light]
    open_camera: Callable[[], Camera] | None = None
    """None when no camera is wanted."""
    open_microphone: Callable[[], Microphone] | None = None
    face_reader: Callable[[], FrameReader] | None = None
    gate: Callable[[], Gate] | None = None
    voice_reader: Callable[[], WindowReader] | None = None
    fusion: Callable[[], Joins] = Fusion
    missing: dict[str, str] = field(default_factory=dict)
    """SenseMonitor that are wanted and cannot be had in this run ("face", "voice"), and why."""
    close: Callable[[], None] = lambda: None
    """Frees what the parts share, after everything has stopped."""
    idle_policy: IdlePolicy | None = None
    """What rests while nobody is in view; None to be always awake."""
    load_policy: LoadPolicy | None = None
    """Lowers the rate under heat and load; None to leave it."""
    read_heat: Callable[[], Heat] = Heat
    """For the load policy."""


class LateLight:
    """A recording light that may be missing at first: whoever opens a sensor asks for it again."""

    def __init__(self, make: Callable[[], Light]) -> None:
        """Make the light, if it can be had already."""
        self._make = make
        self._light: Light | None = None
        try:
            self._light = make()
        except MienError:
            return  # `sensor_opened` says why

    def sensor_opened(self, name: str) -> None:
        """A sensor is about to be opened.

        Raises:
            OutputError: the light cannot be had, so the sensor has to stay shut.
        """
        if self._light is None:
            self._light = self._make()
        self._light.sensor_opened(name)

    def sensor_closed(self, name: str) -> None:
        """A sensor has been closed."""
        if self._light is not None:
            self._light.sensor_closed(name)

    def close(self) -> None:
        """Put it out."""
        if self._light is not None:
            self._light.close()
