"""Teachers: what they say of which rows, as a file, and what the learner makes of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from convert.errors import DataError, RecipeError  # noqa: E402
from convert.face.data import FaceData  # noqa: E402
from convert.face.lessons import load_lessons  # noqa: E402
from convert.face.net import FaceOutputs  # noqa: E402
from convert.face.targets import FaceTargets  # noqa: E402
from convert.face.teachers import ask, make_lessons, ten_crops  # noqa: E402
from convert.face.train import train_face  # noqa: E402
from tests.unit.convert.face.test_train import SMALL, data  # noqa: E402, F401

LEARNER = SMALL.model_copy(update={"lesson_share": 0.7})


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """Three bright faces without a label, and before them one that is kept back."""
    file = tmp_path / "pack.npz"
    pixels = np.full((4, 96, 96), 200, np.uint8)
    np.savez(file, pixels=pixels, label=[-1] * 4, source=["a"] * 4, person=["0", "1", "2", "3"])
    return file


def _sure(said: FaceTargets) -> FaceTargets:
    """The likeliest of each row, and nothing else."""
    seven = np.eye(7, dtype=np.float32)[said.fer2013.argmax(axis=1)]
    return replace(said, fer2013=seven)


def test_ten_crops_are_corners_and_middle_as_they_are_and_mirrored() -> None:
    image = torch.arange(48.0 * 48).view(1, 1, 48, 48)
    crops = list(ten_crops(image))
    assert [tuple(crop.shape) for crop in crops] == [(1, 1, 44, 44)] * 10
    assert [float(crop[0, 0, 0, 0]) for crop in crops[::2]] == [0, 4, 192, 196, 98]
    assert all(torch.equal(a, b.flip(3)) for a, b in zip(crops[::2], crops[1::2], strict=True))


def test_lessons_are_of_training_rows_and_other_faces_and_of_no_row_that_judges(
    data: FaceData,  # noqa: F811
    pack: Path,
    tmp_path: Path,
) -> None:
    file = make_lessons(data, SMALL, [1, 2], [pack], tmp_path / "work")
    lessons = load_lessons(file, 120)
    asked = lessons.training.fer2013.sum(axis=1) > 0
    assert np.flatnonzero(asked).tolist() == data.training_rows(True).tolist()
    assert not asked[data.held_out].any() and not asked[data.rows("PrivateTest")].any()
    assert lessons.pixels.shape == (3, 48, 48)
    for said in (lessons.training.fer2013[:60], lessons.extra.fer2013, lessons.extra.ferplus):
        np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-5)
    with pytest.raises(DataError, match="is of other data"):
        load_lessons(file, 121)


def test_a_learner_listens_and_meets_the_other_faces(
    data: FaceData,  # noqa: F811
    pack: Path,
    tmp_path: Path,
) -> None:
    lessons = load_lessons(make_lessons(data, SMALL, [1], [pack], tmp_path / "a"), 120)

    def learn(given: Any, name: str) -> Any:
        net, _ = train_face(data, LEARNER, tmp_path / name, lessons=given)
        return torch.cat([each.detach().flatten() for each in net.parameters()])

    first = learn(lessons, "b")
    assert torch.equal(first, learn(lessons, "c"))
    assert not torch.equal(first, learn(replace(lessons, pixels=255 - lessons.pixels), "d"))
    with pytest.raises(RecipeError, match="name the lessons"):
        train_face(data, LEARNER, tmp_path / "e")
    with pytest.raises(RecipeError, match="takes no lessons"):
        train_face(data, SMALL, tmp_path / "e", lessons=lessons)
    with pytest.raises(RecipeError, match="another recipe"):
        learn(replace(lessons, pixels=255 - lessons.pixels), "b")
    silent = replace(
        lessons.training, fer2013=lessons.training.fer2013 * (np.arange(120) != 5)[:, None]
    )
    with pytest.raises(DataError, match="were not asked about all rows"):
        train_face(data, LEARNER, tmp_path / "f", lessons=replace(lessons, training=silent))


def test_lessons_are_for_the_stages_that_take_them(
    data: FaceData,  # noqa: F811
    tmp_path: Path,
) -> None:
    lessons = load_lessons(make_lessons(data, SMALL, [1], [], tmp_path / "a"), 120)
    later = LEARNER.model_copy(update={"first": SMALL})
    assert len(train_face(data, later, tmp_path / "b", lessons=lessons)[1]) == 4
    earlier = SMALL.model_copy(update={"first": LEARNER})
    losses = {
        train_face(data, earlier, tmp_path / name, lessons=each)[1][1]["loss"]
        for name, each in (
            ("c", lessons),
            ("d", replace(lessons, training=_sure(lessons.training))),
        )
    }
    assert len(losses) == 2


def test_teachers_begin_afresh_and_never_see_who_is_held_out(
    data: FaceData,  # noqa: F811
    tmp_path: Path,
) -> None:
    file = tmp_path / "mixed.npz"
    who: dict[str, Any] = {
        "label": [0, -1, -1, -1],
        "source": ["a", "omi", "a", "london"],
        "person": ["1", "2", "3", "4"],
    }
    np.savez(file, pixels=np.zeros((4, 96, 96), np.uint8), **who)
    lessons = load_lessons(make_lessons(data, SMALL, [1], [file], tmp_path / "a"), 120)
    assert len(lessons.pixels) == 1
    for change in ({"first": SMALL}, {"start": "x.npz"}, {"lesson_share": 0.5}):
        with pytest.raises(RecipeError, match="begin afresh"):
            make_lessons(data, SMALL.model_copy(update=change), [1], [], tmp_path / "b")


def test_teachers_are_asked_together_and_as_sharp_as_the_labels_are() -> None:
    class Sure:
        """A net that says happy, more or less loudly."""

        def __init__(self, by: float) -> None:
            self.by = by

        def eval(self) -> None:
            """Nothing in it learns."""

        def parameters(self) -> Any:
            return iter([torch.zeros(1)])

        def __call__(self, x: Any) -> FaceOutputs:
            logits = torch.zeros(len(x), 7)
            logits[:, 3] = self.by
            return FaceOutputs(logits, torch.zeros(len(x), 8), x)

    labels = np.full((10, 7), 0.05, np.float32)
    labels[:, 3] = 0.7
    pixels = np.zeros((12, 48, 48), np.uint8)
    votes = np.full((10, 8), 1 / 8, np.float32)
    teachers: list[Any] = [Sure(9.0), Sure(0.5)]
    said = ask(teachers, pixels, FaceTargets(labels, votes))
    np.testing.assert_allclose(said.fer2013[:, 3], 0.7, atol=0.02)


@pytest.mark.parametrize(
    "change",
    [
        {"fer2013": np.zeros((120, 5), np.float32)},
        {"ferplus": np.full((120, 8), np.nan, np.float32)},
        {"extra_fer2013": np.zeros((2, 7), np.float32)},
        {"pixels": np.zeros((1, 96, 96), np.uint8)},
        {"pixels": np.zeros((1, 48, 48))},
        {"fer2013": np.float32(0)},
    ],
)
def test_lessons_of_another_shape_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    sound: dict[str, Any] = {
        "fer2013": np.zeros((120, 7), np.float32), "ferplus": np.zeros((120, 8), np.float32),
        "pixels": np.zeros((1, 48, 48), np.uint8), "extra_fer2013": np.zeros((1, 7), np.float32),
        "extra_ferplus": np.zeros((1, 8), np.float32),
    }  # fmt: skip
    np.savez(tmp_path / "lessons.npz", **sound)
    assert len(load_lessons(tmp_path / "lessons.npz", 120).pixels) == 1
    np.savez(tmp_path / "lessons.npz", **{**sound, **change})
    with pytest.raises(DataError, match="convert face-teachers"):
        load_lessons(tmp_path / "lessons.npz", 120)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_what_holds_no_lessons_says_how_to_make_them(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "lessons.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match="convert face-teachers"):
        load_lessons(file, 120)


def test_a_picture_that_has_a_label_in_one_pack_is_not_learned_from_another(
    data: FaceData,  # noqa: F811
    tmp_path: Path,
) -> None:
    packs = []
    for name, label in (("labelled", [-1, 0, -1]), ("not", [-1, -1, -1])):
        file = tmp_path / f"{name}.npz"
        who: dict[str, Any] = {
            "label": label,
            "source": ["a"] * 3,
            "person": [f"{name}/{index}" for index in range(3)],
            "path": ["0.jpg", "1.jpg", f"{name}2.jpg"],
        }
        np.savez(file, pixels=np.zeros((3, 96, 96), np.uint8), **who)
        packs.append(file)
    lessons = load_lessons(make_lessons(data, SMALL, [1], packs, tmp_path / "a"), 120)
    assert (
        len(lessons.pixels) == 2
    )  # of each pack the last: the first is kept back, the second judges
