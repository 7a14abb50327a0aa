"""The microphone through PortAudio: PyAudio on ALSA, PulseAudio or PipeWire."""

import difflib
import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge.config.adapters import NoSettings
from edge.errors import SensorError
from edge.hardware.host import Host
from edge.process.native_output import quiet_stderr
from edge.process.pip_command import pip_install
from edge.process.time_limit import within
from edge.process.trial import try_in_child
from edge.sensors import MicrophoneAdapter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.messages import Audio

KEPT_S: Final = 2.0
"""Sound that waits for a reader; older sound is dropped and counted as an overflow."""
STALL_S: Final = 2.0
"""A stream that is silent this long, without even zeros, is dead: its device was pulled out."""
CLOSE_S: Final = 2.0
_LONG: Final = 10
"""What has so many digits is no number of a microphone, but a name."""

_START: Final = """
import sys
sys.path.insert(0, sys.argv[1])
import pyaudio._portaudio as portaudio
portaudio.initialize()
portaudio.terminate()
"""
_UNAVAILABLE: Final = -9985  # paDeviceUnavailable
_INPUT_OVERFLOW: Final = 2  # paInputOverflow among the status flags


@dataclass(frozen=True)
class _Device:
    index: int
    name: str
    channels: int
    rate_hz: float


def _start_pyaudio() -> tuple[Any, Any]:
    """Import PyAudio and start PortAudio: the module, and the instance."""
    # Without this, looking for devices may start a JACK server that nobody asked for.
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    try:
        import pyaudio
    except ImportError as error:
        raise SensorError(
            "PyAudio, which reads the microphone, cannot be loaded: install it with `sudo apt install "
            f"portaudio19-dev && {pip_install('PyAudio')}`."
        ) from error
    _try_first(str(Path(getattr(pyaudio, "__file__", None) or "").parent.parent))
    with quiet_stderr():
        try:
            return pyaudio, pyaudio.PyAudio()
        except OSError as error:
            raise SensorError(
                f"PortAudio does not start ({error}): check that sound works with `arecord -l`."
            ) from error


@cache
def _try_first(packages: str) -> None:
    """Start PortAudio in a process of its own: it ends the one it is in when ALSA gives it nothing.

    That it went well is remembered; what went wrong is tried again, it may be mended meanwhile.

    Raises:
        SensorError: it would have ended this process.
    """
    if packages == ".":  # no library on a disk
        return
    trial = try_in_child(_START, packages)
    if trial.trouble:
        lines = [line for line in trial.said.splitlines() if line.strip()]
        alsa = [line.rpartition(") ")[2] for line in lines if line.startswith("ALSA lib")]
        reason = (alsa or lines or ["it says nothing"])[-1]
        raise SensorError(
            f"PortAudio cannot be used, it ends the process that it is in ({trial.trouble}; "
            f"{reason[:200]}): check ALSA's configuration (ALSA_CONFIG_PATH, /etc/asound.conf, "
            "~/.asoundrc) with `arecord -l`."
        )


def _inputs(audio: Any) -> list[_Device]:
    devices = []
    for index in range(audio.get_device_count()):
        info = audio.get_device_info_by_index(index)
        name = info["name"]
        if isinstance(name, bytes):  # PyAudio passes on what it cannot decode
            name = name.decode("utf-8", "replace")
        if int(info["maxInputChannels"]) > 0:
            devices.append(
                _Device(
                    index, name, int(info["maxInputChannels"]), float(info["defaultSampleRate"])
                )
            )
    return devices


def list_microphones() -> list[tuple[int, str]]:
    """Index and name of every device that can record; either selects it in `PortAudioMicrophone`.

    Raises:
        SensorError: PyAudio is not installed, or PortAudio does not start.
    """
    _, audio = _start_pyaudio()
    try:
        return [(device.index, device.name) for device in _inputs(audio)]
    finally:
        audio.terminate()


def _choose(audio: Any, wanted: int | str | None) -> _Device:
    """Find the device that was asked for.

    Raises:
        SensorError: there is none at all, or none of that name or number.
    """
    devices = _inputs(audio)
    if not devices:
        raise SensorError("There is no microphone: plug one in; `arecord -l` lists them.")
    if wanted is None or wanted == "":
        try:
            default = int(audio.get_default_input_device_info()["index"])
        except OSError:
            return devices[0]
        return next((device for device in devices if device.index == default), devices[0])
    if isinstance(wanted, int) or (wanted.isdecimal() and len(wanted) < _LONG):
        for device in devices:
            if device.index == int(wanted):
                return device
        numbers = ", ".join(f"{device.index} ({device.name})" for device in devices)
        raise SensorError(f"There is no microphone number {wanted}: there are {numbers}.")
    for device in devices:
        if device.name == wanted:
            return device
    part_of = [device for device in devices if wanted.lower() in device.name.lower()]
    if part_of:
        return part_of[0]
    names = [device.name for device in devices]
    lower = {name.lower(): name for name in names}
    near = [lower[n] for n in difflib.get_close_matches(wanted.lower(), lower, n=3, cutoff=0.3)]
    shown = ", ".join(f'"{name}"' for name in (near or names[:3]))
    raise SensorError(
        f'There is no microphone named "{wanted}": the nearest names are {shown}; '
        "`mien devices` lists them all."
    )


def _formats(device: _Device) -> list[tuple[float, int]]:
    """Rate and channels to try, best first: some hardware takes but one combination."""
    from edge.messages import SAMPLE_RATE_HZ

    rates = dict.fromkeys((device.rate_hz, 48_000.0, 44_100.0, float(SAMPLE_RATE_HZ)))
    channels = dict.fromkeys((1, min(2, device.channels), device.channels))
    return [(rate, number) for rate in rates for number in channels]


def _frames(block: int, rate_hz: float) -> int:
    """How many samples of a device last as long as *block* of Mien's."""
    from edge.messages import SAMPLE_RATE_HZ

    return max(1, round(block * rate_hz / SAMPLE_RATE_HZ))


def _to_mono(data: bytes, channels: int) -> "NDArray[np.float32]":
    import numpy as np

    samples = np.frombuffer(data, np.int16).astype(np.float32).reshape(-1, channels)
    mono: NDArray[np.float32] = samples.mean(axis=1) / np.float32(32768)
    return mono


class PortAudioMicrophone:
    """A microphone at its own rate, delivered at 16 kHz mono in blocks of 512 samples."""

    def __init__(self, device: int | str | None = None, block: int = 512) -> None:
        """Open the microphone and start recording.

        Args:
            device: number or name (or a part of it) from `list_microphones`; None is the system's
                default.
            block: samples at 16 kHz that PortAudio shall hand over at once; as many as the speech
                gate takes.

        Raises:
            SensorError: there is no such device, or it cannot be used; says what to do.
        """
        from edge.sensors.resample import Blocks

        self.overflows = 0
        self._arrived: deque[tuple[bytes, float]] = deque()
        self._arrival = threading.Condition()
        self._ready: deque[Audio] = deque()
        self._closed = False
        pyaudio, self._audio = _start_pyaudio()
        try:
            chosen = _choose(self._audio, device)
            self.name = chosen.name
            self._continue = pyaudio.paContinue
            self._stream, rate_hz, self._channels = self._open(pyaudio, chosen, block)
        except BaseException:
            self._audio.terminate()
            raise
        per_s = rate_hz / _frames(block, rate_hz)
        self._kept = max(2, round(KEPT_S * per_s))
        self._blocks = Blocks(rate_hz)
        self._last_arrival_s = time.monotonic()
        with quiet_stderr():
            try:
                self._stream.start_stream()
            except OSError as error:
                self.close()
                raise self._unusable(error) from error

    def _open(self, pyaudio: Any, device: _Device, block: int) -> tuple[Any, float, int]:
        """Open a stream that is not started yet: it, its rate, its channels."""
        failure: OSError | ValueError | None = None
        for rate_hz, channels in _formats(device):
            with quiet_stderr():
                try:
                    stream = self._audio.open(
                        rate=round(rate_hz),
                        channels=channels,
                        format=pyaudio.paInt16,
                        input=True,
                        input_device_index=device.index,
                        frames_per_buffer=_frames(block, rate_hz),
                        start=False,
                        stream_callback=self._on_sound,
                    )
                    return stream, float(round(rate_hz)), channels
                except (OSError, ValueError) as error:
                    failure = error
                    if isinstance(error, OSError) and error.errno == _UNAVAILABLE:
                        break
        raise self._unusable(failure) from failure

    def _unusable(self, error: Exception | None) -> SensorError:
        if isinstance(error, OSError) and error.errno == _UNAVAILABLE:
            return SensorError(
                f'The microphone "{self.name}" is busy: another program uses it; '
                "`fuser -v /dev/snd/*` names it."
            )
        reason = error.args[-1] if error is not None and error.args else "unknown error"
        return SensorError(
            f'The microphone "{self.name}" cannot be opened ({reason}): try another one; '
            "`mien devices` lists them."
        )

    def _on_sound(
        self, data: bytes | None, frames: int, times: dict[str, float], status: int
    ) -> tuple[None, int]:
        """Called by PortAudio in its own thread for every buffer: must be quick, must not raise."""
        now_s = time.monotonic()
        with self._arrival:
            if status & _INPUT_OVERFLOW:
                self.overflows += 1
            if data:
                if len(self._arrived) >= self._kept:
                    self._arrived.popleft()
                    self.overflows += 1
                self._arrived.append((data, now_s))
            self._last_arrival_s = now_s
            self._arrival.notify()
        return None, int(self._continue)

    def read(self, timeout_s: float) -> "Audio | None":
        """Wait for the next block, at most *timeout_s*; None if none came.

        Raises:
            SensorError: the device is gone and has to be reopened.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self._ready:
            with self._arrival:
                if not self._arrived:
                    self._check_alive()
                    wait_s = deadline_s - time.monotonic()
                    if wait_s <= 0 or not self._arrival.wait(wait_s):
                        return None
                if not self._arrived:
                    continue
                data, t_s = self._arrived.popleft()
            self._ready.extend(self._blocks.push(_to_mono(data, self._channels), t_s))
        return self._ready.popleft()

    def _check_alive(self) -> None:
        if self._closed:
            raise SensorError(f'The microphone "{self.name}" has been closed.')
        silent_s = time.monotonic() - self._last_arrival_s
        try:
            active = self._stream.is_active()
        except OSError:
            active = False
        if not active or silent_s > STALL_S:
            raise SensorError(
                f'The microphone "{self.name}" has stopped delivering sound: check its plug.'
            )

    def close(self) -> None:
        """Stop recording and let go of the device. May be called twice."""
        if self._closed:
            return
        self._closed = True
        with self._arrival:
            self._arrival.notify_all()

        def let_go() -> None:
            try:
                if hasattr(self, "_stream"):
                    self._stream.close()
            finally:
                self._audio.terminate()

        within(CLOSE_S, let_go, "microphone-close")


def find(settings: NoSettings, host: Host) -> list[tuple[int | str, str]]:
    """Number and name of every microphone.

    Raises:
        SensorError: PortAudio cannot be used.
    """
    return [*list_microphones()]


def make(settings: NoSettings, device: int | str, host: Host) -> PortAudioMicrophone:
    """Open the microphone of that number or name, or the system's own choice for "auto"."""
    return PortAudioMicrophone(None if device == "auto" else device)


ADAPTER = MicrophoneAdapter(NoSettings, find, make)
