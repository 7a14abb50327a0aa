"""Questions that need more than one net, each answered with a table."""
