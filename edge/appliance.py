"""The running appliance: wires the stages, fuses what they say, and ends cleanly."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

from edge.errors import MienError, SensorError
from edge.fusion import Fusion, Reading
from edge.mailbox import Mailbox
from edge.messages import FaceReading, Frame, Mood, NoFace, Sense, VoiceReading
from edge.outputs import Output
from edge.perception.speech_gate import SpeechWindow
from edge.run_report import RunReport
from edge.sensor_stages import CameraStage, Gate, MicrophoneStage, SensorLight
from edge.sensors import Camera, Microphone
from edge.stages import FaceStage, FrameReader, OutputStage, Stage, VoiceStage, WindowReader

TICK_S: Final = 0.05
"""The mood is renewed at least this often, reading or not."""
STOP_S: Final = 1.5
"""Longest wait for all stages to end."""

CHANGES_KEPT: Final = 50
"""Of the changes of what was shown, for the report: a service runs for months."""

Report = Callable[[str], None]
"""Tells the person at the terminal (or the journal) one sentence."""


@dataclass
class Parts:
    """Everything that the appliance is made of; made from settings by `edge.build`."""

    outputs: Sequence[Callable[[], Output]]
    light: Callable[[], "Light"]
    open_camera: Callable[[], Camera] | None = None
    """None when no camera is wanted."""
    open_microphone: Callable[[], Microphone] | None = None
    face_reader: Callable[[], FrameReader] | None = None
    gate: Callable[[], Gate] | None = None
    voice_reader: Callable[[], WindowReader] | None = None
    fusion: Callable[[], Fusion] = Fusion
    missing: dict[str, str] = field(default_factory=dict)
    """Senses that are wanted and cannot be had in this run ("face", "voice"), and why."""
    close: Callable[[], None] = lambda: None
    """Frees what the parts share, after everything has stopped."""


class Light(SensorLight, Protocol):
    """The recording light, and letting go of it."""

    def close(self) -> None:
        """Put it out."""


class Appliance:
    """One run, from the first light to the last."""

    def __init__(self, parts: Parts, report: Report, keep_trying: bool = False) -> None:
        """Prepare a run.

        Args:
            parts: what to run.
            report: told every problem once.
            keep_trying: with no sense at all, show the fault and go on trying instead of ending.
        """
        self._parts, self._report, self._keep_trying = parts, report, keep_trying
        self._stopping = threading.Event()
        self._frames: Mailbox[Frame] = Mailbox()
        self._windows: Mailbox[SpeechWindow] = Mailbox()
        self._faces: Mailbox[FaceReading | NoFace] = Mailbox()
        self._voices: Mailbox[VoiceReading] = Mailbox()
        self._camera: CameraStage | None = None
        self._microphone: MicrophoneStage | None = None
        self._face: FaceStage | None = None
        self._voice: VoiceStage | None = None
        self._outputs: list[OutputStage] = []
        self._light: Light | None = None
        self._told: dict[str, str] = {}
        self._shown: deque[tuple[float, str]] = deque(maxlen=CHANGES_KEPT)
        self._began_s = 0.0
        self._ready_s = 0.0

    def stop(self) -> None:
        """End the run soon; may be called from any thread or signal handler."""
        self._stopping.set()

    def run(self, seconds: float | None = None) -> RunReport:
        """Run until stopped, the clip is over, or *seconds* have passed since it was ready.

        Raises:
            ModelError: a model is missing or not the one that the manifest names.
            OutputError: no output at all can be opened.
            SensorError: no wanted sense can be had, unless told to keep trying.
        """
        self._began_s = time.monotonic()
        try:
            self._open_outputs()
            self._put(self._starting())
            if self._build_stages():
                self._loop(seconds)
        finally:
            hung = self._shut_down()
        return self._summary(hung)

    def _open_outputs(self) -> None:
        self._light = self._parts.light()
        problems: list[MienError] = []
        for make in self._parts.outputs:
            try:
                output = make()
            except MienError as error:
                problems.append(error)
                continue
            self._outputs.append(OutputStage(output, self._report))
        if problems and not self._outputs:
            raise problems[0]
        for problem in problems:
            self._report(str(problem))
        for stage in self._outputs:
            stage.start()

    def _starting(self) -> Mood:
        parts = self._parts
        face, voice = (
            Sense("starting" if wanted or name in parts.missing else "off")
            for name, wanted in (("face", parts.open_camera), ("voice", parts.open_microphone))
        )
        return Mood(self._began_s, "starting", face=face, voice=voice)

    def _build_stages(self) -> bool:
        """Load the models on a thread of their own, so that a signal is heard meanwhile."""
        failures: list[BaseException] = []

        def load() -> None:
            try:
                self._make_stages()
            except BaseException as error:
                failures.append(error)

        loader = threading.Thread(target=load, name="loader", daemon=True)
        loader.start()
        while loader.is_alive():
            loader.join(TICK_S)
            if self._stopping.is_set():
                return False
        if failures:
            raise failures[0]
        for stage in self._live_stages():
            stage.start()
        return True

    def _make_stages(self) -> None:
        parts, light = self._parts, self._light
        assert light is not None
        if parts.open_camera and parts.face_reader:
            self._face = FaceStage(parts.face_reader(), self._frames, self._faces)
            self._camera = CameraStage(parts.open_camera, light, self._frames)
        if parts.open_microphone and parts.gate and parts.voice_reader:
            self._voice = VoiceStage(parts.voice_reader(), self._windows, self._voices)
            self._microphone = MicrophoneStage(
                parts.open_microphone, light, parts.gate(), self._windows
            )

    def _live_stages(self) -> Iterator[Stage]:
        for stage in (self._face, self._voice, self._camera, self._microphone):
            if stage is not None:
                yield stage

    def _loop(self, seconds: float | None) -> None:
        fusion = self._parts.fusion()
        while not self._stopping.is_set():
            readings: list[Reading] = []
            if self._face is not None:
                face = self._faces.take(TICK_S)
                readings += [face] if face is not None else []
            voice = self._voices.take(0 if self._face is not None else TICK_S)
            readings += [voice] if voice is not None else []
            if self._face is None and self._voice is None:
                self._stopping.wait(TICK_S)
            self._check_stages()
            sensors = [stage for stage in (self._camera, self._microphone) if stage is not None]
            if sensors and all(stage.ended for stage in sensors):
                break
            t_s = time.monotonic()
            mood = self._with_senses(fusion.update(readings, t_s))
            if mood.shown == "fault" and not self._keep_trying and not self._ready_s:
                raise SensorError(mood.trouble)
            self._tell(mood)
            self._put(mood)
            # Loading models takes seconds on a small board: the time counts from then on.
            counted_s = t_s - self._began_s - self._ready_s
            if seconds is not None and mood.shown != "starting" and counted_s >= seconds:
                break

    def _with_senses(self, mood: Mood) -> Mood:
        """Add how the senses fare; say "starting" or "fault" where that is the truth."""
        face = self._sense(mood.face, self._camera, "face")
        voice = self._sense(mood.voice, self._microphone, "voice")
        wanted = [sense for sense in (face, voice) if sense.state != "off"]
        if any(sense.state == "ok" for sense in wanted) or not wanted:
            self._ready_s = self._ready_s or mood.t_s - self._began_s
            return replace(mood, face=face, voice=voice)
        if all(sense.state == "lost" for sense in wanted):
            trouble = " ".join(dict.fromkeys(sense.trouble for sense in wanted))
            return replace(mood, shown="fault", face=face, voice=voice, trouble=trouble)
        return replace(mood, shown="starting", face=face, voice=voice)

    def _sense(
        self,
        sense: Sense,
        stage: CameraStage | MicrophoneStage | None,
        name: Literal["face", "voice"],
    ) -> Sense:
        if name in self._parts.missing:
            sense = Sense("lost", trouble=self._parts.missing[name])
        elif stage is None:
            return Sense("off")
        else:
            sense = replace(sense, state=stage.state, trouble=stage.trouble)
        return sense

    def _tell(self, mood: Mood) -> None:
        """Report each new trouble of a sense once, and its end."""
        for name, sense in (("face", mood.face), ("voice", mood.voice)):
            if sense.trouble != self._told.get(name, ""):
                self._told[name] = sense.trouble
                self._report(sense.trouble or f"The {name} is back.")

    def _check_stages(self) -> None:
        """A stage that fell over for a reason that nobody foresaw ends the run."""
        for stage in (*self._live_stages(), *self._outputs):
            if stage.failure is not None:
                raise stage.failure

    def _put(self, mood: Mood) -> None:
        if not self._shown or self._shown[-1][1] != mood.shown:
            self._shown.append((mood.t_s - self._began_s, mood.shown))
        for stage in self._outputs:
            stage.put(mood)

    def _shut_down(self) -> tuple[str, ...]:
        stages = [*self._live_stages(), *self._outputs]
        for stage in stages:
            stage.stop()
        deadline_s = time.monotonic() + STOP_S
        hung = tuple(
            stage.name for stage in stages if not stage.join(max(0, deadline_s - time.monotonic()))
        )
        if self._light is not None:
            self._light.close()
        self._parts.close()
        return hung

    def _summary(self, hung: tuple[str, ...]) -> RunReport:
        face = self._face
        read = face.processed if face else 0
        return RunReport(
            exit_code=0,
            seconds=time.monotonic() - self._began_s,
            ready_s=self._ready_s,
            frames=self._frames.put_count,
            frames_read=read,
            frames_dropped=self._frames.dropped,
            frames_refused=face.refused if face else 0,
            oldest_frame_s=face.oldest_s if face else 0.0,
            face_s=face.busy_s / read if face and read else 0.0,
            overflows=self._microphone.overflows if self._microphone else 0,
            voice_windows=self._voice.processed if self._voice else 0,
            shown=tuple(self._shown),
            hung=hung,
        )
