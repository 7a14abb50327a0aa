"""The lights: colours, fading, and the recording light's promise."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.emotions import COLORS, EMOTIONS
from edge.errors import OutputError
from edge.hardware.gpio_mock import MockGpio
from edge.messages import SHOWN, Mood
from edge.outputs.leds import EmotionLeds, RecordingLight, RgbLed, duty_cycle, intensity


@pytest.fixture
def gpio() -> MockGpio:
    mock = MockGpio()
    mock.setmode(mock.BCM)
    return mock


def mood(shown: str, probability: float = 0.9) -> Mood:
    likely = np.full(7, (1 - probability) / 6)
    if shown in EMOTIONS:
        likely[EMOTIONS.index(shown)] = probability
    return Mood(0.0, shown, likely)


def show(
    output: RgbLed | EmotionLeds, what: Mood, seconds: float = 3.0, start: float = 0.0
) -> None:
    for step in range(round(seconds / output.interval_s)):
        output.show(what, start + step * output.interval_s)


def levels(gpio: MockGpio, *pins: int) -> list[float]:
    found = [gpio.level(pin) for pin in pins]
    assert all(level is not None for level in found)
    return [float(level or 0.0) for level in found]


@pytest.mark.parametrize("shown", EMOTIONS)
def test_takes_the_emotions_color_for_the_eye(gpio: MockGpio, shown: str) -> None:
    led = RgbLed(gpio=gpio, red=17, green=27, blue=22)
    assert levels(gpio, 17, 27, 22) == [0, 0, 0]
    show(led, mood(shown))
    wanted = [(part / 255) ** 2.2 for part in COLORS[shown]]
    assert levels(gpio, 17, 27, 22) == pytest.approx(wanted, abs=0.01)


def test_common_anode_is_dark_when_high_from_the_very_first(gpio: MockGpio) -> None:
    led = RgbLed(gpio=gpio, red=17, green=27, blue=22, common_anode=True)
    assert {change.state for change in gpio.history} == {1.0}
    show(led, mood("angry"))
    red, green, blue = levels(gpio, 17, 27, 22)
    assert red < 0.05 < 0.9 < green and blue > 0.9


def test_fades_from_color_to_color(gpio: MockGpio) -> None:
    led = RgbLed(gpio=gpio, red=17, green=27, blue=22)
    show(led, mood("angry"))
    start = len(gpio.history)
    show(led, mood("sad"), start=3.0)
    blue = [change.state for change in gpio.history[start:] if change.channel == 22]
    assert len(blue) > 8
    assert np.all(np.diff(blue) > 0)
    assert np.diff(blue).max() < 0.25


def test_a_settled_color_is_not_written_again(gpio: MockGpio) -> None:
    led = RgbLed(gpio=gpio, red=17, green=27, blue=22)
    show(led, mood("happy"), seconds=5.0)
    before = len(gpio.history)
    show(led, mood("happy"), seconds=5.0, start=5.0)
    assert len(gpio.history) == before


def test_brightness_dims_the_whole_led(gpio: MockGpio) -> None:
    led = RgbLed(gpio=gpio, red=17, green=27, blue=22, brightness=0.5)
    show(led, mood("angry"))
    assert levels(gpio, 17)[0] == pytest.approx(0.5**2.2, abs=0.01)


def test_shines_brighter_when_more_certain_dimly_for_nobody_and_blinks_at_a_fault() -> None:
    assert intensity(mood("happy", 0.4), 0.0) < intensity(mood("happy", 0.7), 0.0) <= 1.0
    assert max(intensity(mood("nobody"), t / 10) for t in range(80)) <= 0.31
    blinking = [intensity(mood("fault"), t / 10) for t in range(20)]
    assert max(blinking) == 1.0 and min(blinking) < 0.2


@given(st.floats(-1, 2), st.sampled_from(SHOWN), st.floats(0, 1e6), st.floats(0, 1))
def test_duty_cycles_are_always_valid(
    brightness: float, shown: str, t_s: float, probability: float
) -> None:
    assert 0 <= duty_cycle(brightness) <= 100
    assert 0 <= intensity(mood(shown, probability), t_s) <= 1


def test_only_the_shown_emotions_led_is_lit(gpio: MockGpio) -> None:
    leds = EmotionLeds(gpio=gpio, pins={"happy": 5, "sad": 6})
    show(leds, mood("sad"))
    assert levels(gpio, 5, 6) == pytest.approx([0.0, 1.0], abs=0.01)
    show(leds, mood("angry"), start=3.0)  # has no LED
    assert levels(gpio, 5, 6) == pytest.approx([0.0, 0.0], abs=0.01)


def test_unknown_emotions_and_one_pin_twice_are_refused(gpio: MockGpio) -> None:
    with pytest.raises(OutputError, match="the emotions are angry"):
        EmotionLeds(gpio=gpio, pins={"joy": 5})
    with pytest.raises(OutputError, match="blue and red are both on pin 17"):
        RgbLed(gpio=gpio, red=17, green=27, blue=17)


@pytest.mark.parametrize("common_anode", [False, True])
def test_close_puts_out_and_releases_only_its_own(gpio: MockGpio, common_anode: bool) -> None:
    gpio.setup(4, gpio.OUT, initial=1)
    led = RgbLed(gpio=gpio, red=17, green=27, blue=22, common_anode=common_anode)
    show(led, mood("happy"))
    led.close()
    led.close()
    assert [gpio.level(pin) for pin in (17, 27, 22)] == [None, None, None]
    assert gpio.level(4) == 1.0
    RgbLed(gpio=gpio, red=17, green=27, blue=22).close()  # may be reopened


def test_pins_are_released_when_one_cannot_be_had(gpio: MockGpio) -> None:
    gpio.setup(22, gpio.OUT)
    gpio.PWM(22, 100)
    with pytest.raises(OutputError, match="another program or output has this pin"):
        RgbLed(gpio=gpio, red=17, green=27, blue=22)
    assert gpio.level(17) is None and gpio.level(27) is None


def test_a_pin_that_fails_while_running_is_told(gpio: MockGpio) -> None:
    led = RgbLed(gpio=gpio, red=17, green=27, blue=22)
    gpio.cleanup([17])
    with pytest.raises(OutputError, match="The RGB LED cannot use its pins"):
        show(led, mood("angry"))


def test_recording_light_is_on_exactly_while_a_sensor_is_open(gpio: MockGpio) -> None:
    light = RecordingLight(gpio, 23)
    states = [gpio.level(23)]
    for act, name in (
        (light.sensor_opened, "camera"),
        (light.sensor_opened, "microphone"),
        (light.sensor_opened, "camera"),  # reopened without a word of its end
        (light.sensor_closed, "camera"),
        (light.sensor_closed, "microphone"),
        (light.sensor_closed, "microphone"),
    ):
        act(name)
        states.append(gpio.level(23))
    assert states == [0, 1, 1, 1, 1, 0, 0]
    light.sensor_opened("camera")
    light.close()
    assert gpio.level(23) is None and not light.on


def test_recording_light_without_a_pin_does_nothing(gpio: MockGpio) -> None:
    for light in (RecordingLight(gpio, None), RecordingLight(None, None)):
        light.sensor_opened("camera")
        assert light.on
        light.sensor_closed("camera")
        light.close()
    assert gpio.history == []


def test_recording_light_bears_many_threads(gpio: MockGpio) -> None:
    light = RecordingLight(gpio, 23)
    wrong: list[str] = []

    def use(name: str) -> None:
        for _ in range(200):
            light.sensor_opened(name)
            if gpio.level(23) != 1.0:
                wrong.append(name)
            light.sensor_closed(name)

    threads = [threading.Thread(target=use, args=(f"sensor {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert wrong == []
    assert gpio.level(23) == 0.0
