"""The mock keeps RPi.GPIO's rules; the right library is chosen; failures name their remedy."""

import sys
import types
import warnings
from typing import Any

import pytest

from edge.errors import OutputError
from edge.hardware.gpio import Backend, gpio_troubles, open_gpio
from edge.hardware.gpio_mock import Change, MockGpio


@pytest.fixture
def gpio() -> MockGpio:
    ticks = iter(range(1000))
    mock = MockGpio(clock=lambda: float(next(ticks)))
    mock.setmode(mock.BCM)
    return mock


def test_numbering_comes_first() -> None:
    with pytest.raises(RuntimeError, match="set pin numbering mode"):
        MockGpio().setup(17, MockGpio.OUT)


def test_numbering_cannot_be_changed(gpio: MockGpio) -> None:
    gpio.setmode(gpio.BCM)
    with pytest.raises(ValueError, match="different mode"):
        gpio.setmode(gpio.BOARD)


def test_output_wants_an_output(gpio: MockGpio) -> None:
    with pytest.raises(RuntimeError, match="not been set up as an OUTPUT"):
        gpio.output(17, 1)
    gpio.setup(17, gpio.IN)
    with pytest.raises(RuntimeError, match="not been set up as an OUTPUT"):
        gpio.output(17, 1)
    with pytest.raises(RuntimeError, match="not been set up as an OUTPUT"):
        gpio.PWM(17, 100)


def test_channels_must_exist(gpio: MockGpio) -> None:
    with pytest.raises(ValueError, match="invalid on a Raspberry Pi"):
        gpio.setup(99, gpio.OUT)


def test_inputs_take_no_initial_level(gpio: MockGpio) -> None:
    with pytest.raises(ValueError, match="initial parameter"):
        gpio.setup(4, gpio.IN, initial=1)


def test_history_tells_what_the_outputs_did(gpio: MockGpio) -> None:
    gpio.setup(17, gpio.OUT, initial=gpio.HIGH)
    gpio.output(17, 0)
    pwm_gpio = gpio.PWM(17, 100)
    pwm_gpio.ChangeDutyCycle(10)  # not started: nothing to see
    pwm_gpio.start(25)
    pwm_gpio.ChangeDutyCycle(75)
    pwm_gpio.stop()
    assert gpio.history == [
        Change(0, 17, 1.0),
        Change(1, 17, 0.0),
        Change(2, 17, 0.25),
        Change(3, 17, 0.75),
        Change(4, 17, 0.0),
    ]
    assert gpio.input(17) == 0


def test_pwm_rules(gpio: MockGpio) -> None:
    gpio.setup(17, gpio.OUT)
    with pytest.raises(ValueError, match=r"greater than 0\.0"):
        gpio.PWM(17, 0)
    pwm = gpio.PWM(17, 100)
    with pytest.raises(RuntimeError, match="already exists"):
        gpio.PWM(17, 100)
    with pytest.raises(ValueError, match="dutycycle"):
        pwm.start(101)
    pwm.stop()
    gpio.PWM(17, 100)


def test_warns_of_a_channel_that_is_in_use() -> None:
    mock = MockGpio(taken=[17])
    mock.setmode(mock.BCM)
    with pytest.warns(RuntimeWarning, match="already in use"):
        mock.setup(17, mock.OUT)
    mock.setwarnings(False)
    other = MockGpio(taken=[17])
    other.setmode(other.BCM)
    other.setwarnings(False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other.setup(17, other.OUT)


def test_cleanup_releases_what_it_is_told(gpio: MockGpio) -> None:
    gpio.setup([17, 27], gpio.OUT, initial=1)
    gpio.cleanup([17])
    assert gpio.level(17) is None and gpio.level(27) == 1.0
    assert gpio.getmode() == gpio.BCM
    gpio.cleanup()
    assert gpio.level(27) is None and gpio.getmode() is None


def test_cleanup_of_nothing_warns(gpio: MockGpio) -> None:
    with pytest.warns(RuntimeWarning, match="nothing to clean up"):
        gpio.cleanup()


def fake_library(monkeypatch: pytest.MonkeyPatch, name: str) -> MockGpio:
    library = MockGpio()
    parent = types.ModuleType(name.partition(".")[0])
    monkeypatch.setitem(sys.modules, parent.__name__, parent)
    monkeypatch.setitem(sys.modules, name, library)
    return library


@pytest.mark.parametrize(
    ("model", "library"),
    [
        ("Raspberry Pi 5 Model B Rev 1.0", "RPi.GPIO"),
        ("Raspberry Pi Zero 2 W Rev 1.0", "RPi.GPIO"),
        ("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super", "Jetson.GPIO"),
    ],
)
def test_auto_takes_the_boards_own_library(
    monkeypatch: pytest.MonkeyPatch, model: str, library: str
) -> None:
    expected = fake_library(monkeypatch, library)
    opened: Any = open_gpio("auto", model)
    assert opened is expected
    assert expected.getmode() == expected.BCM


def test_auto_mocks_on_a_desktop() -> None:
    assert isinstance(open_gpio("auto", ""), MockGpio)


@pytest.mark.parametrize(("backend", "extra"), [("rpi", "pi"), ("jetson", "jetson")])
def test_a_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, backend: Backend, extra: str
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr("edge.hardware.gpio.importlib.import_module", missing)
    with pytest.raises(OutputError, match=rf"mien\[{extra}\]"):
        open_gpio(backend)


def test_a_library_that_does_not_know_the_board_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise RuntimeError("Cannot determine SOC peripheral base address")

    monkeypatch.setattr("edge.hardware.gpio.importlib.import_module", refuse)
    with pytest.raises(OutputError, match=r"replace RPi\.GPIO by rpi-lgpio"):
        open_gpio("rpi")


def test_full_folder_in_which_lgpio_makes_its_pipes_is_named_until_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = True

    def load(name: str) -> MockGpio:
        if full:
            # What lgpio 0.2.2 raises in a folder that is full, and in one that is read-only.
            raise FileNotFoundError(2, "No such file or directory", ".lgd-nfy-3")
        return MockGpio()

    monkeypatch.setattr("edge.hardware.gpio.importlib.import_module", load)
    monkeypatch.setenv("LG_WD", "/run/mien")
    for _ in range(20):
        with pytest.raises(OutputError, match=r"pipes in /run/mien .*: make room there"):
            open_gpio("rpi")
    full = False
    assert isinstance(open_gpio("rpi"), MockGpio)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (RuntimeError("Cannot determine SOC peripheral base address"), r"RPi\.GPIO by rpi-lgpio"),
        (RuntimeError("'GPIO busy'"), "another program or output has this pin"),
        (RuntimeError("No access to /dev/mem.  Try running as root!"), "usermod -aG gpio"),
        (RuntimeError("'can not open gpiochip'"), "usermod -aG gpio"),
        (PermissionError(13, "Permission denied"), "usermod -aG gpio"),
        (ValueError("The channel sent is invalid on a Raspberry Pi"), "BCM numbers"),
        (ValueError("Channel 7 is not a PWM"), "can do PWM"),
        (OSError(5, "Input/output error"), "check its pins"),
    ],
)
def test_errors_of_the_libraries_name_their_remedy(error: Exception, remedy: str) -> None:
    with pytest.raises(OutputError, match=remedy) as caught, gpio_troubles("The RGB LED"):
        raise error
    assert str(caught.value).startswith("The RGB LED cannot use its pins")
