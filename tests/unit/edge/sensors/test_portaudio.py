import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import SensorError
from edge.messages import SAMPLE_RATE_HZ
from edge.sensors import portaudio
from edge.sensors.portaudio import PortAudioMicrophone, list_microphones
from tests.fakes import pyaudio as fake
from tests.fakes.pyaudio import Device


@pytest.fixture(autouse=True)
def _fake_pyaudio(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "pyaudio", fake)
    monkeypatch.setattr(fake.PyAudio, "devices", [Device("USB Audio", rate=16000.0)])
    monkeypatch.setattr(fake.PyAudio, "default", 0)
    monkeypatch.setattr(fake.PyAudio, "made", [])
    yield


def _stream() -> fake.Stream:
    stream = fake.PyAudio.made[-1].last
    assert stream is not None
    return stream


def _tone(rate: int, seconds: float) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)


def test_delivers_blocks_of_512_in_order_and_unchanged() -> None:
    microphone = PortAudioMicrophone()
    ramp = np.linspace(-0.9, 0.9, 2048, dtype=np.float64)
    _stream().feed(ramp)
    got = [microphone.read(1.0) for _ in range(4)]
    assert all(block is not None for block in got)
    sound = np.concatenate([block.samples for block in got if block is not None])
    np.testing.assert_allclose(sound, ramp, atol=1e-4)
    assert microphone.read(0.01) is None
    microphone.close()


def test_resamples_the_native_rate_to_16_khz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake.PyAudio, "devices", [Device("HDA Intel", rate=44100.0)])
    microphone = PortAudioMicrophone()
    assert _stream().rate == 44100
    _stream().feed(_tone(44100, 1.0))
    blocks = []
    while (block := microphone.read(0.01)) is not None:
        blocks.append(block.samples)
    sound = np.concatenate(blocks)
    assert len(sound) == pytest.approx(SAMPLE_RATE_HZ, abs=1024)
    crossings = np.count_nonzero(np.diff(np.signbit(sound[512:-512])))
    assert crossings / 2 / (len(sound) - 1024) * SAMPLE_RATE_HZ == pytest.approx(440, abs=2)


def test_takes_the_rate_and_channels_that_the_hardware_insists_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only = Device("hw:1,0", channels=2, rate=44100.0, takes=((48000, 2),))
    monkeypatch.setattr(fake.PyAudio, "devices", [only])
    microphone = PortAudioMicrophone()
    assert (_stream().rate, _stream().channels) == (48000, 2)
    _stream().feed(_tone(48000, 0.3))
    block = microphone.read(1.0)
    second = microphone.read(1.0)
    assert block is not None and second is not None
    assert second.samples.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_counts_what_the_device_and_what_the_reader_lost_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(portaudio, "KEPT_S", 0.32)  # ten blocks
    microphone = PortAudioMicrophone()
    _stream().feed(np.full(512, 0.25), status=fake.paInputOverflow)
    assert microphone.overflows == 1
    for level in np.linspace(0.1, 0.9, 14):
        _stream().feed(np.full(512, level))
    assert microphone.overflows == 1 + 5
    first = microphone.read(0.1)
    assert first is not None
    assert first.samples.mean() == pytest.approx(np.linspace(0.1, 0.9, 14)[4], abs=1e-3)


def test_waits_for_a_block_that_comes_while_reading_but_no_longer_than_it_may() -> None:
    microphone = PortAudioMicrophone()
    stream = _stream()
    threading.Timer(0.05, lambda: stream.feed(np.zeros(512))).start()
    assert microphone.read(5.0) is not None
    start_s = time.monotonic()
    assert microphone.read(0.05) is None
    assert time.monotonic() - start_s < 1.0


def test_unplugged_microphone_is_reported() -> None:
    microphone = PortAudioMicrophone()
    _stream().running = False  # PortAudio ends the stream when ALSA reports the device gone
    with pytest.raises(SensorError, match=r"USB Audio.*stopped delivering sound"):
        microphone.read(0.05)


def test_silent_stall_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portaudio, "STALL_S", 0.05)
    microphone = PortAudioMicrophone()
    with pytest.raises(SensorError, match="stopped delivering sound"):
        for _ in range(20):
            assert microphone.read(0.02) is None


def test_chooses_by_number_name_and_part_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [Device("HDMI", channels=0), Device("HDA Intel: ALC"), Device("ReSpeaker 4 Mic: USB")]
    monkeypatch.setattr(fake.PyAudio, "devices", devices)
    assert list_microphones() == [(1, "HDA Intel: ALC"), (2, "ReSpeaker 4 Mic: USB")]
    assert PortAudioMicrophone(2).name == "ReSpeaker 4 Mic: USB"
    assert PortAudioMicrophone("1").name == "HDA Intel: ALC"
    assert PortAudioMicrophone("HDA Intel: ALC").name == "HDA Intel: ALC"
    assert PortAudioMicrophone("respeaker").name == "ReSpeaker 4 Mic: USB"


def test_unknown_name_is_answered_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake.PyAudio, "devices", [Device("HDA Intel"), Device("ReSpeaker")])
    with pytest.raises(SensorError, match=r'no microphone named "RaSpeakr".*"ReSpeaker"'):
        PortAudioMicrophone("RaSpeakr")
    for odd in ("7\u00b2", "9" * 5_000):
        with pytest.raises(SensorError, match=f'no microphone named "{odd}"'):
            PortAudioMicrophone(odd)
    with pytest.raises(SensorError, match=r"number 7: there are 0 \(HDA Intel\), 1 \(ReSpeaker\)"):
        PortAudioMicrophone(7)
    assert all(audio.terminated for audio in fake.PyAudio.made)


def test_takes_the_first_when_the_system_has_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake.PyAudio, "default", None)
    assert PortAudioMicrophone().name == "USB Audio"


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (Device("USB Audio", busy=True), "busy: another program uses it; `fuser"),
        (Device("Odd", takes=((11025, 1),)), r'"Odd" cannot be opened \(Invalid sample rate\)'),
        (Device("HDMI", channels=0), "plug one in; `arecord -l`"),
    ],
)
def test_microphone_that_cannot_be_had_is_told_with_a_remedy_and_let_go(
    device: Device, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake.PyAudio, "devices", [device])
    with pytest.raises(SensorError, match=words):
        PortAudioMicrophone()
    assert fake.PyAudio.made[-1].terminated


def test_closes_twice_and_lets_everything_go() -> None:
    microphone = PortAudioMicrophone()
    stream = _stream()
    microphone.close()
    microphone.close()
    assert stream.closed
    assert fake.PyAudio.made[-1].terminated
    with pytest.raises(SensorError, match="closed"):
        microphone.read(0.01)


def test_missing_pyaudio_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(SensorError, match="pip install PyAudio"):
        PortAudioMicrophone()


def test_noise_of_c_libraries_is_silenced_and_errors_come_back(
    capfd: pytest.CaptureFixture[str],
) -> None:
    import os

    from edge.process.native_output import quiet_stderr

    with quiet_stderr():
        os.write(2, b"ALSA lib confmisc.c: no such card\n")
    os.write(2, b"a real error\n")
    assert capfd.readouterr().err == "a real error\n"
