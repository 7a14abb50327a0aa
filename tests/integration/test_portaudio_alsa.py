"""The real PyAudio and ALSA, with a file in place of a microphone's hardware."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.process import finish, start

ROOT = Path(__file__).resolve().parents[2]

ASOUNDRC = """
pcm.tone {{ type file  slave.pcm null  file /dev/null  infile "{raw}"  format raw }}
pcm.!default {{ type plug  slave {{ pcm tone  format S16_LE  channels 1  rate {rate} }} }}
ctl.!default {{ type null }}
"""

# ALSA's null device is not paced: keep everything, or sound would be dropped at once.
READ = """
import json, numpy as np
from edge.sensors import portaudio
portaudio.KEPT_S = 3600.0
names = [name for _, name in portaudio.list_microphones()]
microphone = portaudio.PortAudioMicrophone("default")
blocks = [microphone.read(5.0) for _ in range(60)]
microphone.close()
sound = np.concatenate([block.samples for block in blocks])[4000:]
spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 18))
print(json.dumps({
    "names": names,
    "hz": float(np.argmax(spectrum)) * 16000 / (1 << 18),
    "level": float(sound.std()),
    "sizes": sorted({len(block.samples) for block in blocks}),
    "overflows": microphone.overflows,
}))
"""


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_reads_a_440_hz_tone_at_its_true_pitch_and_level(tmp_path: Path, rate: int) -> None:
    pytest.importorskip("pyaudio", reason="PyAudio is not installed")
    raw = tmp_path / "tone.raw"
    t = np.arange(rate * 20) / rate
    (8000 * np.sin(2 * np.pi * 440 * t)).astype("<i2").tofile(raw)
    (tmp_path / ".asoundrc").write_text(ASOUNDRC.format(raw=raw, rate=rate))
    environment = {
        **os.environ,
        "HOME": str(tmp_path),  # where ALSA looks for .asoundrc
        "XDG_CONFIG_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", READ], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "ALSA" not in done.stderr
    heard = json.loads(done.stdout)
    assert "default" in heard["names"]
    assert heard["sizes"] == [512]
    assert heard["hz"] == pytest.approx(440.0, abs=0.5)
    assert heard["level"] == pytest.approx(8000 / 32768 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("command", ["devices", "doctor", "run --seconds 0.1 --display none"])
def test_portaudio_that_would_end_the_process_is_told_and_survived(
    tmp_path: Path, command: str
) -> None:
    pytest.importorskip("pyaudio", reason="PyAudio is not installed")
    places = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR"), str(tmp_path))  # no PulseAudio either
    absent = str(tmp_path / "absent.conf")
    process = start(*command.split(), ALSA_CONFIG_PATH=absent, COLUMNS="1000", **places)
    done = finish(process, limit_s=100)
    assert done.code in (0, 1), done.err  # doctor: 1 for the problem that it names
    told = " ".join((done.out + done.err).split())
    assert "ends the process that it is in (SIGABRT; Cannot access file" in told
    assert told.count("arecord -l") == 1
