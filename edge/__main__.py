"""`python -m edge` is `mien`."""

from edge.cli import main

main()
