"""Puts the sound of the clip together: spoken words over the faint noise of a room."""

import shutil
import subprocess
import tempfile
import wave
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.demo.formants import SYLLABLE_S, babble
from edge.demo.script import DURATION_S, RATE_FPS, SPEECH, Phrase

Sound = NDArray[np.float32]

RATE_HZ: Final = 48_000
RECORDINGS: Final = Path("/usr/share/sounds/alsa")
"""Where alsa-utils keeps its spoken channel names, one WAV file each."""
PEAK: Final = 0.35
"""Peak of a phrase of level 1."""
ROOM_NOISE_DBFS: Final = -62.0


def sound_source() -> str:
    """Where the words come from on this machine: "recordings", "espeak-ng" or "synthesis"."""
    if all(_recording(phrase.words).is_file() for phrase in SPEECH):
        return "recordings"
    return "espeak-ng" if shutil.which("espeak-ng") else "synthesis"


def make_sound(source: str | None = None) -> tuple[Sound, NDArray[np.float64]]:
    """Make the whole track.

    Args:
        source: "recordings", "espeak-ng" or "synthesis"; None takes the best there is.

    Returns:
        Samples, shape [n], -1 to 1, `RATE_HZ`; and the loudness of the speech in each picture,
        shape [pictures], 0-1.
    """
    source = source or sound_source()
    n = round(DURATION_S * RATE_HZ)
    speech = np.zeros(n, np.float32)
    for number, phrase in enumerate(SPEECH):
        words = _trimmed(_speak(phrase, source, number))
        words = _fade(words * (PEAK * phrase.level / max(float(np.abs(words).max()), 1e-6)))
        start = round(phrase.start_s * RATE_HZ)
        piece = words[: n - start]
        speech[start : start + len(piece)] += piece
    per = RATE_HZ // RATE_FPS
    power = np.square(speech[: n // per * per].astype(np.float64)).reshape(-1, per).mean(axis=1)
    loudness = np.clip(np.sqrt(power) / 0.12, 0, 1)
    return np.clip(speech + _room_noise(n), -1, 1).astype(np.float32), loudness


def _speak(phrase: Phrase, source: str, number: int) -> Sound:
    if source == "recordings":
        sound, rate_hz = _read_wave(_recording(phrase.words))
    elif source == "espeak-ng":
        sound, rate_hz = _espeak(phrase.words)
    else:
        sound, rate_hz = babble(round(1.0 / SYLLABLE_S), 16_000, seed=number), 16_000
    return _at_rate(sound, rate_hz * phrase.pitch)


def _recording(words: str) -> Path:
    return RECORDINGS / f"{words.title().replace(' ', '_')}.wav"


def _read_wave(path: Path) -> tuple[Sound, int]:
    """Read 16-bit PCM, mixed down to one channel."""
    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path} does not hold 16-bit samples")
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        mono = data.reshape(-1, file.getnchannels()).mean(axis=1) / 32768
        return mono.astype(np.float32), file.getframerate()


def _espeak(words: str) -> tuple[Sound, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.wav"
        subprocess.run(
            ["espeak-ng", "-v", "en+f3", "-w", str(path), words],
            check=True,
            capture_output=True,
            timeout=20,
        )
        return _read_wave(path)


def _at_rate(sound: Sound, rate_hz: float) -> Sound:
    """Resample to `RATE_HZ`; a *rate_hz* above the true one raises the pitch."""
    if rate_hz == RATE_HZ:
        return sound
    import soxr

    result: Sound = soxr.resample(sound, rate_hz, RATE_HZ)
    return result


def _trimmed(sound: Sound) -> Sound:
    """Without the silence before and after the words."""
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    margin = RATE_HZ // 50
    return sound[max(loud[0] - margin, 0) : loud[-1] + margin] if len(loud) else sound


def _fade(sound: Sound) -> Sound:
    ramp = np.clip(np.arange(len(sound)) / (RATE_HZ * 0.01), 0, 1)
    result: Sound = (sound * ramp * ramp[::-1]).astype(np.float32)
    return result


def _room_noise(n: int) -> Sound:
    """Noise that falls by 3 dB an octave, as in a quiet room."""
    spectrum = np.fft.rfft(np.random.default_rng(2).standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    spectrum *= 1 / np.sqrt(np.maximum(hz, 40.0))
    noise = np.fft.irfft(spectrum, n)
    result: Sound = (noise / noise.std() * 10 ** (ROOM_NOISE_DBFS / 20)).astype(np.float32)
    return result
