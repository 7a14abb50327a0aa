"""`mien try lights`: each by itself, all dark in the end."""

import io
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from edge.config.schema import Settings
from edge.diagnostics.trying.guide import Guide, NotWiredError, StoppedError
from edge.diagnostics.trying.lights import try_lights
from edge.hardware.gpio_mock import MockGpio
from edge.hardware.host import Host
from edge.outputs.neopixel import Rgb
from tests.unit.edge.diagnostics.trying.test_display import Watched

PINS = [17, 27, 22, 5, 6, 23]


class Board:
    """A host whose pins are a mock's."""

    def __init__(self) -> None:
        self.gpio = MockGpio()
        self.gpio.setmode(self.gpio.BCM)
        pins = SimpleNamespace(wanted=True, gpio=lambda: self.gpio)
        self.host = cast(Host, SimpleNamespace(pins=pins))

    def levels(self) -> list[float | None]:
        return [self.gpio.level(pin) for pin in PINS]


def settings(**leds: Any) -> Settings:
    return Settings.model_validate(
        {"leds": {"backend": "mock", "emotion_pins": {"happy": 5, "sad": 6}, **leds}}
    )


@pytest.mark.parametrize("anode", [False, True])
def test_each_is_lit_alone_by_name_and_pin_and_all_pins_are_let_go_of(anode: bool) -> None:
    board = Board()
    seen: list[list[float | None]] = []
    guide = Watched(lambda: seen.append(board.levels()))
    try_lights(settings(common_anode=anode), board.host, guide)
    dark = [1.0 if anode else 0.0] * 3 + [0.0] * 3
    assert len(seen) == len(PINS)
    for place, levels in enumerate(seen):
        assert levels == [*dark[:place], 1 - dark[place], *dark[place + 1 :]]
    assert board.levels() == [None] * len(PINS)
    said = " ".join(guide.said.getvalue().split())
    for words in (
        "red of the RGB LED, GPIO 17, pin 11 of the header",
        "the LED for sad, GPIO 6, pin 31",
        "the recording LED, GPIO 23, pin 16",
        "[leds] emotion_pins.sad = 6",
        "common_anode",
    ):
        assert words in said


def test_whoever_has_enough_leaves_them_dark() -> None:
    board = Board()
    with pytest.raises(StoppedError):
        try_lights(settings(), board.host, Watched(lambda: None, 2))
    assert board.levels() == [None] * len(PINS)
    lit = [change for change in board.gpio.history if change.state]
    assert lit and all(
        any(later.channel == one.channel and not later.state for later in board.gpio.history)
        for one in lit
    )


def test_pixels_show_their_order_and_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    class Strip:
        count = 3

        def __init__(self) -> None:
            self.colors: list[Rgb] = []
            self.closed = False

        def send(self, colors: list[Rgb]) -> None:
            self.colors = list(colors)

        def close(self) -> None:
            self.closed = True

    strip = Strip()
    monkeypatch.setattr("edge.diagnostics.trying.lights.open_strip", lambda pixels: strip)
    seen: list[list[Rgb]] = []
    wanted = Settings.model_validate({"neopixel": {"enabled": True, "count": 3}})
    host = cast(Host, SimpleNamespace(pins=SimpleNamespace(wanted=False)))
    try_lights(wanted, host, Watched(lambda: seen.append(strip.colors)))
    dark, red, white = (0, 0, 0), (51, 0, 0), (51, 51, 51)
    assert seen[0] == [red] * 3
    assert seen[-2:] == [[white, dark, dark], [dark, dark, white]]
    assert (strip.colors, strip.closed) == ([dark] * 3, True)


def test_without_lights_it_says_how_to_set_some_up() -> None:
    host = cast(Host, SimpleNamespace(pins=SimpleNamespace(wanted=False)))
    with pytest.raises(NotWiredError, match=r"\[leds\] backend"):
        try_lights(Settings(), host, Watched(lambda: None))


def test_step_waits_for_enter_or_for_its_time_and_ends_at_once_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moved = 0

    def move() -> None:
        nonlocal moved
        moved += 1

    stopping = threading.Event()
    guide = Guide(io.StringIO(), None, 0.1, stopping)
    guide.wait(cast(Callable[[], object], move))
    assert moved > 0
    stopping.set()
    with pytest.raises(StoppedError):
        guide.wait(longest_s=60.0)
