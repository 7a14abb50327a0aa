"""Mutation testing of the modules that all others rest on: `python -m tests.mutation`."""
