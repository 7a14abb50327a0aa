"""Commands of `mien` that have commands of their own, and the options that several share."""
