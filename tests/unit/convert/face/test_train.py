from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from convert.errors import RecipeError  # noqa: E402
from convert.face.data import FaceData  # noqa: E402
from convert.face.train import train_face  # noqa: E402
from convert.training.recipe import FaceRecipe  # noqa: E402

SMALL = FaceRecipe(
    epochs=2,
    batch=16,
    falling_epochs=1,
    widths=(4, 8),
    blocks=(1, 1),
    early_size_px=24,
    early_epochs=2,
    teacher_from=1,
)


@pytest.fixture
def data() -> FaceData:
    """Bright faces are happy, dark ones angry."""
    random = np.random.default_rng(0)
    bright = random.integers(0, 2, 120)
    votes = np.zeros((120, 10), np.float32)
    votes[np.arange(120), np.where(bright, 1, 4)] = 10
    noise = random.integers(0, 60, (120, 48, 48))
    return FaceData(
        pixels=(noise + 150 * bright[:, None, None]).astype(np.uint8),
        label=np.where(bright, 3, 0).astype(np.int64),
        usage=np.repeat([0, 1, 2], [60, 36, 24]).astype(np.uint8),
        all_votes=votes,
        majority=np.where(bright, 1, 4).astype(np.int64),
        dup_in_train=np.zeros(120, bool),
    )


def test_stages_follow_one_another_and_each_goes_on_from_its_checkpoint(
    data: FaceData, tmp_path: Path
) -> None:
    then = SMALL.model_copy(update={"blocks": (2, 1), "first": SMALL, "first_share": 0.5})
    net, history = train_face(data, then, tmp_path)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    again, told = train_face(data, then, tmp_path)
    assert told == history
    for one, other in zip(net.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_rows_of_public_test_are_learned_from_only_when_the_recipe_says_so(
    data: FaceData, tmp_path: Path
) -> None:
    def trained(recipe: FaceRecipe, of: FaceData, name: str) -> Any:
        net, _ = train_face(of, recipe, tmp_path / name)
        return torch.cat([each.detach().flatten() for each in net.parameters()]).numpy()

    also = SMALL.model_copy(update={"learn_public": True})
    other = replace(data, pixels=data.pixels.copy())
    other.pixels[data.learnable_public] = 255 - other.pixels[data.learnable_public]
    same = replace(data, pixels=data.pixels.copy())
    same.pixels[data.kept_back] = 255 - same.pixels[data.kept_back]
    np.testing.assert_array_equal(trained(SMALL, data, "a"), trained(SMALL, other, "b"))
    assert not np.array_equal(trained(also, data, "c"), trained(also, other, "d"))
    np.testing.assert_array_equal(trained(also, data, "e"), trained(also, same, "f"))


@pytest.mark.parametrize("change", [{"label_share": 0.9}, {"seed": 2}, {"learn_public": True}])
def test_checkpoint_of_another_recipe_is_not_gone_on_from(
    change: dict[str, object], data: FaceData, tmp_path: Path
) -> None:
    train_face(data, SMALL, tmp_path)
    with pytest.raises(RecipeError, match="another recipe: move it away"):
        train_face(data, SMALL.model_copy(update=change), tmp_path)
