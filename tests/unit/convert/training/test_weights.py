from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from convert.errors import DataError  # noqa: E402
from convert.face.net import FaceNet  # noqa: E402
from convert.training.weights import load_weights, save_weights  # noqa: E402


def net(seed: int, width: int = 8) -> FaceNet:
    torch.manual_seed(seed)
    made = FaceNet((width, 16), (1, 1), 0.0)
    made.eval()
    return made


def test_loaded_net_answers_as_the_saved_one(tmp_path: Path) -> None:
    saved, loaded = net(1), net(2)
    save_weights(saved, tmp_path / "face_float.npz")
    load_weights(loaded, tmp_path / "face_float.npz")
    crop = torch.rand(3, 1, 48, 48)
    assert torch.allclose(saved(crop).fer2013, loaded(crop).fer2013, atol=2e-3)
    assert not torch.allclose(saved(crop).fer2013, net(2)(crop).fer2013, atol=2e-3)


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_missing_or_damaged_weights_are_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "face_float.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=r"are not there|holds no weights"):
        load_weights(net(1), file)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    save_weights(net(1, width=8), tmp_path / "narrow.npz")
    with pytest.raises(DataError, match=r"another|this recipe's shape"):
        load_weights(net(1, width=12), tmp_path / "narrow.npz")
