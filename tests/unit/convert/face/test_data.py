import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.errors import DataError
from convert.face.data import ROWS, USAGE_ROWS, labels_by_majority, load_face_data
from tests.fakes.face_rows import face_rows

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


def test_rows_that_no_voter_took_for_a_face_are_known() -> None:
    data = face_rows()
    data.all_votes[3, 9] = 9
    assert data.not_face[3]
    assert data.not_face.sum() == 1


def test_what_labels_call_the_rows_of_each_majority_is_counted() -> None:
    data = face_rows()
    shares = labels_by_majority(data)
    assert shares.shape == (8, 7)
    assert shares[4, 0] == pytest.approx(0.75, abs=0.06)  # anger is mostly called angry
    assert shares[1, 3] == pytest.approx(0.75, abs=0.06)
    assert shares[[4, 1]].sum() == pytest.approx(2)
    assert (shares[0] == 0).all()


def test_third_of_public_test_is_held_out_and_tested_images_are_not_trained_on() -> None:
    data = face_rows()
    data.usage[200:500] = 1
    data.usage[500:] = 2
    data.pixels[:] = np.arange(600).reshape(-1, 1, 1) % 251
    data.pixels[:, 0, 0] = np.arange(600) // 251
    held_out = data.held_out
    assert len(held_out) == 100
    assert set(held_out) < set(data.rows("PublicTest"))
    assert len(data.public_for_training) == 200
    assert not set(held_out) & set(data.public_for_training)
    share = (data.label[held_out] == 3).mean() - (data.label[data.rows("PublicTest")] == 3).mean()
    assert abs(share) < 0.02  # every emotion by its share
    first, second = data.public_for_training[:2]
    data.pixels[first] = data.pixels[550]
    data.pixels[second] = data.pixels[held_out[0]]
    assert {first, second} == set(range(200, 500)) - set(held_out) - set(data.public_for_training)
