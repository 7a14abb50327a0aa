"""`mien-splash` on a bus that is a pipe: `splash_on_pipe.py PIPE CONFIG`.

All that would go to the display is written to descriptor PIPE, by whichever way the splash takes: its
own, for the usual displays, or luma.
"""

import fcntl
import os
import sys
from typing import Any


def main() -> int:
    """Put the pipe in the bus's place and run the splash with the settings in CONFIG."""
    pipe, config = int(sys.argv[1]), sys.argv[2]
    system: Any = os
    control: Any = fcntl
    open_file = os.open

    def open_bus(path: Any, *others: Any, **more: Any) -> int:
        if str(path).startswith("/dev/i2c-"):
            return pipe
        return open_file(path, *others, **more)

    def transfer(number: int, request: int, argument: Any = 0, *others: Any) -> int:
        # smbus2 hands its messages to the kernel by ioctl, instead of writing them.
        for message in getattr(argument, "msgs", [])[: getattr(argument, "nmsgs", 0)]:
            os.write(pipe, bytes(message.buf[: message.len]))
        if hasattr(argument, "data"):
            block = argument.data.contents.block
            os.write(pipe, bytes([argument.command, *block[1 : block[0] + 1]]))
        return 0

    system.open, control.ioctl = open_bus, transfer
    from edge.splash.boot import main as splash

    return splash(config)


if __name__ == "__main__":
    sys.exit(main())
