"""`mien bench`: what each stage costs on this machine, and how a real-time run fares."""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from edge.build.appliance import build_components, fusion_options, open_speech_detector
from edge.config.paths import fetched_folder, models_folder
from edge.config.schema import Settings
from edge.errors import SensorError
from edge.hardware.board import board_name
from edge.messages import SAMPLE_RATE_HZ, Audio, FaceReading, Frame, Mood
from edge.outputs.display import DisplaySettings
from edge.perception.face_finder import FaceFinder
from edge.process.native_output import mute_native_code
from edge.process.printable import printable
from edge.runtime.appliance import Appliance
from edge.runtime.statistics import RunReport

FRAMES: Final = 40
REPEATS: Final = 30


@dataclass(frozen=True)
class StageCost:
    """Time of one piece of work, repeated."""

    stage: str
    median_ms: float
    slowest_ms: float
    repeats: int


@dataclass(frozen=True)
class Bench:
    """Everything that `mien bench` prints."""

    machine: str
    python: str
    runtime: str
    stages: tuple[StageCost, ...]
    run: RunReport
    memory_mb: float
    """Resident set at its highest, during the real-time run."""
    memory_limit_mb: float = 400.0
    frame_age_limit_ms: float = 200.0


def run_bench(settings: Settings, clip: Path, seconds: float, as_json: bool) -> int:
    """Measure on *clip* and print; the real-time run takes *seconds*.

    Returns:
        0 if no frame older than 200 ms was read and memory stayed under 400 MB, else 1.

    Raises:
        MienError: the clip or a model cannot be used.
    """
    from edge.sensors.clip_decoder import probe_clip

    mute_native_code()
    if not probe_clip(clip).has_picture:
        raise SensorError(f"{clip} has no picture to measure with; name another with --clip.")
    # The run comes first: its memory must not hold what the stage measurements leave behind.
    components = build_components(settings, clip, repeat=True)
    components.outputs = [_NoOutput]
    components.idle_policy = components.load_policy = (
        None  # the work itself is to be measured, all of it
    )
    report = Appliance(components, lambda sentence: None).run(seconds)
    memory_mb = peak_memory_mb()
    runtime, stages = measure_stages(settings, clip)
    bench = Bench(
        machine=f"{platform.machine()}, {_processor()}",
        python=platform.python_version(),
        runtime=runtime,
        stages=stages,
        run=report,
        memory_mb=memory_mb,
    )
    if as_json:
        print(json.dumps(asdict(bench), indent=2, allow_nan=False))
    else:
        _print_table(bench)
    aged = report.oldest_frame_s * 1000 > bench.frame_age_limit_ms
    return 1 if aged or memory_mb > bench.memory_limit_mb else 0


def measure_stages(settings: Settings, clip: Path) -> tuple[str, tuple[StageCost, ...]]:
    """Name of the runtime, and the cost of every stage on frames and sound of *clip*."""
    from edge.face.animation import Animator
    from edge.face.draw import draw
    from edge.fusion import Fusion
    from edge.perception.face_net import FaceNet
    from edge.perception.face_reader import FaceReader, let_judge
    from edge.perception.framing import align
    from edge.perception.manifest import load_manifest, open_model
    from edge.perception.spectrogram import FrontEnd, Spectrogram
    from edge.perception.speech_gate import SpeechGate

    folder, fetched = models_folder(settings.models.folder), fetched_folder(settings.models.folder)
    manifest = load_manifest(folder)
    frames = clip_frames(clip)
    costs: list[StageCost] = []

    def time_it(stage: str, work: Callable[[int], object], repeats: int = REPEATS) -> None:
        work(0)
        times_ms = []
        for index in range(repeats):
            began_s = time.perf_counter()
            work(index)
            times_ms.append((time.perf_counter() - began_s) * 1000)
        costs.append(StageCost(stage, median(times_ms), max(times_ms), repeats))

    finders = {
        reach: FaceFinder(fetched, reach, search_width_px=settings.face.search_width_px)
        for reach in ("auto", "short", "full")
    }
    let_judge(FaceNet(folder, manifest.face), finders["auto"])
    for reach, finder in finders.items():
        time_it(f"find faces ({reach})", _finding(finder, frames))
    seen = [(frame, face) for frame in frames for face in finders["short"].find(frame)[:1]]
    if seen:
        geometry = manifest.face.geometry
        assert geometry is not None
        time_it("align the crop", lambda i: align(*seen[i % len(seen)], geometry))
    face_model, face_output = open_model(folder, manifest.face)
    crop = np.zeros(face_model.input.shape, face_model.input.dtype)
    time_it("face net, int8", lambda i: face_model.run(crop, face_output))
    reader = FaceReader(finders[settings.face.range], folder, manifest.face)
    time_it("a whole frame", lambda i: reader.read(frames[i % len(frames)]))
    gate = SpeechGate(open_speech_detector(settings))
    random = np.random.default_rng(0)
    block = (random.standard_normal(512) * 0.1).astype(np.float32)
    time_it("speech gate, 32 ms", lambda i: gate.hear(Audio(block, i * 0.032)), 200)
    spectrogram = Spectrogram(FrontEnd(**(manifest.voice.front_end or {})))
    sound = (random.standard_normal(3 * SAMPLE_RATE_HZ) * 0.1).astype(np.float32)
    time_it("log-mel, 3 s window", lambda i: spectrogram.features(sound))
    voice_model, voice_output = open_model(folder, manifest.voice)
    window = np.zeros(voice_model.input.shape, voice_model.input.dtype)
    time_it("voice net, int8", lambda i: voice_model.run(window, voice_output))
    fusion = Fusion(fusion_options(settings, manifest))
    readings = [reading for reading in map(reader.read, frames) if isinstance(reading, FaceReading)]
    time_it("fusion", lambda i: fusion.update(readings[:1], i / 15), 200)
    animator, mood = Animator(), Mood(0.0, "happy")
    size = settings.of(DisplaySettings).panel_px
    time_it("draw the OLED face", lambda i: draw(animator.pose(mood, i / 20), size, "1"))
    for finder in finders.values():
        finder.close()
    return face_model.runtime, tuple(costs)


def _finding(finder: FaceFinder, frames: list[Frame]) -> Callable[[int], object]:
    return lambda index: finder.find(frames[index % len(frames)])


def peak_memory_mb() -> float:
    """Highest resident set of this process so far, in MB of 10^6 bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SensorError("The kernel does not tell the memory of a process in /proc/self/status.")


def clip_frames(clip: Path) -> list[Frame]:
    """Frames spread over the first half minute of *clip*, read at four times its speed.

    A shorter clip is gone through again.
    """
    from edge.sensors.clip import Clip

    playing = Clip(clip, repeat=True, speed=4.0)
    camera = playing.camera
    assert camera is not None
    frames: list[Frame] = []
    deadline_s = time.monotonic() + 10
    skip = 4
    while len(frames) < FRAMES * skip and time.monotonic() < deadline_s:
        frame = camera.read(0.5)
        if frame is not None:
            frames.append(frame)
    playing.close()
    if not frames:
        raise SensorError(f"{clip} gave no picture within 10 s; name another with --clip.")
    return frames[::skip]


def _print_table(bench: Bench) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    title = f"Mien on {printable(bench.machine)}, Python {bench.python}, {bench.runtime}"
    table = Table(title=Text(title))
    table.add_column("stage")
    table.add_column("median", justify="right")
    table.add_column("slowest", justify="right")
    for cost in bench.stages:
        table.add_row(cost.stage, f"{cost.median_ms:.2f} ms", f"{cost.slowest_ms:.2f} ms")
    console = Console()
    console.print(table)
    run = bench.run
    console.print(
        f"Real time, {run.seconds:.0f} s: {run.frames_read} of {run.frames} frames read, "
        f"{run.frames_dropped} replaced in the mailbox by a newer one, {run.frames_refused} refused "
        f"as too old; oldest frame read {run.oldest_frame_s * 1000:.0f} ms "
        f"(limit {bench.frame_age_limit_ms:.0f} ms).",
        highlight=False,
    )
    console.print(
        f"Memory {bench.memory_mb:.0f} MB (limit {bench.memory_limit_mb:.0f} MB); "
        f"ready {run.ready_s:.1f} s after the run began.",
        highlight=False,
    )


def _processor() -> str:
    """Model of the board, or of the processor."""
    board = board_name()
    if board:
        return board
    for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
        if line.lower().startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


class _NoOutput:
    """Shows nothing: what a display costs is measured by itself."""

    name, interval_s = "nothing", 0.1

    def show(self, mood: Mood, t_s: float) -> None:
        """Take the mood and forget it."""

    def close(self) -> None:
        """Nothing is held."""
