import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from convert.errors import RecipeError  # noqa: E402
from convert.face.augment import plain_views  # noqa: E402
from convert.face.data import FaceData  # noqa: E402
from convert.face.net import FaceNet, FaceOutputs  # noqa: E402
from convert.face.train import face_loss, mix_weights, train_face  # noqa: E402
from convert.training.loop import cross_entropy  # noqa: E402
from convert.training.recipe import FaceRecipe  # noqa: E402
from convert.training.weights import save_weights  # noqa: E402

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


def test_stages_before_the_last_one_need_not_be_trained_where_their_weights_are_there(
    data: FaceData, tmp_path: Path
) -> None:
    then = SMALL.model_copy(update={"epochs": 1, "first": SMALL})
    first, _ = train_face(data, SMALL, tmp_path / "a")
    save_weights(first, tmp_path / "first.npz")
    net, history = train_face(data, then, tmp_path / "b", before=tmp_path / "first.npz")
    assert [row["epoch"] for row in history] == [1]
    assert not list((tmp_path / "b").glob("first.*"))
    whole, _ = train_face(data, then, tmp_path / "c")
    for one, other in zip(net.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=0.02, rtol=0.05)  # kept in half precision
    with pytest.raises(RecipeError, match="none before it"):
        train_face(data, SMALL, tmp_path / "d", before=tmp_path / "first.npz")


def test_rows_of_public_test_are_trained_on_only_when_the_recipe_says_so(
    data: FaceData, tmp_path: Path
) -> None:
    def trained(recipe: FaceRecipe, of: FaceData, name: str) -> Any:
        net, _ = train_face(of, recipe, tmp_path / name)
        return torch.cat([each.detach().flatten() for each in net.parameters()]).numpy()

    also = SMALL.model_copy(update={"learn_public": True})
    other = replace(data, pixels=data.pixels.copy())
    other.pixels[data.public_for_training] = 255 - other.pixels[data.public_for_training]
    same = replace(data, pixels=data.pixels.copy())
    same.pixels[data.held_out] = 255 - same.pixels[data.held_out]
    np.testing.assert_array_equal(trained(SMALL, data, "a"), trained(SMALL, other, "b"))
    assert not np.array_equal(trained(also, data, "c"), trained(also, other, "d"))
    np.testing.assert_array_equal(trained(also, data, "e"), trained(also, same, "f"))


def test_checkpoint_from_before_a_recipe_could_say_more_is_gone_on_from(
    data: FaceData, tmp_path: Path
) -> None:
    _, history = train_face(data, SMALL, tmp_path)
    file = tmp_path / "face.recipe.json"
    said = json.loads(file.read_text())
    file.write_text(json.dumps({key: said[key] for key in said if key not in ("wide", "dropout")}))
    assert train_face(data, SMALL, tmp_path)[1] == history
    with pytest.raises(RecipeError, match="another recipe"):
        file.write_text(json.dumps({key: said[key] for key in said if key != "wide"}))
        train_face(data, SMALL.model_copy(update={"wide": True}), tmp_path)


@pytest.mark.parametrize("change", [{"label_share": 0.9}, {"seed": 2}, {"learn_public": True}])
def test_checkpoint_of_another_recipe_is_not_gone_on_from(
    change: dict[str, object], data: FaceData, tmp_path: Path
) -> None:
    train_face(data, SMALL, tmp_path)
    with pytest.raises(RecipeError, match="another recipe: move it away"):
        train_face(data, SMALL.model_copy(update=change), tmp_path)


def test_net_learns_what_is_no_face_from_crops_without_one(data: FaceData, tmp_path: Path) -> None:
    recipe = SMALL.model_copy(
        update={"epochs": 30, "peak_rate": 0.02, "seen_weight": 1.0, "mistakes_share": 0.5}
    )
    stripes = np.tile(np.repeat([0, 255], 4), 6).astype(np.uint8)
    mistakes = np.broadcast_to(stripes, (20, 48, 48)).copy()
    net, _ = train_face(data, recipe, tmp_path, mistakes=mistakes)
    net.eval()
    with torch.inference_mode():
        faces, stripes = (
            net(plain_views(torch.from_numpy(each[:20, None]))).seen
            for each in (data.pixels, mistakes)
        )
    assert float(faces.min()) > float(stripes.max())
    with pytest.raises(RecipeError, match="another recipe"):
        train_face(data, recipe, tmp_path, mistakes=255 - mistakes)


def test_crops_without_a_face_are_given_exactly_where_the_recipe_takes_them(
    data: FaceData, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="name crops without a face"):
        train_face(data, SMALL.model_copy(update={"seen_weight": 0.5}), tmp_path)
    with pytest.raises(RecipeError, match="takes no mistakes"):
        train_face(data, SMALL, tmp_path, mistakes=np.zeros((3, 48, 48), np.uint8))


def test_errors_of_the_ferplus_head_count_as_the_recipe_says() -> None:
    random = np.random.default_rng(3)
    given = FaceOutputs(
        fer2013=torch.from_numpy(random.normal(size=(4, 7)).astype(np.float32)),
        ferplus=torch.from_numpy(random.normal(size=(4, 8)).astype(np.float32)),
        features=torch.zeros(4, 8, 1, 1),
    )
    truth = (torch.eye(7)[:4], torch.eye(8)[:4])
    seven = cross_entropy(given.fer2013, truth[0])
    eight = cross_entropy(given.ferplus, truth[1])
    assert float(face_loss(given, truth, 1.5)) == pytest.approx(float(seven + 1.5 * eight))
    nobody_voted = (truth[0], torch.zeros(4, 8))
    assert float(face_loss(given, nobody_voted, 1.5)) == pytest.approx(float(seven))


def test_mixed_net_lies_between_both() -> None:
    mine, theirs = FaceNet((8, 12, 16), (1, 1, 1), 0.0), FaceNet((8, 12, 16), (1, 1, 1), 0.0)
    before, other = mine.fer2013.bias.detach().clone(), theirs.state_dict()
    mix_weights(mine, other, 0.25)
    assert torch.allclose(mine.fer2013.bias, 0.75 * before + 0.25 * theirs.fer2013.bias)
    mix_weights(mine, other, 1.0)
    crops = torch.rand(2, 1, 48, 48)
    assert torch.allclose(mine.eval()(crops).ferplus, theirs.eval()(crops).ferplus, atol=1e-5)
