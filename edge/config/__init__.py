"""The settings: what there is, where they are read from, how they are written down."""
