"""`python -m edge.splash`."""

import sys

from edge.splash.boot import main

if __name__ == "__main__":
    sys.exit(main())
