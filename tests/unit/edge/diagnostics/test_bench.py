from pathlib import Path

from edge.diagnostics.bench import FRAMES, clip_frames
from tests.fakes.clips import make_clip


def test_a_clip_of_half_a_second_is_gone_through_again(tmp_path: Path) -> None:
    short = make_clip(tmp_path / "short.mp4", fps=50, levels=[100] * 25)
    assert len(clip_frames(short)) >= FRAMES
