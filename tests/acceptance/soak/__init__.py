"""Memory over an hour, and the time to READY and to the splash."""
