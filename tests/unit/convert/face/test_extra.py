"""Packs of faces and pictures: what they hold, and what is refused."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.errors import DataError
from convert.face.extra import load_faces, read_pictures

cv2 = pytest.importorskip("cv2")


def jpegs(pixels: NDArray[np.uint8]) -> dict[str, Any]:
    parts = [cv2.imencode(".jpg", one)[1].ravel() for one in pixels]
    return {"jpeg": np.concatenate(parts), "offset": np.cumsum([0, *map(len, parts)])}


@pytest.mark.parametrize("packed", [False, True])
def test_faces_are_read_with_who_they_are(packed: bool, tmp_path: Path) -> None:
    y, x = np.mgrid[:96, :96]
    pixels = np.stack([x, y, x + y]).astype(np.uint8)
    who: dict[str, Any] = {
        "label": np.array([0, 7, -1], np.int8),
        "source": ["a", "a", "b"],
        "person": ["1", "2", "1"],
    }
    np.savez(tmp_path / "faces.npz", **who, **(jpegs(pixels) if packed else {"pixels": pixels}))
    faces = load_faces(tmp_path / "faces.npz")
    assert faces.label.tolist() == [0, 7, -1]
    assert faces.source.tolist() == ["a", "a", "b"]
    assert np.abs(faces.pixels.astype(int) - pixels).max() <= (12 if packed else 0)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"pixels": np.zeros((2, 48, 48), np.uint8)}, "holds uint8 crops of"),
        ({"jpeg": np.zeros(9, np.uint8), "offset": np.array([0, 4, 9])}, "faces"),
        ({}, "no pack of faces"),
        ({"pixels": np.zeros((2, 96, 96))}, "holds float64 crops"),
        ({"pixels": np.zeros((2, 96, 96), np.uint8), "label": [0, 8]}, "from -1 to 7"),
        ({"pixels": np.zeros((2, 96, 96), np.uint8), "label": [0.5, 1]}, "no pack of faces"),
        ({"pixels": np.zeros((2, 96, 96), np.uint8), "source": ["a"]}, "of each crop"),
        ({"pixels": np.zeros((1, 96, 96), np.uint8), "label": 3}, "of each crop"),
    ],
)
def test_what_is_no_pack_of_faces_is_one_sentence(
    fault: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "faces.npz"
    who: dict[str, Any] = {
        "label": np.zeros(2, np.int8),
        "source": ["a", "b"],
        "person": ["1", "2"],
    }
    np.savez(file, **{**who, **fault})
    with pytest.raises(DataError, match=sentence) as failure:
        load_faces(file)
    assert "\n" not in str(failure.value)
    for nothing in (b"", b"nothing", b"PK\x05\x06" + bytes(18)):
        file.write_bytes(nothing)
        with pytest.raises(DataError, match="no pack of faces"):
            load_faces(file)
    with pytest.raises(DataError, match="is not there"):
        load_faces(tmp_path / "absent.npz")


def test_pictures_come_with_their_boxes(tmp_path: Path) -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    image[:, :, 0] = 200  # blue first, as OpenCV writes it
    row = {"name": "a.png", "boxes_xywh": [[1, 2, 3, 4]], "kind": "one face", "n_max": 2}
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as pack:
        pack.writestr("pictures/a.png", cv2.imencode(".png", image)[1].tobytes())
        pack.writestr("index.json", json.dumps([row]))
    (picture,) = read_pictures(tmp_path / "pictures.zip")
    assert (picture.boxes, picture.kind, picture.most) == (((1, 2, 3, 4),), "one face", 2)
    assert picture.image[0, 0].tolist() == [0, 0, 200]


@pytest.mark.parametrize(
    ("name", "content", "box"),
    [
        ("a.png", b"no picture", []),
        ("other.png", b"", []),
        ("a.png", None, [1, 2, 0, 3]),
        ("a.png", None, [1, 2, 3]),
        ("a.png", None, ["x", 2, 3, 4]),
    ],
)
def test_a_pack_with_a_broken_picture_or_box_is_one_sentence(
    name: str, content: bytes | None, box: list[Any], tmp_path: Path
) -> None:
    if content is None:
        content = cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1].tobytes()
    row = {"name": "a.png", "boxes_xywh": [box] if box else [], "kind": "no face", "n_max": 0}
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as pack:
        pack.writestr(name, content)
        pack.writestr("index.json", json.dumps([row]))
    with pytest.raises(DataError, match="no pack of pictures") as failure:
        list(read_pictures(tmp_path / "pictures.zip"))
    assert "\n" not in str(failure.value)


def test_of_the_faces_that_are_kept_back_some_choose_and_others_test(tmp_path: Path) -> None:
    who = [str(index) for index in range(40)]
    pixels = np.zeros((40, 96, 96), np.uint8)
    np.savez(tmp_path / "a.npz", pixels=pixels, label=[-1] * 40, source=["a"] * 40, person=who)
    faces = load_faces(tmp_path / "a.npz")
    assert faces.kept_back.sum() == 8
    assert faces.choosing.sum() == faces.testing.sum() == 4
    assert (faces.choosing | faces.testing).tolist() == faces.kept_back.tolist()
    assert faces.picture.tolist() == who and set(faces.about.tolist()) == {""}


def test_only_faces_of_no_stranger_with_one_of_the_seven_emotions_decide(tmp_path: Path) -> None:
    who: dict[str, Any] = {
        "label": [0, 7, -1, 3, 2],
        "source": ["b", "b", "b", "omi", "a"],
        "person": list("12345"),
    }
    np.savez(tmp_path / "a.npz", pixels=np.zeros((5, 96, 96), np.uint8), **who)
    found = [(source, rows.tolist()) for source, rows in load_faces(tmp_path / "a.npz").deciding()]
    assert found == [("a", [4]), ("b", [0])]
