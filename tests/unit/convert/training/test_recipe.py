import os
from pathlib import Path

import pytest

from convert.errors import RecipeError
from convert.training.recipe import FaceRecipe, VoiceRecipe, load_recipe
from edge.config.paths import MODELS

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


def test_stages_follow_one_another_and_share_what_stands_above_them(tmp_path: Path) -> None:
    listed = SMALL.replace("epochs = 3", "batch = 32") + (
        "[[stages]]\nepochs = 5\n[[stages]]\nepochs = 4\nseed = 2\n"
        "[[stages]]\nepochs = 3\nblocks = [2, 1]\n"
    )
    recipe = face_recipe(listed, tmp_path)
    assert [stage.done_epochs for stage in recipe.stages] == [5, 4, 3]
    assert recipe.blocks == (2, 1)
    assert recipe.first is not None and recipe.first.first is not None
    assert (recipe.first.seed, recipe.first.blocks) == (2, (1, 1))
    assert {recipe.batch, recipe.first.batch, recipe.first.first.batch} == {32}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SMALL.replace("[1, 1]", "[1]"), "blocks has 1 numbers, but widths give 2 stages"),
        (SMALL.replace("[8, 16]", "[]"), "widths: Tuple should have at least 1 item"),
        (SMALL.replace("[8, 16]", "[8, -16]"), r"widths\.1: Input should be greater than 0"),
        (SMALL + "label_shares = 1", r"no such key; label_share\?$"),
        (SMALL + "stages = []", "under a line"),
        (SMALL + "stages = [3]", "under a line"),
        (SMALL + "stages = 3", "under a line"),
        (SMALL + "[[stages]]\nepochs = 2\n[stages.first]\nepochs = 1", "exclude each other"),
        (SMALL + "[[stages]]\nepoch = 2", "epoch"),
        (f'start = "face_float.npz"\n{SMALL}[first]\n{SMALL}', "exclude each other"),
    ],
)
def test_what_is_out_of_range_misspelt_or_senseless_is_named(
    text: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=says):
        face_recipe(text, tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("hop_samples = 320", "hop_samples = 0"), "hop_samples has to be"),
        (("bands = 64", "bands = 0"), "bands has to be"),
        (("fft_size = 1024", "fft_size = 512"), "frame_samples.* at most .* fft_size"),
        (("rate_hz = 16000", "rate_hz = 32000"), "clips have 16000"),
        (("high_hz = 7600.0", "high_hz = 9000.0"), "at most half of rate_hz"),
        (("low_hz = 60.0", "low_hz = 7700.0"), "low_hz has to be below"),
    ],
)
def test_front_end_that_cannot_be_computed_is_refused(
    change: tuple[str, str], says: str, tmp_path: Path
) -> None:
    front_end = (
        "[front_end]\nhop_samples = 320\nbands = 64\nfft_size = 1024\nrate_hz = 16000\n"
        "low_hz = 60.0\nhigh_hz = 7600.0\n"
    )
    file = tmp_path / "recipe.toml"
    shares = "epochs = 3\nfolds = [[1], [2]]\n[shares]\na = 1\n[views]\na = 1\n"
    file.write_text(shares + front_end)
    load_recipe(file, VoiceRecipe)
    file.write_text(shares + front_end.replace(*change))
    with pytest.raises(RecipeError, match=says):
        load_recipe(file, VoiceRecipe)


def test_recipe_of_the_other_net_is_called_that(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"is this the recipe of another net\?$"):
        load_recipe(MODELS / "voice_recipe.toml", FaceRecipe)
    with pytest.raises(RecipeError, match=r"There is no recipe .*none\.toml; name one"):
        load_recipe(tmp_path / "none.toml", FaceRecipe)


@pytest.mark.parametrize(
    ("text", "knows"),
    [
        ("", False),
        ('start = "face_float.npz"\n', True),
        ("[[stages]]\n[[stages]]\nlearn_public = true\n", True),
        ("[[stages]]\nlearn_public = true\n[[stages]]\n", True),
        ("[[stages]]\n[[stages]]\n", False),
    ],
)
def test_net_that_may_know_public_rows_is_known(text: str, knows: bool, tmp_path: Path) -> None:
    assert face_recipe(SMALL + text, tmp_path).knows_public is knows


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("[8, 16]", "[8, 24]"), "same widths"),
        (("[1, 1]", "[2, 2]"), "at most as many blocks"),
        (("[1, 1]", "[1, 1, 1]"), "blocks has 3 numbers, but widths give 2"),
        (("epochs = 3", "epochs = 3\nseparable = true"), "same widths"),
        (("epochs = 3", "epoch = 3"), r"1 before the last stage, epoch: .* epochs\?$"),
    ],
)
def test_net_that_cannot_grow_into_the_other_is_refused(
    change: tuple[str, str], says: str, tmp_path: Path
) -> None:
    text = SMALL.replace("[1, 1]", "[2, 1]") + f"[first]\n{SMALL.replace(*change)}"
    with pytest.raises(RecipeError, match=says):
        face_recipe(text, tmp_path)


def test_a_recipe_that_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file, kind in ((tmp_path / "pipe", "pipe"), (Path("/dev/zero"), "device")):
        with pytest.raises(RecipeError, match=f"it is a {kind}"):
            load_recipe(file, VoiceRecipe)
