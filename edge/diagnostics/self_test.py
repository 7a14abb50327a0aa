"""`mien self-test`: whether this installation can read a face and a voice, without any device.

`setup.sh install` asks it of a new release, beside the running one, before it is switched in.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.build.appliance import build_components
from edge.config.schema import Settings
from edge.emotions import EMOTIONS
from edge.errors import ModelError
from edge.messages import SAMPLE_RATE_HZ, Audio, FaceReading, Frame
from edge.process.native_output import mute_native_code
from edge.runtime.components import Components

BLOCK_S: Final = 0.5


def run_self_test(
    settings: Settings, picture: NDArray[np.uint8], sound: NDArray[np.float32]
) -> str:
    """Load all that a run loads, and read *picture* and *sound*; what was seen and heard.

    Args:
        settings: all of them; a sense that is switched off is not tried.
        picture: of a face, shape [height, width, 3], RGB.
        sound: of speech, shape [n], -1 to 1, 16 kHz.

    Raises:
        MienError: a model cannot be loaded, or gives nothing.
    """
    mute_native_code()
    components = build_components(settings, None, False)
    said = []
    if settings.camera.enabled:
        said.append(f"the face is read as {_look(components, picture)}")
    if settings.microphone.enabled:
        said.append(f"the voice as {_listen(components, sound)}")
    return f"Of the demo clip {' and '.join(said)}."


def _look(components: Components, picture: NDArray[np.uint8]) -> str:
    reader = components.face_reader
    assert reader is not None
    made = reader()
    try:
        reading = made.read(Frame(picture, 0.0))
    finally:
        made.close()
    if not isinstance(reading, FaceReading):
        raise ModelError("The face of the demo clip is not found; restore the models.")
    return _named(reading.probabilities)


def _listen(components: Components, sound: NDArray[np.float32]) -> str:
    assert components.gate is not None
    assert components.voice_reader is not None
    gate, reader = components.gate(), components.voice_reader()
    length, heard = round(BLOCK_S * SAMPLE_RATE_HZ), False
    for start in range(0, len(sound) - length, length):
        window = gate.hear(Audio(sound[start : start + length], start / SAMPLE_RATE_HZ + BLOCK_S))
        if window is None:
            continue
        heard, reading = True, reader.read(window)
        if reading is not None:
            return _named(reading.probabilities)
    if not heard:
        raise ModelError("Nobody is heard in the demo clip; restore the models.")
    # A machine without recorded words has a synthesized voice, which need not pass for one.
    return "no voice"


def _named(probabilities: NDArray[np.floating]) -> str:
    best = int(np.argmax(probabilities))
    return f"{EMOTIONS[best]} ({probabilities[best]:.0%})"
