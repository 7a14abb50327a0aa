"""`mien try`: walks through what is wired, one thing at a time, and says what there is to see or hear."""
