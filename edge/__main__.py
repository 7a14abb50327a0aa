"""`mien`, and `python -m edge`: ready to be ended before anything that takes time is imported."""

import sys

from edge.process.signals import end_on_interrupt


def main() -> None:
    """Run the command line and exit."""
    end_on_interrupt()
    try:
        from edge.cli import main as command_line
    except (ImportError, MemoryError, OSError) as error:
        from edge.process.limits import scarcity

        if not (sentence := scarcity(error)):
            raise
        sys.exit(f"mien: {sentence}")
    command_line()


if __name__ == "__main__":
    main()
