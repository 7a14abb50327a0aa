"""A stand-in for RPi.GPIO that obeys the real one's rules and remembers what happened."""

import time
import warnings
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

_CHANNELS: Final = range(28)
"""BCM numbers on the 40-pin header."""


class Change(NamedTuple):
    """One entry of the history."""

    t_s: float
    channel: int
    state: float
    """1 high, 0 low, or the duty cycle of a PWM as 0-1."""


class MockGpio:
    """The RPi.GPIO API without pins.

    Messages and types of errors are those of RPi.GPIO 0.7.1. The state of a channel changes as on
    the board: a PWM that is stopped leaves it low, one that is cleaned up is an input again.
    """

    BCM = 11
    BOARD = 10
    OUT = 0
    IN = 1
    LOW = 0
    HIGH = 1

    def __init__(
        self, *, taken: Iterable[int] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with every channel unused.

        Args:
            taken: channels that another program has made outputs.
            clock: gives the history its times, in seconds.
        """
        self.history: list[Change] = []
        """Everything that the outputs did, oldest first."""
        self._taken = set(taken)
        self._clock = clock
        self._mode: int | None = None
        self._warnings = True
        self._directions: dict[int, int] = {}
        self._levels: dict[int, float] = {}
        self._pwms: dict[int, MockPwm] = {}

    def setmode(self, mode: int) -> None:
        """Choose how channels are numbered: BCM or BOARD, and then never the other."""
        if mode not in (self.BCM, self.BOARD):
            raise ValueError("An invalid mode was passed to setmode()")
        if self._mode is not None and mode != self._mode:
            raise ValueError("A different mode has already been set!")
        self._mode = mode

    def getmode(self) -> int | None:
        """How channels are numbered, None before `setmode`."""
        return self._mode

    def setwarnings(self, flag: bool) -> None:
        """Say whether channels in use are warned of."""
        self._warnings = flag

    def setup(
        self, channel: int | list[int], direction: int, *, initial: int | None = None
    ) -> None:
        """Make *channel* an input or an output, low unless *initial* says otherwise."""
        if direction not in (self.IN, self.OUT):
            raise ValueError("An invalid direction was passed to setup()")
        if direction == self.IN and initial is not None:
            raise ValueError("initial parameter is not valid for inputs")
        for one in self._checked(channel):
            if self._warnings and one in self._taken and one not in self._directions:
                warnings.warn(
                    "This channel is already in use, continuing anyway.  "
                    "Use GPIO.setwarnings(False) to disable warnings.",
                    RuntimeWarning,
                    stacklevel=2,
                )
            self._directions[one] = direction
            if direction == self.OUT:
                self._record(one, float(bool(initial)))

    def output(self, channel: int | list[int], value: int | bool) -> None:
        """Set an output high or low."""
        for one in self._checked(channel):
            self._require_output(one)
            self._record(one, float(bool(value)))

    def input(self, channel: int) -> int:
        """The level of *channel*; of an output, what it was set to."""
        (one,) = self._checked(channel)
        if one not in self._directions:
            raise RuntimeError("You must setup() the GPIO channel first")
        return int(self._levels.get(one, 0.0) >= 0.5)

    def cleanup(self, channel: int | list[int] | None = None) -> None:
        """Make *channel*, or everything that was set up here, an input again."""
        if not self._directions:
            if self._warnings:
                warnings.warn(
                    "No channels have been set up yet - nothing to clean up!  "
                    "Try cleaning up at the end of your program instead!",
                    RuntimeWarning,
                    stacklevel=2,
                )
            return
        channels = list(self._directions) if channel is None else self._checked(channel)
        for one in channels:
            if self._directions.pop(one, None) == self.OUT:
                self._record(one, 0.0)
            self._levels.pop(one, None)
            self._pwms.pop(one, None)
        if channel is None:
            self._mode = None

    def PWM(self, channel: int, frequency: float) -> "MockPwm":  # noqa: N802 - RPi.GPIO's name
        """Dim an output."""
        (one,) = self._checked(channel)
        if one in self._pwms:
            raise RuntimeError("A PWM object already exists for this GPIO channel")
        self._require_output(one)
        if frequency <= 0.0:
            raise ValueError("frequency must be greater than 0.0")
        self._pwms[one] = MockPwm(self, one)
        return self._pwms[one]

    def level(self, channel: int) -> float | None:
        """For tests: 1 high, 0 low, between them a duty cycle, None when it is no output."""
        return self._levels.get(channel)

    def _checked(self, channel: int | list[int]) -> list[int]:
        if self._mode is None:
            raise RuntimeError(
                "Please set pin numbering mode using GPIO.setmode(GPIO.BOARD) or "
                "GPIO.setmode(GPIO.BCM)"
            )
        channels = [channel] if isinstance(channel, int) else list(channel)
        for one in channels:
            if one not in _CHANNELS:
                raise ValueError("The channel sent is invalid on a Raspberry Pi")
        return channels

    def _require_output(self, channel: int) -> None:
        if self._directions.get(channel) != self.OUT:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")

    def _record(self, channel: int, state: float) -> None:
        self._levels[channel] = state
        self.history.append(Change(self._clock(), channel, state))


class MockPwm:
    """A dimmed output of a `MockGpio`."""

    def __init__(self, gpio: MockGpio, channel: int) -> None:
        self._gpio = gpio
        self._channel = channel
        self._running = False

    def start(self, dutycycle: float) -> None:
        """Begin with *dutycycle* percent of the time on, 0-100."""
        self._running = True
        self.ChangeDutyCycle(dutycycle)

    def ChangeDutyCycle(self, dutycycle: float) -> None:  # noqa: N802 - RPi.GPIO's name
        """Go on with *dutycycle* percent, 0-100; nothing is seen before `start`."""
        if not 0.0 <= dutycycle <= 100.0:
            raise ValueError("dutycycle must have a value from 0.0 to 100.0")
        if self._running:
            self._gpio._require_output(self._channel)
            self._gpio._record(self._channel, dutycycle / 100)

    def stop(self) -> None:
        """End, with the channel low."""
        if self._running and self._gpio._directions.get(self._channel) == self._gpio.OUT:
            self._gpio._record(self._channel, 0.0)
        self._running = False
        self._gpio._pwms.pop(self._channel, None)
