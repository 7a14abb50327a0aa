"""From pictures and sound to readings."""

from typing import Final

ADAPTERS: Final = ("silero", "webrtc")
"""The speech detectors beside this file; other packages add to them by the entry points
`mien.gates`."""
