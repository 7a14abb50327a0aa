"""An MCP2221, a bridge from USB to I2C, as Linux' own driver hid-mcp2221 talks to it.

The driver sends HID reports of 64 bytes and waits for one in answer to each (Microchip DS20005565,
chapter 3). Behind /dev/uhid it makes a real /dev/i2c-N that everything can use unchanged.
"""

import os
import random
import struct
from collections.abc import Mapping
from typing import Final, Protocol

_REPORT: Final = 64
_STATUS: Final = 0x10
_READ: Final = 0x40
_SET_PINS, _PINS = 0x50, 0x51
_WRITES: Final = (0x90, 0x92, 0x94)
_ASK: Final = (0x91, 0x93)
_IN_ONE_REPORT: Final = 60
_NOBODY: Final = 0x40
"""Bit of the status' 20th byte: the address was not acknowledged."""
_READ_ENDS, _READ_GOES_ON = 0x55, 0x54
_READ_FAILS: Final = 0x25

_CREATE2, _DESTROY, _OUTPUT, _INPUT2 = 11, 1, 6, 12
_EVENT_BYTES: Final = 4 + 4376
"""Of `struct uhid_event` in linux/uhid.h: a type and the largest of its unions."""
_DATA_MAX: Final = 4096
_USB: Final = 3
_MICROCHIP, _MCP2221 = 0x04D8, 0x00DD
_DESCRIPTOR: Final = bytes.fromhex(
    "0600ff 0901 a101"  # a device of its vendor's own kind
    "0901 1500 26ff00 7508 9540 8102"  # 64 bytes in
    "0901 1500 26ff00 7508 9540 9102"  # 64 bytes out
    "c0"
)


class Chip(Protocol):
    """A device on the bus."""

    @property
    def status(self) -> int:
        """The byte that it answers to a read."""

    def write(self, transfer: bytes) -> None:
        """Take what was written to its address, from start to stop."""


class Bridge:
    """Answers the driver's reports and passes what it writes on to the chips."""

    def __init__(self, chips: Mapping[int, Chip]) -> None:
        """Nothing has happened on the bus yet.

        Args:
            chips: by I2C address; may change meanwhile.
        """
        self._chips = chips
        self.refused_part = 0.0
        """Part of the transfers that are broken off, at random, somewhere in the middle."""
        self.refused = 0
        """How many have been."""
        self._random = random.Random(0)
        self._address = 0
        self._wanted = 0
        self._come = b""
        self._left = 0
        self._acknowledged = True

    def answer(self, report: bytes) -> bytes:
        """The 64 bytes that go back for *report*, which has 64 bytes."""
        command = report[0]
        answer = bytearray(_REPORT)
        answer[0] = command
        if command in _WRITES:
            self._write(report)
        elif command in _ASK:
            self._address, self._left = report[3] >> 1, report[1] | report[2] << 8
            self._acknowledged = self._address in self._chips and not self._refuses()
        elif command == _READ:
            if not self._acknowledged:
                answer[2] = _READ_FAILS
            else:
                count = min(self._left, _IN_ONE_REPORT)
                answer[4 : 4 + count] = bytes([self._chips[self._address].status]) * count
                self._left -= count
                answer[2] = _READ_GOES_ON if self._left else _READ_ENDS
                answer[3] = count
        elif command == _STATUS:
            answer[2], answer[3] = report[2], report[3]  # a cancel or a new speed are done at once
            if not self._acknowledged:
                answer[20] = _NOBODY
            if report[2]:
                self._acknowledged, self._come, self._wanted = True, b"", 0
        elif command == _SET_PINS:
            answer[2:18] = report[2:18]
        elif command == _PINS:
            answer[2:10] = bytes([0xEE]) * 8  # none of its four pins is set up for GPIO
        return bytes(answer)

    def _write(self, report: bytes) -> None:
        address, length = report[3] >> 1, report[1] | report[2] << 8
        if not self._wanted or address != self._address:
            self._come, self._wanted, self._address = b"", length, address
        self._come += report[4 : 4 + min(_IN_ONE_REPORT, self._wanted - len(self._come))]
        chip = self._chips.get(address)
        self._acknowledged = chip is not None
        if len(self._come) >= self._wanted:
            if chip is not None and self._refuses():
                self._acknowledged = False
                self._come = self._come[: self._random.randrange(len(self._come) + 1)]
            if chip is not None and self._come:
                chip.write(self._come)
            self._come, self._wanted = b"", 0

    def _refuses(self) -> bool:
        refuses = self._random.random() < self.refused_part
        self.refused += refuses
        return refuses


class Uhid:
    """The bridge plugged into this machine."""

    def __init__(self) -> None:
        """Plug it in.

        Raises:
            OSError: there is no /dev/uhid, or it may not be used.
        """
        self.number = os.open("/dev/uhid", os.O_RDWR | os.O_CLOEXEC)
        head = struct.pack(
            "<I128s64s64sHHIIII", _CREATE2, b"MCP2221 USB-I2C/UART Combo", b"rig/0", b"0",
            len(_DESCRIPTOR), _USB, _MICROCHIP, _MCP2221, 0x100, 0,
        )  # fmt: skip
        os.write(self.number, (head + _DESCRIPTOR).ljust(_EVENT_BYTES, b"\0"))

    def serve(self, bridge: Bridge) -> None:
        """Take the next event of the kernel, and answer it if it is a report; waits for one."""
        event = os.read(self.number, _EVENT_BYTES)
        (kind,) = struct.unpack_from("<I", event)
        if kind != _OUTPUT:
            return
        (size,) = struct.unpack_from("<H", event, 4 + _DATA_MAX)
        report = event[4 : 4 + size]
        if size == _REPORT + 1:  # with a report's number before it, which is 0
            report = report[1:]
        answer = bridge.answer(report.ljust(_REPORT, b"\0"))
        os.write(self.number, struct.pack("<IH", _INPUT2, len(answer)) + answer)

    def unplug(self) -> None:
        """Pull it out."""
        os.write(self.number, struct.pack("<I", _DESTROY))
        os.close(self.number)
