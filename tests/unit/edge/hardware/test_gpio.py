"""The mock keeps RPi.GPIO's rules; the right library is chosen; failures name their remedy."""

import sys
import types
import warnings
from collections.abc import Callable
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


NO_OUTPUT = "not been set up as an OUTPUT"


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda gpio: gpio.setmode(gpio.BOARD), ValueError, "different mode"),
        (lambda gpio: gpio.output(27, 1), RuntimeError, NO_OUTPUT),
        (lambda gpio: gpio.output(4, 1), RuntimeError, NO_OUTPUT),
        (lambda gpio: gpio.PWM(4, 100), RuntimeError, NO_OUTPUT),
        (lambda gpio: gpio.setup(99, gpio.OUT), ValueError, "invalid on a Raspberry Pi"),
        (lambda gpio: gpio.setup(4, gpio.IN, initial=1), ValueError, "initial parameter"),
        (lambda gpio: gpio.PWM(17, 0), ValueError, r"greater than 0\.0"),
        (lambda gpio: [gpio.PWM(17, 100) for _ in range(2)], RuntimeError, "already exists"),
        (lambda gpio: gpio.PWM(17, 100).start(101), ValueError, "dutycycle"),
    ],
)
def test_the_mock_refuses_what_rpi_gpio_refuses(
    gpio: MockGpio, wrong: Callable[[MockGpio], object], error: type[Exception], words: str
) -> None:
    gpio.setmode(gpio.BCM)
    gpio.setup(4, gpio.IN)
    gpio.setup(17, gpio.OUT)
    with pytest.raises(error, match=words):
        wrong(gpio)


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


def test_pwm_that_was_stopped_may_be_made_anew(gpio: MockGpio) -> None:
    gpio.setup(17, gpio.OUT)
    gpio.PWM(17, 100).stop()
    gpio.PWM(17, 100)


def test_warns_of_a_channel_that_is_in_use_unless_told_not_to() -> None:
    mock, quiet = MockGpio(taken=[17]), MockGpio(taken=[17])
    for each in (mock, quiet):
        each.setmode(each.BCM)
    with pytest.warns(RuntimeWarning, match="already in use"):
        mock.setup(17, mock.OUT)
    quiet.setwarnings(False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quiet.setup(17, quiet.OUT)


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


UNKNOWN_BOARD = RuntimeError("Cannot determine SOC peripheral base address")


@pytest.mark.parametrize(
    ("backend", "error", "remedy"),
    [
        ("rpi", ModuleNotFoundError("No module named 'RPi'"), "-m pip install rpi-lgpio"),
        ("jetson", ModuleNotFoundError("No module named 'Jetson'"), "-m pip install Jetson.GPIO"),
        ("rpi", UNKNOWN_BOARD, r"replace RPi\.GPIO by rpi-lgpio"),
    ],
)
def test_a_library_that_is_missing_or_does_not_know_the_board_is_named(
    monkeypatch: pytest.MonkeyPatch, backend: Backend, error: Exception, remedy: str
) -> None:
    def load(name: str) -> None:
        raise error

    monkeypatch.setattr("edge.hardware.gpio.importlib.import_module", load)
    with pytest.raises(OutputError, match=remedy):
        open_gpio(backend)


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
        (UNKNOWN_BOARD, r"RPi\.GPIO by rpi-lgpio"),
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
