"""In the guest: who speaks. Plays sound into the other end of the loopback card.

/run/rig/sound says what is to be heard: "speech" or "quiet".
"""

import time
import wave
from pathlib import Path
from typing import Any, Final

from tests.acceptance.devices.simulation_control import ready, wish

FILM: Final = Path("/rig/film")
FORMATS: Final = tuple(
    (rate_hz, channels) for rate_hz in (48_000, 44_100, 16_000) for channels in (2, 1)
)
"""Rates and channels that there is speech in. Whoever opens one end of the card decides for both."""
OPEN_S: Final = 30.0
FAR_END: Final = "(hw:0,1)"
"""What is played here is heard at hw:0,0, which is what "default" is."""
BLOCK: Final = 4800


def far_end(audio: Any) -> int:
    """The number that PortAudio has given to the other end of the card.

    Raises:
        LookupError: there is no such device.
    """
    for index in range(audio.get_device_count()):
        device = audio.get_device_info_by_index(index)
        if FAR_END in str(device["name"]) and int(device["maxOutputChannels"]) > 0:
            return index
    raise LookupError(f"there is no sound device {FAR_END}")


def open_far_end(pyaudio: Any, audio: Any) -> tuple[Any, int, int]:
    """A stream in the first of `FORMATS` that the card takes; its rate and channels.

    Raises:
        OSError: it takes none of them.
    """
    device = far_end(audio)
    problem = OSError("there are no formats")
    for rate_hz, channels in FORMATS:
        try:
            stream = audio.open(
                rate=rate_hz,
                channels=channels,
                format=pyaudio.paInt16,
                output=True,
                output_device_index=device,
                frames_per_buffer=BLOCK,
            )
        except (OSError, ValueError) as error:
            problem = OSError(f"no sound at {rate_hz} Hz with {channels} channels: {error}")
        else:
            return stream, rate_hz, channels
    raise problem


def main() -> None:
    import pyaudio

    began_s = time.monotonic()
    while True:
        audio = pyaudio.PyAudio()
        try:
            stream, rate_hz, channels = open_far_end(pyaudio, audio)
            break
        except (OSError, LookupError):
            audio.terminate()  # it looks for devices only when it starts
            if time.monotonic() - began_s > OPEN_S:
                raise
            time.sleep(0.5)
    with wave.open(str(FILM / f"speech-{rate_hz}-{channels}.wav")) as file:
        speech = file.readframes(file.getnframes())
    ready()
    size = BLOCK * channels * 2
    place = 0
    while True:
        if wish("sound", "quiet") == "speech":
            block = speech[place : place + size]
            place = 0 if place + 2 * size > len(speech) else place + size
        else:
            block, place = bytes(size), 0
        stream.write(block)


if __name__ == "__main__":
    main()
