"""Mien on the device: sees a face, hears a voice, shows the mood."""

__version__ = "0.1.0"
