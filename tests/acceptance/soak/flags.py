"""What `./setup.sh rig soak` and `rig start` are told, read before anything is set up.

Run by whatever Python there is, so nothing here needs a package.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from tests.acceptance.soak.outputs import OUTPUTS

MINUTES: Final = 60.0
SPEED: Final = 4.0
AT_ONCE: Final = 2


def soak_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Minutes, speed (None unless given), output, each_output and at_once; exits with 2 if wrong."""
    parser = argparse.ArgumentParser(
        prog="./setup.sh rig soak", description="Soak the appliance.", allow_abbrev=False
    )
    parser.add_argument("--minutes", type=_above_zero, default=MINUTES, help="how long (60)")
    parser.add_argument(
        "--speed", type=_above_zero, help="of the clip (4; 1 where an output is named)"
    )
    parser.add_argument(
        "--output", choices=OUTPUTS, action="append", help="this one by itself; may be repeated"
    )
    parser.add_argument("--each-output", action="store_true", help="every one by itself")
    parser.add_argument(
        "--at-once", type=int, choices=range(1, 17), default=AT_ONCE, metavar="N", help="(2)"
    )
    options = parser.parse_args(list(arguments))
    if options.each_output and options.output:
        parser.error("--each-output and --output exclude each other; drop one")
    return options


def start_flags(arguments: Sequence[str]) -> None:
    """There are none; exits with 2 if there is one."""
    argparse.ArgumentParser(prog="./setup.sh rig start", allow_abbrev=False).parse_args(
        list(arguments)
    )


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and below a million")
    return number


if __name__ == "__main__":
    {"soak": soak_flags, "start": start_flags}[sys.argv[1]](sys.argv[2:])
