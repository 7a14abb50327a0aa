from pathlib import Path

import pytest

from convert.problems import RecipeError
from convert.recipe import FaceRecipe, load_recipe
from edge.places import MODELS

SMALL = "epochs = 3\nwidths = [8, 16]\nblocks = [1, 1]\n"


def face_recipe(text: str, tmp_path: Path) -> FaceRecipe:
    file = tmp_path / "recipe.toml"
    file.write_text(text)
    return load_recipe(file, FaceRecipe)


def test_recipe_of_the_published_face_net_is_readable() -> None:
    assert load_recipe(MODELS / "face_recipe.toml", FaceRecipe).widths == (32, 64, 128)


def test_net_may_grow_from_one_with_fewer_blocks(tmp_path: Path) -> None:
    text = SMALL.replace("[1, 1]", "[2, 1]") + f"[first]\n{SMALL}"
    recipe = face_recipe(text, tmp_path)
    assert recipe.first is not None
    assert (recipe.first.blocks, recipe.blocks) == ((1, 1), (2, 1))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("[8, 16]", "[8, 24]"), "same widths"),
        (("[1, 1]", "[2, 2]"), "at most as many blocks"),
        (("[1, 1]", "[1, 1, 1]"), "at most as many blocks"),
        (("epochs = 3", "epochs = 3\nseparable = true"), "same widths"),
        (("epochs = 3", "epoch = 3"), "first"),
    ],
)
def test_net_that_cannot_grow_into_the_other_is_refused(
    change: tuple[str, str], says: str, tmp_path: Path
) -> None:
    text = SMALL.replace("[1, 1]", "[2, 1]") + f"[first]\n{SMALL.replace(*change)}"
    with pytest.raises(RecipeError, match=says):
        face_recipe(text, tmp_path)


def test_net_begins_with_weights_or_grows_but_not_both(tmp_path: Path) -> None:
    text = f'start = "face_float.npz"\n{SMALL}[first]\n{SMALL}'
    with pytest.raises(RecipeError, match="exclude each other"):
        face_recipe(text, tmp_path)
