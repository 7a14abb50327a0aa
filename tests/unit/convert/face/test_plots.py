from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from convert.face.data import FaceData
from convert.face.plots import MeanFace, draw_class_maps, draw_mean_faces, mean_faces
from convert.plots.style import LEAST_ROWS, SOFT_DPI
from edge.emotions import EMOTIONS
from tests.fakes.drawing import TITLE, Draw, check_drawing, check_refusal

ONES, NOBODY = ({"sad": np.ones((rows, 6, 6))} for rows in (2, 0))


def averages() -> dict[str, MeanFace]:
    gray = np.add.outer(np.arange(48.0), np.arange(48.0)).astype(np.float32)
    return {label: MeanFace(gray, gray, 200, 190) for label in EMOTIONS}


def maps(column: int) -> dict[str, Any]:
    evidence = np.zeros((3, 6, 6))
    evidence[:, 3, column] = 1.0
    return {"happy": evidence, "neutral": evidence}


def faces(rows_of_disgust: int = LEAST_ROWS, shade: int = 0) -> FaceData:
    counts = [rows_of_disgust if label == "disgust" else LEAST_ROWS for label in EMOTIONS]
    label = np.repeat(np.arange(len(EMOTIONS)), counts)
    slope = np.add.outer(np.arange(48), np.arange(48))
    pixels = (np.concatenate([np.arange(n) for n in counts])[:, None, None] + slope).astype(
        np.uint8
    )
    pixels[label == EMOTIONS.index("happy"), :24] += np.uint8(shade)
    return FaceData(
        pixels,
        label,
        np.zeros(len(label), np.uint8),
        np.zeros((len(label), 10), np.float32),
        np.full(len(label), -1),
        np.zeros(len(label), bool),
    )


def test_draws_the_mean_face_of_each_emotion(tmp_path: Path) -> None:
    check_drawing(draw_mean_faces, faces(), faces(shade=40), tmp_path, SOFT_DPI)


def test_draws_where_the_net_looks(tmp_path: Path) -> None:
    one, other, faces = maps(1), maps(4), averages()
    check_drawing(draw_class_maps, one, other, tmp_path, dpi=120, faces=faces, title=TITLE)


def test_never_averages_so_few_images_that_one_could_be_recognized(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="disgust has 99 rows"):
        draw_mean_faces(faces(rows_of_disgust=99), tmp_path / "out.png")
    assert not list(tmp_path.iterdir())


def test_counts_copies_of_an_image_once() -> None:
    data = faces(rows_of_disgust=LEAST_ROWS + 50)
    own = np.flatnonzero(data.label == EMOTIONS.index("disgust"))
    different = data.pixels[own[:LEAST_ROWS]].astype(np.float64)
    data.pixels[own[LEAST_ROWS:]] = data.pixels[own[0]]
    face = mean_faces(data)["disgust"]
    assert (face.rows, face.images) == (LEAST_ROWS + 50, LEAST_ROWS)
    np.testing.assert_allclose(face.mean, different.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(face.deviation, different.std(axis=0), atol=1e-3)
    data.pixels[own] = data.pixels[own[0]]
    with pytest.raises(ValueError, match="disgust has 1 rows"):
        mean_faces(data)


def test_draws_a_net_that_looks_everywhere_alike_without_complaint(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    draw_class_maps(ONES, averages(), tmp_path / "out.png", TITLE)
    assert (tmp_path / "out.png").is_file()
    assert not recwarn.list


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda out: draw_class_maps({}, averages(), out, TITLE), "no map"),
        (lambda out: draw_class_maps(maps(1), {}, out, TITLE), "mean face of happy"),
        (lambda out: draw_class_maps(NOBODY, averages(), out, TITLE), r"\(0, 6, 6\)"),
    ],
)
def test_refuses_what_cannot_be_drawn(draw: Draw, words: str, tmp_path: Path) -> None:
    check_refusal(draw, words, tmp_path)
