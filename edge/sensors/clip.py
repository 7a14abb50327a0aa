"""A video or sound file in place of camera and microphone, played at its own pace."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import numpy as np

from edge.errors import ClipEnded, SensorError
from edge.messages import SAMPLE_RATE_HZ, Audio, Frame
from edge.sensors.clip_decoder import STILL_HZ, ClipInfo, Sound, pictures, probe_clip, sound, to_rgb
from edge.sensors.resample import BLOCK

KEPT_S: Final = 2.0
"""Sound that nobody has read for this long is skipped and counted as an overflow."""
CATCH_UP_S: Final = 1.0
"""Pictures that were missed are decoded for so long at a time: a machine too busy to keep up gets an
old one then, which is better than none."""


class _ClipClock:
    """The clock that both senses of a clip go by. It starts when the first of them is read."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._start_s: float | None = None
        self._lock = threading.Lock()

    def position_s(self) -> float:
        """Where the clip is now, in its own seconds, counted on through all rounds."""
        with self._lock:
            if self._start_s is None:
                self._start_s = time.monotonic()
            return (time.monotonic() - self._start_s) * self.speed

    def due_s(self, position_s: float) -> float:
        """The monotonic moment at which that place is due."""
        with self._lock:
            start_s = time.monotonic() if self._start_s is None else self._start_s
        return start_s + position_s / self.speed


def _sleep(until_s: float, deadline_s: float, closed: threading.Event) -> bool:
    """Sleep until the earlier of two monotonic moments; whether the first was reached."""
    closed.wait(max(0.0, min(until_s, deadline_s) - time.monotonic()))
    return time.monotonic() >= until_s


class _ClipCamera:
    """The pictures of a clip."""

    def __init__(self, info: ClipInfo, clock: _ClipClock, repeat: bool) -> None:
        self.name = info.path.name
        self._info = info
        self._clock = clock
        self._end_s = float("inf") if repeat or info.still else info.length_s
        self._source = self._rounds() if self._end_s > info.length_s else pictures(info)
        self._reading = threading.Lock()
        self._closed = threading.Event()
        self._next: tuple[float, Any] | None = next(self._source, None)

    @property
    def paced(self) -> bool:
        """It keeps to the times of a file, so that silence is no sign of trouble."""
        return True

    def _rounds(self) -> Generator[tuple[float, Any], None, None]:
        """The pictures over and over, with places that go on rising."""
        if self._info.still:
            for _, frame in pictures(self._info):
                for number in itertools.count():
                    yield number / STILL_HZ, frame
        for number in itertools.count():
            empty = True
            for at_s, frame in pictures(self._info):
                empty = False
                yield number * self._info.length_s + at_s, frame
            if empty:  # the file was taken away in between
                return

    def read(self, timeout_s: float) -> Frame | None:
        """Wait for the next picture that is due; of several the newest. See `Camera.read`."""
        deadline_s = time.monotonic() + timeout_s
        while not self._closed.is_set():
            with self._reading:
                newest = self._newest_due(self._clock.position_s())
                upcoming = self._next
            if newest is not None:
                at_s, frame = newest
                return Frame(image=to_rgb(frame), t_s=self._clock.due_s(at_s))
            if upcoming is None and self._end_s == float("inf"):
                raise SensorError(f"{self._info.path} cannot be read any more: is it still there?")
            next_s = self._end_s if upcoming is None else upcoming[0]
            reached = _sleep(self._clock.due_s(next_s), deadline_s, self._closed)
            if reached and upcoming is None:
                raise ClipEnded
            if not reached and time.monotonic() >= deadline_s:
                return None
        raise ClipEnded

    def _newest_due(self, position_s: float) -> tuple[float, Any] | None:
        newest = None
        give_up_s = time.monotonic() + CATCH_UP_S
        while self._next is not None and self._next[0] <= position_s:
            newest = self._next
            self._next = next(self._source, None)
            if time.monotonic() >= give_up_s:
                break
        return newest

    def close(self) -> None:
        """Let go of the file; the other sense plays on. May be called twice."""
        self._closed.set()
        with self._reading:
            self._next = None
            self._source.close()


class _ClipMicrophone:
    """The sound of a clip."""

    def __init__(self, info: ClipInfo, clock: _ClipClock, repeat: bool) -> None:
        self.name = info.path.name
        self.overflows = 0
        self._info = info
        self._clock = clock
        self._repeat = repeat
        self._source = self._rounds()
        self._reading = threading.Lock()
        self._closed = threading.Event()
        self._pieces: deque[Sound] = deque()
        self._held = 0
        self._given = 0
        """Samples handed out or skipped since the start."""

    @property
    def paced(self) -> bool:
        """It keeps to the times of a file, so that silence is no sign of trouble."""
        return True

    def _rounds(self) -> Generator[Sound, None, None]:
        for _ in itertools.count() if self._repeat else range(1):
            yield from sound(self._info)

    def read(self, timeout_s: float) -> Audio | None:
        """Wait for the next block of 512 samples. See `Microphone.read`."""
        deadline_s = time.monotonic() + timeout_s
        with self._reading:
            position_s = self._clock.position_s()
            if position_s - self._given / SAMPLE_RATE_HZ > KEPT_S * self._clock.speed:
                self._skip_to(position_s)
            end_s = (self._given + BLOCK) / SAMPLE_RATE_HZ
        due_s = self._clock.due_s(end_s)
        if not _sleep(due_s, deadline_s, self._closed) and not self._closed.is_set():
            return None
        with self._reading:
            if self._closed.is_set():
                raise ClipEnded
            samples = self._take(BLOCK)
        if not len(samples):
            raise ClipEnded
        if len(samples) < BLOCK:
            samples = np.concatenate([samples, np.zeros(BLOCK - len(samples), np.float32)])
        return Audio(samples=samples, t_s=due_s)

    def _skip_to(self, position_s: float) -> None:
        """Leave out what is too old, whole blocks only, so that the rest stays in step."""
        late = int(position_s * SAMPLE_RATE_HZ) - self._given
        skipped = self._take(late // BLOCK * BLOCK)
        if len(skipped):
            self.overflows += 1

    def _take(self, count: int) -> Sound:
        """The next *count* samples, fewer at the end: shape [n]."""
        while self._held < count:
            piece = next(self._source, None)
            if piece is None:
                break
            self._pieces.append(piece)
            self._held += len(piece)
        joined = np.concatenate([np.zeros(0, np.float32), *self._pieces])
        taken, rest = joined[:count], joined[count:]
        self._pieces = deque([rest])
        self._held = len(rest)
        self._given += len(taken)
        return taken

    def close(self) -> None:
        """Let go of the file; the other sense plays on. May be called twice."""
        self._closed.set()
        with self._reading:
            self._source.close()


class Clip:
    """A file that stands in for the devices, in real time.

    Picture and sound go by one clock, which starts when the first of them is read, so they stay in
    step whoever reads them when. What is read late is skipped as a device would skip it.
    """

    def __init__(self, path: str | Path, repeat: bool = False, speed: float = 1.0) -> None:
        """Open a clip.

        Args:
            path: a video, sound or image file. An image is a camera that always sees it.
            repeat: go round for ever, both senses together: the shorter waits for the longer.
            speed: how many seconds of the clip pass in one second, above 0.

        Raises:
            SensorError: it cannot be read, or PyAV is missing; says what to do.
            ValueError: *speed* is not above 0.
        """
        if not speed > 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        info = probe_clip(Path(path))
        clock = _ClipClock(speed)
        self.name = info.path.name
        self.length_s = info.length_s
        """Of one round, in seconds of the clip."""
        self.camera = _ClipCamera(info, clock, repeat) if info.has_picture else None
        """A `Camera`, or None if the clip has no pictures."""
        self.microphone = _ClipMicrophone(info, clock, repeat) if info.has_sound else None
        """A `Microphone`, or None if the clip has no sound."""

    def close(self) -> None:
        """Let go of the file; both senses end. May be called twice."""
        for sense in (self.camera, self.microphone):
            if sense is not None:
                sense.close()
