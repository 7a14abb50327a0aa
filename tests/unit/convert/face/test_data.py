import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.errors import DataError
from convert.face.data import ROWS, USAGE_ROWS, load_face_data

Arrays = dict[str, Any]


def write(folder: Path, change: Callable[[Arrays], None] = lambda arrays: None) -> None:
    with lzma.open(folder / "fer2013_pixels.npy.xz", "wb", preset=0) as stream:
        np.save(stream, np.zeros((ROWS, 48, 48), np.uint8))
    arrays: Arrays = {
        "label": np.zeros(ROWS, np.uint8),
        "usage": np.repeat(np.arange(3, dtype=np.uint8), list(USAGE_ROWS.values())),
        "ferplus_votes": np.ones((ROWS, 10), np.uint8),
        "ferplus_majority": np.full(ROWS, -1, np.int8),
        "ferplus_ok": np.ones(ROWS, bool),
        "dup_in_train": np.array([30_000]),
    }
    change(arrays)
    np.savez(folder / "fer2013_labels.npz", **arrays)


def test_reads_what_the_card_describes(tmp_path: Path) -> None:
    write(tmp_path)
    data = load_face_data(tmp_path)
    assert len(data.rows("PublicTest")) == 3_589
    assert data.ferplus.shape == (ROWS, 8)
    assert data.dup_in_train.sum() == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a.update(label=a["label"][:-1]), r"label has the shape \(35886,\)"),
        (lambda a: a.update(ferplus_votes=a["ferplus_votes"][:, :8]), r"not \(35887, 10\)"),
        (lambda a: a["label"].__setitem__(5, 9), "label goes from 0 to 9; 0 to 6"),
        (lambda a: a["ferplus_majority"].__setitem__(5, 12), "majority goes from -1 to 12"),
        (lambda a: a["usage"].__setitem__(5, 2), "28708 Training rows, not 28709"),
        (lambda a: a.pop("ferplus_ok"), "does not hold FER2013 as expected"),
    ],
)
def test_labels_that_are_not_the_data_set_s_are_refused(
    change: Callable[[Arrays], None], says: str, tmp_path: Path
) -> None:
    write(tmp_path, change)
    with pytest.raises(DataError, match=says):
        load_face_data(tmp_path)


@pytest.mark.parametrize("name", ["fer2013_labels.npz", "fer2013_pixels.npy.xz"])
@pytest.mark.parametrize("kept", [0, 0.5, 0.9])
def test_file_that_was_cut_is_refused(name: str, kept: float, tmp_path: Path) -> None:
    write(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError, match="does not hold FER2013 as expected"):
        load_face_data(tmp_path)


def test_folder_without_the_files_is_told_where_they_come_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"pixels\.npy\.xz is not there\. FER2013 comes from"):
        load_face_data(tmp_path)
