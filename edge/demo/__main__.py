"""`python -m edge.demo`: makes the demo clip where `mien run` looks for it."""

import sys

from edge.process.signals import end_on_interrupt

if __name__ == "__main__":
    end_on_interrupt()
    from edge.demo.command import main

    sys.exit(main())
