"""Finds and opens the camera and the microphone that the settings name, whatever adapter has them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from edge.config.adapters import A, Adapter, S, registry
from edge.config.schema import Settings
from edge.errors import MienError, SensorError
from edge.hardware.host import Host
from edge.sensors import Camera, CameraAdapter, CameraRequest, Microphone, MicrophoneAdapter

USUAL_CAMERA: Final = "opencv"
"""The adapter of a camera that is no adapter's name: a number or a path."""
USUAL_MICROPHONE: Final = "portaudio"


def section_of(adapter: Adapter[S], settings: Settings) -> S:
    """The section of an *adapter*; its own defaults where it has nothing to set."""
    model = adapter.settings
    return settings.of(model) if model.model_fields else model()


def attached_cameras(
    settings: Settings, host: Host, *, automatic: bool = False
) -> Iterator[tuple[str, str]]:
    """What `--camera` takes for each camera that is there, and its name.

    Args:
        settings: those of the adapters are of use.
        host: the machine.
        automatic: only those that "auto" may take, in the order in which it does.

    Raises:
        SensorError: an adapter cannot look.
    """
    for name, adapter in adapters(CameraAdapter).items():
        if not automatic or adapter.automatic(host):
            yield from found_by(name, adapter, settings, host)


def attached_microphones(settings: Settings, host: Host) -> Iterator[tuple[int | str, str]]:
    """What `--microphone` takes for each microphone that is there, and its name.

    Raises:
        SensorError: an adapter cannot look.
    """
    for name, adapter in adapters(MicrophoneAdapter).items():
        yield from found_by(name, adapter, settings, host)


def found_by(name: str, adapter: Any, settings: Settings, host: Host) -> Sequence[Any]:
    """What one *adapter* finds; nothing if it is another package's and crashes.

    Raises:
        SensorError: it cannot look.
    """
    try:
        found: Sequence[Any] = adapter.find(section_of(adapter, settings), host)
        return found
    except MienError:
        raise
    except Exception as error:
        registry().leave_out(name, error)
        return ()


def nothing_connected(
    settings: Settings, host: Host, tell: Callable[[str], None] = lambda sentence: None
) -> bool:
    """Both senses are left to "auto" and there is no device for either.

    Args:
        settings: which senses are wanted.
        host: the machine.
        tell: hears why microphones cannot be looked for.
    """
    camera, microphone = settings.camera, settings.microphone
    if camera.enabled:
        if camera.source != "auto":
            return False
        if any(attached_cameras(settings, host, automatic=True)):
            return False
    if microphone.enabled:
        if microphone.device != "auto":
            return False
        try:
            return not any(attached_microphones(settings, host))
        except MienError as error:
            tell(str(error))
    return True


def open_camera(settings: Settings, host: Host) -> Camera:
    """Open the camera that the settings name; "auto" tries each one that is there.

    Raises:
        SensorError: none can be opened; says what to do.
    """
    if settings.camera.source != "auto":
        return _open_camera(settings.camera.source, settings, host)
    problem = SensorError(
        "No camera found; plug one in, or name one with --camera. `mien devices` lists them."
    )
    for source, _ in attached_cameras(settings, host, automatic=True):
        try:
            return _open_camera(source, settings, host)
        except SensorError as error:
            problem = error
    raise problem


def asked_rate_hz(settings: Settings) -> float:
    """Pictures a second that the camera is to give: its adapter's own setting, if it has one."""
    adapter = adapters(CameraAdapter).get(str(settings.camera.source))
    own = section_of(adapter, settings) if adapter else None
    return float(getattr(own, "rate_hz", settings.camera.rate_hz))


def open_microphone(settings: Settings, host: Host) -> Microphone:
    """Open the microphone that the settings name.

    Raises:
        SensorError: it cannot be opened; says what to do.
    """
    device = settings.microphone.device
    known = adapters(MicrophoneAdapter)
    adapter = known.get(str(device)) or known[USUAL_MICROPHONE]
    return adapter.make(section_of(adapter, settings), device, host)


def _open_camera(source: int | str, settings: Settings, host: Host) -> Camera:
    known = adapters(CameraAdapter)
    adapter = known.get(str(source)) or known[USUAL_CAMERA]
    camera = settings.camera
    asked = CameraRequest(source, camera.width_px, camera.height_px, round(camera.rate_hz))
    return adapter.make(section_of(adapter, settings), asked, host)


def adapters(kind: type[A]) -> dict[str, A]:
    """The sensor adapters of a *kind* by name."""
    return registry().all(kind, "mien.sensors")
