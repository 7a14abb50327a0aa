"""The table of strangers: of packs that show nobody, and of a Python that cannot run its rival."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("tqdm")

from convert.errors import DataError
from convert.studies.strangers import CLIPS, FRAME, PACKS, SOURCES, frame_of, tell_strangers
from edge.config.paths import MODELS, fetched_folder
from tests.unit.convert.face.test_extra import jpegs

needs_detectors = pytest.mark.skipif(
    not (fetched_folder() / "face_detection_short_range.tflite").is_file(),
    reason="MediaPipe's detectors are fetched by ./setup.sh test",
)


def test_a_crop_lies_in_the_middle_of_a_frame_with_its_rim_all_around() -> None:
    crop = np.zeros((96, 96), np.uint8)
    crop[:, 48:] = 200
    frame = frame_of(crop)
    assert frame.shape == (FRAME[1], FRAME[0], 3)
    assert (frame[:, :300] == 0).all()
    assert (frame[:, 340:] == 200).all()


@pytest.fixture
def nobody(tmp_path: Path) -> Path:
    """Packs of grey squares that are said to be people."""
    folder = tmp_path / "face_extra"
    folder.mkdir()
    squares = np.full((2, 96, 96), 128, np.uint8)
    for file, source in zip(PACKS, (SOURCES[0], SOURCES[-1]), strict=True):
        np.savez(
            folder / file, pixels=squares, label=[0, 7], source=[source] * 2, person=["a", "b"]
        )
    np.savez(folder / f"{CLIPS}.npz", clip=np.zeros(2, int), **jpegs(squares))
    (folder / f"{CLIPS}.csv").write_text("clip,actor,emotion\none,01,sad\n")
    return tmp_path


@needs_detectors
def test_where_nobody_is_found_nothing_is_right_and_contempt_is_left_out(
    nobody: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_strangers(nobody, MODELS)
    said = capsys.readouterr().out
    rows = [line.split(" | ") for line in said.splitlines() if line.startswith(f"| {SOURCES[0]}")]
    assert rows[0][1:4] == ["1", "1", "1"]
    assert [rows[0][4], rows[0][6]] == ["0.0%", "0.0%"]
    assert f"| {CLIPS} | 1 | 1 | 1 | 0.0%" in said
    assert "nan" not in said


@needs_detectors
def test_a_python_without_the_rival_is_one_sentence_with_the_remedy(nobody: Path) -> None:
    with pytest.raises(DataError, match="cannot run the fer package") as failure:
        tell_strangers(nobody, MODELS, Path(sys.executable))
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    "table", ["", "clip,actor\none,01\n", "clip,actor,emotion\none,01,bored\n", "\xff"]
)
def test_a_table_of_clips_that_says_too_little_is_refused_before_anything_is_read(
    table: str, nobody: Path
) -> None:
    (nobody / "face_extra" / f"{CLIPS}.csv").write_bytes(table.encode("latin-1"))
    with pytest.raises(DataError, match=f"{CLIPS}.csv"):
        tell_strangers(nobody, MODELS)


def test_a_missing_pack_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"faces_labelled\.npz is not there"):
        tell_strangers(tmp_path, MODELS)
