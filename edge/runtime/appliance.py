"""The running appliance: wires the stages, fuses what they say, and ends cleanly."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from edge.errors import ModelError, SensorError
from edge.fusion import Reading
from edge.mailbox import Mailbox
from edge.messages import Condition, FaceReading, Frame, Mood, NoFace, Notice, VoiceReading
from edge.perception.speech_gate import SpeechWindow
from edge.process.crash_record import CrashRecord
from edge.process.systemd import Notifier
from edge.runtime.components import Components, LateLight, Light
from edge.runtime.output_stages import OutputStages
from edge.runtime.rate_control import RateControl, RateLimits
from edge.runtime.reader_stages import FaceStage, VoiceStage
from edge.runtime.sense_status import SenseMonitor, SenseSlots
from edge.runtime.sensor_stages import CameraStage, MicrophoneStage
from edge.runtime.stage import Stage
from edge.runtime.statistics import RunReport, Statistics
from edge.runtime.supervisor import BUILD_S, Slot, Supervised, Supervisor
from edge.runtime.timing import DEVICE, Timing

__all__ = ["Appliance", "Components", "Light", "Report"]

TICK_S: Final = 0.05
"""The mood is renewed at least this often, reading or not."""
STOP_S: Final = 1.5
"""Longest wait for all stages to end."""
WORTH_TELLING_S: Final = 3.0
"""People notice a face that stands still for so long."""

CHANGES_KEPT: Final = 50
"""Of the changes of what was shown, for the report: a service runs for months."""

Report = Callable[[str], None]
"""Tells the person at the terminal (or the journal) one sentence."""


class Appliance:
    """One run, from the first light to the last."""

    def __init__(
        self,
        components: Components,
        report: Report,
        keep_trying: bool = False,
        notifier: Notifier | None = None,
        timing: Timing = DEVICE,
        record: CrashRecord | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            components: what to run.
            report: told every problem once.
            keep_trying: when something is missing at the start, even every sense, every output or
                a model, show the fault and go on trying instead of ending.
            notifier: tells systemd; None tells nobody.
            timing: how long the stages wait for what.
            record: keeps what goes wrong; None keeps nothing.
        """
        self._record = record or CrashRecord(None)
        self._components, self._tell_person, self._keep_trying = components, report, keep_trying
        self._notifier, self._timing = notifier or Notifier(), timing
        self._stopping = threading.Event()
        self._frames: Mailbox[Frame] = Mailbox()
        self._windows: Mailbox[SpeechWindow] = Mailbox()
        self._faces: Mailbox[FaceReading | NoFace] = Mailbox()
        self._voices: Mailbox[VoiceReading] = Mailbox()
        self.supervisor = Supervisor(self._record)
        self._slots: list[Slot] = []
        """Of the senses, in the order in which they are loaded and started."""
        self._senses = SenseMonitor(components.missing, self._report, timing)
        self._outputs = OutputStages(
            components.outputs, self._report, self.supervisor, timing, self._keep
        )
        self._limits = RateLimits()
        self._rate_control = RateControl(
            self._limits,
            components.idle_policy,
            components.load_policy,
            components.read_heat,
            self._say,
        )
        self._light: Light | None = None
        self._past = Statistics()
        """Of stages that have been replaced."""
        self._shown: deque[tuple[float, str]] = deque(maxlen=CHANGES_KEPT)
        self._began_s = 0.0

    def stop(self) -> None:
        """End the run soon; may be called from any thread or signal handler."""
        self._stopping.set()

    def reopen(self) -> None:
        """Have events files opened anew; may be called from any thread or signal handler."""
        self._outputs.reopen()

    def run(self, seconds: float | None = None) -> RunReport:
        """Run until stopped, the clip is over, or *seconds* have passed since it was ready.

        The sensors' and the outputs' errors are raised unless it was told to keep trying.

        Raises:
            ModelError: a model is missing or not the one that the manifest names.
            OutputError: no output at all can be opened.
            SensorError: no wanted sense can be had.
        """
        self._began_s = time.monotonic()
        try:
            self._light = (
                LateLight(self._components.light) if self._keep_trying else self._components.light()
            )
            self._outputs.open(self._keep_trying, self._stopping)
            self._plan()
            self._put(self._senses.starting(self._began_s))
            if self._load():
                self._loop(seconds)
        finally:
            self._notifier.stopping()
            hung = self._shut_down()
        return self._summary(hung)

    def _plan(self) -> None:
        """A slot for each stage; readers before sensors, so that no sensor opens for nothing."""
        components, light, timing = self._components, self._light, self._timing
        assert light is not None
        open_camera, face_reader = components.open_camera, components.face_reader
        open_microphone, gate, voice_reader = (
            components.open_microphone,
            components.gate,
            components.voice_reader,
        )
        frames, windows, limits = self._frames, self._windows, self._limits
        if open_camera and face_reader:
            reader = self._slot(
                "face reader",
                lambda: FaceStage(face_reader(), frames, self._faces, limits, timing),
            )
            camera = self._slot(
                "camera", lambda: CameraStage(open_camera, light, frames, limits, timing)
            )
            self._senses.slots["face"] = SenseSlots(camera, reader)
        if open_microphone and gate and voice_reader:
            reader = self._slot(
                "voice reader", lambda: VoiceStage(voice_reader(), windows, self._voices, timing)
            )
            microphone = self._slot(
                "microphone",
                lambda: MicrophoneStage(open_microphone, light, gate(), windows, timing),
            )
            self._senses.slots["voice"] = SenseSlots(microphone, reader)

    def _slot(self, part: str, make: Callable[[], Stage]) -> Slot:
        slot = Slot(part, make, self._say_sense, self._retire, timing=self._timing)
        self.supervisor.add(slot)
        self._slots.append(slot)
        return slot

    def _report(self, sentence: str) -> None:
        self._record.notice("Mien", "said", sentence)
        self._tell_person(sentence)

    def _keep(self, notice: Notice) -> None:
        self._record.notice(notice.part, notice.kind, notice.text)

    def _say(self, notice: Notice) -> None:
        self._report(notice.text)
        self._outputs.add_notice(notice)

    def _say_sense(self, notice: Notice) -> None:
        """Of a part of a sense; that it is lost or back is reported with its sense."""
        if notice.kind == "restart":
            self._report(notice.text)
        self._outputs.add_notice(notice)

    def _tell_stopped(self, stopped_s: float, t_s: float) -> None:
        if stopped_s >= WORTH_TELLING_S:
            text = (
                f"Mien was stopped for {stopped_s:.0f} s (by a signal, a debugger or a machine that "
                "was too busy) and goes on."
            )
            self._say(Notice(t_s, "Mien", "stopped", text))

    def _load(self) -> bool:
        """Build the stages on a thread of their own, so that a signal is heard meanwhile."""
        failures: list[tuple[Slot, BaseException]] = []

        def load() -> None:
            for slot in self._slots:
                try:
                    slot.load()
                except BaseException as error:
                    failures.append((slot, error))
                    if not self._keep_trying:
                        return

        loader = threading.Thread(target=load, name="loader", daemon=True)
        loader.start()
        while loader.is_alive():
            loader.join(TICK_S)
            if self._stopping.is_set():
                return False
            if time.monotonic() - self._began_s > BUILD_S:
                raise ModelError(
                    f"The models have not loaded within {BUILD_S:.0f} s: start Mien again, and if "
                    "that does not help, reinstall it."
                )
        if failures and not self._keep_trying:
            raise failures[0][1]
        t_s = time.monotonic()
        for slot in self._slots:
            slot.begin(t_s)
        for slot, error in failures:
            slot.give_up(error, t_s)
        return True

    def _loop(self, seconds: float | None) -> None:
        fusion = self._components.fusion()
        while not self._stopping.is_set():
            readings = self._take()
            t_s = time.monotonic()
            self._tell_stopped(self.supervisor.tick(t_s), t_s)
            self._senses.shut_useless()
            if self._senses.over:
                break
            mood = self._senses.judge(fusion.update(readings, t_s))
            ready_s = self._senses.ready_s
            if mood.condition is Condition.FAULT and not self._keep_trying and ready_s is None:
                raise SensorError(mood.trouble)
            self._senses.tell(mood)
            self._put(mood)
            self._notify(mood)
            # Loading models takes seconds on a small board: the time counts from then on.
            started = mood.condition is not Condition.STARTING
            counted_s = t_s - (self._began_s if ready_s is None else ready_s)
            if seconds is not None and started and counted_s >= seconds:
                break

    def _take(self) -> list[Reading]:
        """The newest readings, waiting at most a tick for one."""
        senses = self._senses.slots
        if not senses:
            self._stopping.wait(TICK_S)
        face = self._faces.take(TICK_S) if "face" in senses else None
        voice = self._voices.take(0 if "face" in senses else TICK_S) if "voice" in senses else None
        return [reading for reading in (face, voice) if reading is not None]

    def _notify(self, mood: Mood) -> None:
        """Tell systemd what is going on."""
        seen = mood.condition is not Condition.FAULT or self._outputs.shows(Condition.FAULT)
        if mood.condition is not Condition.STARTING and seen:
            self._notifier.ready()
        self._notifier.status(status_line(mood))
        if self.supervisor.advancing:
            self._notifier.alive(mood.t_s)
            self._record.alive()

    def _put(self, mood: Mood) -> None:
        if not self._shown or self._shown[-1][1] != mood.shown:
            self._shown.append((mood.t_s - self._began_s, mood.shown))
        self._outputs.put(
            mood, self._rate_control.update(mood.condition, self._statistics(), mood.t_s)
        )

    def _retire(self, stage: Supervised) -> None:
        self._past.add(stage.statistics)

    def _statistics(self) -> Statistics:
        """Of the whole run so far."""
        stages = [slot.stage.statistics for slot in self._slots if slot.stage is not None]
        mailbox = Statistics(frames=self._frames.put_count, dropped=self._frames.dropped)
        return Statistics.total([self._past, mailbox, *stages])

    def _shut_down(self) -> tuple[str, ...]:
        stages = self.supervisor.stages
        for stage in stages:
            stage.stop()
        deadline_s = time.monotonic() + STOP_S
        hung = tuple(
            stage.name for stage in stages if not stage.join(max(0, deadline_s - time.monotonic()))
        )
        if self._light is not None:
            self._light.close()
        self._components.close()
        return hung + self.supervisor.left_behind

    def _summary(self, hung: tuple[str, ...]) -> RunReport:
        total, ready_s = self._statistics(), self._senses.ready_s
        return RunReport(
            exit_code=0,
            seconds=time.monotonic() - self._began_s,
            ready_s=0.0 if ready_s is None else ready_s - self._began_s,
            frames=total.frames,
            frames_read=total.read,
            frames_dropped=total.dropped,
            frames_refused=total.refused,
            oldest_frame_s=total.oldest_s,
            face_s=total.busy_s / total.read if total.read else 0.0,
            overflows=total.overflows,
            voice_windows=total.windows,
            shown=tuple(self._shown),
            hung=hung,
            restarts=self.supervisor.restarts,
        )


def status_line(mood: Mood) -> str:
    """One line for `systemctl status`: how the senses fare, nothing of the person."""
    if mood.condition is Condition.FAULT:
        return f"Fault: {mood.trouble}"
    states = [
        f"{name} {sense.state}" + (f" ({sense.trouble})" if sense.trouble else "")
        for name, sense in (("face", mood.face), ("voice", mood.voice))
        if sense.state != "off"
    ]
    return ("Starting: " if mood.condition is Condition.STARTING else "Running: ") + ", ".join(
        states
    )
