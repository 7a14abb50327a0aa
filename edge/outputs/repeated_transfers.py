"""Repeats what an I2C display has refused, at once and so that no half command stays behind."""

import errno
import time
from collections.abc import Callable
from typing import Any, Final

from luma.core.error import DeviceNotFoundError

PAUSES_S: Final = (0.0, 0.0, 0.001, 0.001, 0.002, 0.002, 0.004, 0.004, 0.008, 0.008, 0.016, 0.016)
"""Before each repetition. Where one of twenty transfers is refused, at random, fewer than one picture in
10^9 is lost."""
LONGEST_S: Final = 0.3
"""No further repetition after this time: a bus that hangs takes seconds to say so, each time."""
PASSING: Final = frozenset(
    (errno.EREMOTEIO, errno.ENXIO, errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EPROTO,
     errno.ETIMEDOUT)
)  # fmt: skip
"""What the kernel says of a transfer that may well succeed the next time."""
NOP: Final = 0xE3
"""Does nothing, on every chip of the SSD1306's and SH1106's kind."""
_MOST_ARGUMENTS: Final = 2
"""Of a command that is sent to those."""
_MOST_KEPT: Final = 4
"""Commands that are kept to be repeated before data: no more ever point to one place."""

_Step = tuple[Callable[..., None], tuple[Any, ...]]


class Repeating:
    """A serial interface of luma that repeats.

    A transfer that broke off may have left the chip waiting for the rest of a command, which would eat
    the next one: that is filled up with NOPs. Data go on from an address that may have moved: they are
    repeated from the commands on that set it.
    """

    def __init__(
        self,
        serial: Any,
        *,
        fill: bool,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send through *serial*.

        Args:
            serial: an open serial interface of luma.
            fill: whether the chip knows `NOP`.
            wait: waits for so many seconds.
            clock: the monotonic time.
        """
        self.serial = serial
        self._fill, self._wait, self._clock = fill, wait, clock
        self._unit: list[_Step] = []
        """What has been sent since the last data were complete: commands, then data."""
        self._has_data = False
        self._lost = False
        self.repeated = 0
        """How often something had to be repeated."""

    def command(self, *command: int) -> None:
        """Send a command and its arguments.

        Raises:
            OSError, DeviceNotFoundError: it is refused again and again.
        """
        if self._has_data:
            self._unit, self._has_data = [], False
        step = (self.serial.command, command)
        self._send(step, [step])
        self._unit = [*self._unit[1 - _MOST_KEPT :], step]

    def data(self, data: Any) -> None:
        """Send data to where the last commands have pointed.

        Raises:
            OSError, DeviceNotFoundError: as `command`.
        """
        self._has_data = True
        self._unit.append((self.serial.data, (data,)))
        self._send(self._unit[-1], self._unit)

    def cleanup(self) -> None:
        """Let go of the bus."""
        self.serial.cleanup()

    def _send(self, step: _Step, again: list[_Step]) -> None:
        """Send *step*; when it is refused send *again*, which ends with it, until that arrives."""
        send, arguments = step
        began_s = self._clock()
        try:
            send(*arguments)
        except (OSError, DeviceNotFoundError) as error:
            self._repeat(again, error, began_s)
        self._lost = False

    def _repeat(self, steps: list[_Step], error: Exception, began_s: float) -> None:
        for pause_s in () if self._lost else PAUSES_S:
            if not _passing(error) or self._clock() - began_s > LONGEST_S:
                break
            if pause_s:
                self._wait(pause_s)
            self.repeated += 1
            try:
                if self._fill:
                    self.serial.command(*[NOP] * _MOST_ARGUMENTS)
                for send, arguments in steps:
                    send(*arguments)
            except (OSError, DeviceNotFoundError) as refused:
                error = refused
                continue
            return
        self._lost = True  # clearing it, to take leave, is not worth the same patience
        raise error


def _passing(error: BaseException) -> bool:
    """Whether it is worth a repetition; luma keeps the kernel's own error as the context."""
    if isinstance(error, OSError):
        return error.errno in PASSING
    return error.__context__ is None or _passing(error.__context__)
