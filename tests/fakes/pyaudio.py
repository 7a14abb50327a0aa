"""A stand-in for PyAudio 0.2.14 whose devices and sounds the test chooses.

Streams of unsupported rate or channels are refused with PortAudio's numbers, a busy device is
unavailable, and the callback runs when the test feeds a stream.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

paInt16 = 8  # noqa: N816 - PortAudio's names
paContinue = 0  # noqa: N816
paInputOverflow = 2  # noqa: N816


class Device:
    def __init__(
        self,
        name: str,
        channels: int = 1,
        rate: float = 16000.0,
        takes: tuple[tuple[int, int], ...] | None = None,
        busy: bool = False,
    ) -> None:
        self.name = name
        self.channels = channels
        self.rate = rate
        self.takes = takes
        """Rate and channels that the hardware accepts; None: any."""
        self.busy = busy


class Stream:
    def __init__(self, audio: "PyAudio", device: Device, **wanted: Any) -> None:
        self._audio = audio
        self.device = device
        self.rate: int = wanted["rate"]
        self.channels: int = wanted["channels"]
        self.frames_per_buffer: int = wanted["frames_per_buffer"]
        self._callback: Callable[..., Any] = wanted["stream_callback"]
        self.running = False
        self.closed = False

    def start_stream(self) -> None:
        self.running = True

    def is_active(self) -> bool:
        if self.closed:
            raise OSError(-9988, "Stream closed")
        return self.running

    def close(self) -> None:
        self.running = False
        self.closed = True
        self._audio.streams.discard(self)

    def feed(self, sound: NDArray[np.float64], status: int = 0) -> None:
        """Let the device record: shape [n], -1 to 1, the same in all channels."""
        assert self.running, "the callback runs only while the stream does"
        pcm = np.round(np.clip(sound, -1, 1) * 32767).astype("<i2")
        step = self.frames_per_buffer
        for start in range(0, len(pcm), step):
            piece = np.repeat(pcm[start : start + step, None], self.channels, axis=1)
            times = {"input_buffer_adc_time": 0.0, "current_time": 0.0}
            answer = self._callback(piece.tobytes(), len(piece), times, status)
            assert answer == (None, paContinue)


class PyAudio:
    devices: ClassVar[list[Device]] = []
    default: ClassVar[int | None] = 0
    made: ClassVar[list["PyAudio"]] = []

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self.last: Stream | None = None
        self.terminated = False
        PyAudio.made.append(self)

    def get_device_count(self) -> int:
        assert not self.terminated
        return len(PyAudio.devices)

    def get_device_info_by_index(self, index: int) -> dict[str, Any]:
        device = PyAudio.devices[index]
        return {
            "index": index,
            "name": device.name,
            "maxInputChannels": device.channels,
            "defaultSampleRate": device.rate,
        }

    def get_default_input_device_info(self) -> dict[str, Any]:
        if PyAudio.default is None:
            raise OSError("No Default Input Device Available")
        return self.get_device_info_by_index(PyAudio.default)

    def open(
        self,
        rate: int,
        channels: int,
        format: int,
        input: bool = False,
        input_device_index: int | None = None,
        frames_per_buffer: int = 0,
        start: bool = True,
        stream_callback: Callable[..., Any] | None = None,
    ) -> Stream:
        assert not self.terminated
        assert input and format == paInt16 and input_device_index is not None
        device = PyAudio.devices[input_device_index]
        if device.busy:
            raise OSError(-9985, "Device unavailable")
        if channels > device.channels:
            raise OSError(-9998, "Invalid number of channels")
        if device.takes is not None and (rate, channels) not in device.takes:
            raise OSError(-9997, "Invalid sample rate")
        stream = Stream(
            self,
            device,
            rate=rate,
            channels=channels,
            frames_per_buffer=frames_per_buffer,
            stream_callback=stream_callback,
        )
        if start:
            stream.start_stream()
        self.streams.add(stream)
        self.last = stream
        return stream

    def terminate(self) -> None:
        for stream in self.streams.copy():
            stream.close()
        self.terminated = True
