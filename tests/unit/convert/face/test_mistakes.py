"""Crops of what the detector takes for a face: collected, kept and read again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from convert.errors import DataError
from convert.face import mistakes
from convert.face.mistakes import find_mistakes, load_mistakes
from edge.config.paths import MODELS
from edge.messages import Face, Frame
from edge.perception.blaze_face import as_face
from edge.perception.manifest import load_manifest

GEOMETRY = load_manifest(MODELS).face.geometry


class Believer:
    """Believes in a face in the middle of whatever it looks at."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def detect(self, small: NDArray[np.uint8], frame: Frame) -> list[Face]:
        height, width = frame.image.shape[:2]
        side = min(height, width) / 2
        eyes = [(width / 2 + each, height / 2 - side / 6) for each in (-side / 5, side / 5)]
        low = [(width / 2, height / 2 + each) for each in (0.0, side / 5)]
        corner = ((width - side) / 2, (height - side) / 2)
        return [as_face(corner, (side, side), [*eyes, *low, *eyes], 0.6)]

    def close(self) -> None:
        pass


def test_what_the_detector_believes_in_is_kept_as_the_net_would_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert GEOMETRY is not None
    monkeypatch.setattr(mistakes, "LiteDetector", Believer)
    monkeypatch.setattr(mistakes, "read_detector", lambda *_: b"")
    pictures = tmp_path / "pictures"
    (pictures / "deep").mkdir(parents=True)
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (300, 400, 3), np.uint8)).save(
        pictures / "deep" / "a.png"
    )
    Image.new("RGBA", (700, 2), (0, 0, 0, 0)).save(pictures / "line.png")
    (pictures / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "mistakes.npz"
    count = find_mistakes(pictures, tmp_path, GEOMETRY, out, 1)
    crops = load_mistakes(out)
    assert crops.shape == (count, 48, 48) and count >= 1
    spread = crops.reshape(count, -1).std(axis=1)
    assert (spread > 5).any()  # of the noise
    assert (spread == 0).any()
    assert (crops[spread == 0] == 128).all()  # of what is clear
    assert "1 of 3 files" in capsys.readouterr().out


def test_folder_without_pictures_is_named(tmp_path: Path) -> None:
    assert GEOMETRY is not None
    with pytest.raises(DataError, match="holds no picture"):
        find_mistakes(tmp_path, tmp_path, GEOMETRY, tmp_path / "out.npz", 1)


def test_what_holds_no_such_crops_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mistakes.npz"
    with pytest.raises(DataError, match="is not there; make it with"):
        load_mistakes(file)
    for content in (b"", b"nonsense"):
        file.write_bytes(content)
        with pytest.raises(DataError, match="holds no crops"):
            load_mistakes(file)
    for crops in (
        np.zeros((2, 96, 96), np.uint8),
        np.zeros((2, 48, 48)),
        np.zeros((0, 48, 48), np.uint8),
    ):
        np.savez(file, crops=crops)
        with pytest.raises(DataError, match="not uint8"):
            load_mistakes(file)
