from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.diagnostics.checks.software import Package, check_packages
from edge.errors import ModelError
from edge.messages import Frame
from edge.perception import face_finder, lite_detector, mediapipe_detector
from edge.perception.blaze_face import NETS, anchors
from edge.perception.face_finder import FaceFinder
from edge.perception.lite_detector import LiteDetector


def unfit() -> None:
    raise ModelError("no LSE")


class FakeModel:
    """Sees one face, by the anchor in the middle, half as wide as the input."""

    def __init__(self, path: Path, threads: int, *, content: bytes) -> None:
        self.side_px = 192 if "full" in path.name else 128

    def output(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def run_all(self, values: Any, outputs: list[tuple[int, ...]]) -> list[Any]:
        assert values.shape == (1, self.side_px, self.side_px, 3)
        regressors, logits = (np.zeros(shape, np.float32) for shape in outputs)
        logits[:] = -20
        places = anchors(NETS["full" if self.side_px == 192 else "short"])
        middle = int(np.abs(places - 0.5).sum(axis=1).argmin())
        logits[0, middle] = 2
        regressors[0, middle, :2] = (0.5 - places[middle]) * self.side_px
        regressors[0, middle, 2:4] = self.side_px / 2
        regressors[0, middle, 4:] = [
            part * self.side_px for k in range(6) for part in (k / 20, k / 40)
        ]
        regressors[0, middle, 4:] += np.tile((0.5 - places[middle]) * self.side_px, 6)
        return [regressors, logits]


@pytest.mark.parametrize("reach", ["full", "short"])
@pytest.mark.parametrize("size", [(480, 640), (240, 320), (640, 480), (720, 1280)])
def test_a_face_is_told_in_pixels_of_the_frame(
    reach: str, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lite_detector, "Model", FakeModel)
    monkeypatch.setattr(face_finder, "check_processor", unfit)
    monkeypatch.setattr(face_finder, "read_detector", lambda folder, reach: b"")
    finder = FaceFinder(tmp_path, reach)
    assert finder.runtime == "LiteRT"
    (face,) = finder.find(Frame(np.zeros((*size, 3), np.uint8), 0))
    height, width = size
    longer = max(size)
    assert (face.width_px, face.height_px) == pytest.approx((longer / 2, longer / 2), rel=0.01)
    assert face.x_px == pytest.approx(width / 2 - longer / 4, abs=1)
    assert face.y_px == pytest.approx(height / 2 - longer / 4, abs=1)
    points = (face.right_eye, face.left_eye, face.nose, face.mouth, face.right_ear, face.left_ear)
    for k, point in enumerate(points):
        wanted = (width / 2 + longer * k / 20, height / 2 + longer * k / 40)
        assert point == pytest.approx(wanted, abs=1)
    assert face.score == pytest.approx(1 / (1 + np.exp(-2)))
    finder.close()


def test_mediapipe_is_asked_on_all_other_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise ModelError("MediaPipe was asked")

    monkeypatch.setattr(face_finder, "check_processor", lambda: None)
    monkeypatch.setattr(mediapipe_detector, "import_vision", stop)
    monkeypatch.setattr(face_finder, "read_detector", lambda folder, reach: b"")
    with pytest.raises(ModelError, match="MediaPipe was asked"):
        FaceFinder(tmp_path)


def test_a_file_that_is_no_net_is_told(tmp_path: Path) -> None:
    file = tmp_path / "net.tflite"
    file.write_bytes(b"not a net")
    with pytest.raises(ModelError, match=r"net\.tflite is no model"):
        LiteDetector(file, "full", 0.5)


def test_the_doctor_tells_who_finds_the_faces_and_does_not_try_mediapipe() -> None:
    packages = [Package("mediapipe", "mien_crashing"), Package("json", "json")]
    found = {check.name: check for check in check_packages(packages, suits_mediapipe=unfit)}
    assert found["mediapipe"].state == "ok"
    assert found["mediapipe"].says == (
        "faces by LiteRT: this processor (ARMv8.0) cannot run MediaPipe"
    )
    assert found["json"].state == "ok"
    tried = {check.name: check for check in check_packages(packages, suits_mediapipe=lambda: None)}
    assert tried["mediapipe"].state == "problem"
