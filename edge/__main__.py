"""`mien`, and `python -m edge`: ready to be ended before anything that takes time is imported."""

import sys

from edge import __version__
from edge.process.crash_record import this_record
from edge.process.signals import end_on_interrupt


def main() -> None:
    """Run the command line and exit."""
    end_on_interrupt()
    record = this_record()
    if sys.argv[1:2] == ["run"]:
        record.begin(__version__)
    try:
        from edge.cli import main as command_line
    except (ImportError, MemoryError, OSError) as error:
        from edge.process.limits import scarcity

        record.traceback("start", error)
        if not (sentence := scarcity(error)):
            raise
        sys.exit(f"mien: {sentence}")
    try:
        command_line()
    except SystemExit as ended:
        record.end(ended.code)
        raise


if __name__ == "__main__":
    main()
