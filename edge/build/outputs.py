"""Makes displays, lights and event channels from the settings, whatever adapter has them."""

from typing import Any

from edge.build.sensors import section_of
from edge.config.adapters import registry
from edge.config.schema import Settings
from edge.hardware.host import Host, Pins
from edge.outputs import Maker, OutputAdapter
from edge.outputs.events import EventSettings
from edge.outputs.leds import LedSettings


def this_host(settings: Settings) -> Host:
    """The machine that this is, with the GPIO library and the place of events that the settings name."""
    backend = settings.of(LedSettings).backend
    pins = Pins(None if backend == "none" else backend)
    return Host(pins, events_to=settings.of(EventSettings).to)


def output_adapters() -> dict[str, OutputAdapter[Any]]:
    """The adapters of outputs by name."""
    return registry().all(OutputAdapter, "mien.outputs")


def output_makers(settings: Settings, host: Host) -> list[Maker]:
    """One maker for each output that is wanted; calling it opens the device."""
    makers: list[Maker] = []
    for name, adapter in output_adapters().items():
        try:
            makers += adapter.make(section_of(adapter, settings), host)
        except Exception as error:  # of a package of others: it costs nobody else
            registry().leave_out(name, error)
    return makers
