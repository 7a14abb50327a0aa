"""Damaged and hostile files against the real commands; `python -m tests.fuzz --help`."""
