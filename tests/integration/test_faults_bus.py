"""The real display and LEDs, where nothing answers (error 121) or pins are busy: twenty times each."""

import errno
from typing import Any

import pytest

from edge.hardware.gpio_mock import MockGpio
from edge.outputs import Output
from edge.outputs.leds import RgbLed
from edge.outputs.oled import Oled
from tests.fakes.running import (
    TIMES,
    Running,
    mood_goes_on,
    twenty_times,
    well,
)
from tests.fakes.world import PATIENT, FakeEvents, World


class Bus:
    """An smbus with one display, whose wires may be loose."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.written = 0
        self.open = 0

    def close(self) -> None:
        self.open -= 1

    def write_i2c_block_data(self, address: int, mode: int, data: list[int]) -> None:
        if self._world.strikes("error 121"):
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        self.written += 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # luma reads with getdata()
def test_display_whose_wires_are_loose_is_used_again_once_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from luma.core.interface.serial import i2c

    buses: dict[World, Bus] = {}

    def outputs(world: World) -> dict[str, Any]:
        bus = buses[world] = Bus(world)

        def oled() -> Output:
            serial = i2c(bus=bus, address=0x3C)
            serial.cleanup = bus.close  # as if it had opened the bus itself
            bus.open += 1
            return Oled(serial=serial, fps=50.0)

        return {"outputs": [oled, lambda: FakeEvents(world)]}

    def story(world: World, running: Running, number: int) -> None:
        bus = buses[world]
        with world.fault("error 121"):
            running.until(lambda mood: lost(world) == number + 1, "the loose wires")
            assert mood_goes_on(running, world)
        before = bus.written
        running.until(lambda mood: back(world) == number + 1, "the display")
        running.until(lambda mood: bus.written > before + 30, "pictures")
        running.until(well, "being well")

    worlds = twenty_times(story, "error 121", changes=outputs, timing=PATIENT)
    assert sum(lost(world) for world in worlds) == TIMES
    for world in worlds:
        assert buses[world].open == 0  # each time it was let go of
        assert any("0x3c" in told.lower() and "i2cdetect" in told for told in world.reported)


PINS = [17, 27, 22]


class Pins(MockGpio):
    """Pins that another program may have taken; the words are those of lgpio."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.setmode(self.BCM)
        self.setwarnings(False)

    def setup(
        self, channel: int | list[int], direction: int, *, initial: int | None = None
    ) -> None:
        if self._world.strikes("GPIO busy"):
            raise RuntimeError("'GPIO busy'")
        super().setup(channel, direction, initial=initial)

    @property
    def lit(self) -> bool:
        return any((self.level(pin) or 0.0) > 0.01 for pin in PINS)


def test_led_whose_pins_are_busy_is_lit_once_they_are_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pins: dict[World, Pins] = {}

    def outputs(world: World) -> dict[str, Any]:
        gpio = pins[world] = Pins(world)
        return {
            "outputs": [
                lambda: RgbLed(gpio=gpio, red=17, green=27, blue=22),
                lambda: FakeEvents(world),
            ]
        }

    def story(world: World, running: Running, number: int) -> None:
        gpio = pins[world]
        running.until(lambda mood: gpio.lit, "light")
        with world.fault("GPIO busy"):
            gpio.cleanup(PINS)  # what a driver does that lends them to somebody else
            running.until(lambda mood: lost(world) == number + 1, "the busy pins")
            assert mood_goes_on(running, world)
            running.until(lambda mood: world.trips["GPIO busy"] > number, "an attempt")
            assert not gpio.lit
        running.until(lambda mood: gpio.lit and back(world) == number + 1, "light again")

    worlds = twenty_times(story, "GPIO busy", changes=outputs, timing=PATIENT)
    assert sum(lost(world) for world in worlds) == TIMES
    for world in worlds:
        assert any("The RGB LED cannot use its pins" in told for told in world.reported)


def lost(world: World) -> int:
    return sum(notice.kind == "lost" for notice in world.notices)


def back(world: World) -> int:
    return sum(notice.kind == "back" for notice in world.notices)
