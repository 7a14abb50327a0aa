import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.config.schema import Settings
from edge.diagnostics import bench
from edge.diagnostics.bench import FRAMES, clip_frames
from edge.runtime.statistics import RunReport
from tests.fakes.clips import make_clip


@pytest.mark.parametrize(
    ("oldest_s", "memory_mb", "code"), [(0.2, 400.0, 0), (0.201, 400.0, 1), (0.2, 400.1, 1)]
)
def test_bench_fails_once_a_frame_of_over_200_ms_was_read_or_400_mb_were_needed(
    oldest_s: float,
    memory_mb: float,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = make_clip(tmp_path / "a.mp4", levels=[100] * 5)
    report = RunReport(0, 20.0, 0.5, oldest_frame_s=oldest_s)
    appliance = SimpleNamespace(run=lambda seconds: report)
    monkeypatch.setattr(bench, "build_components", lambda *given, **named: SimpleNamespace())
    monkeypatch.setattr(bench, "Appliance", lambda components, say: appliance)
    monkeypatch.setattr(bench, "measure_stages", lambda settings, clip: ("LiteRT", ()))
    monkeypatch.setattr(bench, "peak_memory_mb", lambda: memory_mb)
    assert bench.run_bench(Settings(), clip, 20.0, as_json=True) == code
    assert json.loads(capsys.readouterr().out)["run"]["oldest_frame_s"] == oldest_s
    assert bench.run_bench(Settings(), clip, 20.0, as_json=False) == code


def test_a_clip_of_half_a_second_is_gone_through_again(tmp_path: Path) -> None:
    short = make_clip(tmp_path / "short.mp4", fps=50, levels=[100] * 25)
    assert len(clip_frames(short)) >= FRAMES
