from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")

from convert.errors import DataError
from convert.training.recipe import VoiceRecipe, load_recipe
from convert.voice.splits import (
    Split,
    load_split,
    noise_folds,
    noise_windows,
    noisy_features,
    random_rows,
    rows_of,
)
from tests.fakes.voice_corpora import DATA, FRONT_END, RECIPE

SHIPPED = Path(__file__).parents[4] / "models_tflite" / "voice_recipe.toml"
SPLITS: tuple[Split, ...] = ("train", "validation", "test", "elsewhere")


def speakers(split: Split, recipe: VoiceRecipe = RECIPE) -> set[str]:
    return {
        DATA.of(corpus)[row].speaker
        for corpus, rows in rows_of(DATA, recipe, split).items()
        for row in rows
    }


def test_no_speaker_is_in_two_splits() -> None:
    assert speakers("train") == {"ravdess_03", "nemo_A"}
    assert speakers("validation") == {"ravdess_02"}
    assert speakers("test") == {"ravdess_01"}
    assert speakers("elsewhere") == {"nemo_B"}


def test_every_actor_is_tested_in_exactly_one_fold() -> None:
    tested = [speakers("test", RECIPE.model_copy(update={"fold": fold})) for fold in (1, 2, 3)]
    assert tested == [{"ravdess_01"}, {"ravdess_02"}, {"ravdess_03"}]


def test_speakers_are_held_out_by_wildcard() -> None:
    recipe = RECIPE.model_copy(update={"held_out_speakers": ("nemo_*",)})
    assert speakers("elsewhere", recipe) == {"nemo_A", "nemo_B"}
    assert speakers("train", recipe) == {"ravdess_03"}


def test_refuses_to_choose_by_a_test_speaker() -> None:
    recipe = RECIPE.model_copy(update={"folds": ((1,), (1, 2))})
    with pytest.raises(DataError, match="ravdess_01"):
        rows_of(DATA, recipe, "train")


def test_refuses_a_recipe_whose_fold_or_views_are_missing() -> None:
    said = RECIPE.model_dump()
    with pytest.raises(ValidationError, match="there are 3 folds"):
        VoiceRecipe.model_validate({**said, "fold": 4})
    with pytest.raises(ValidationError, match="views lacks nemo"):
        VoiceRecipe.model_validate({**said, "views": {"ravdess": 1}})


@pytest.mark.parametrize("fold", [1, 2, 3, 4, 5])
def test_the_shipped_recipe_tests_and_decides_on_both_sexes(fold: int) -> None:
    recipe = load_recipe(SHIPPED, VoiceRecipe).model_copy(update={"fold": fold})
    for numbers in (recipe.held_out_actors, recipe.validation_actors):
        # RAVDESS gives women even numbers
        assert {number % 2 for number in numbers} == {0, 1}
    assert not set(recipe.held_out_actors) & set(recipe.validation_actors)


def test_the_shipped_folds_hold_every_actor_once() -> None:
    recipe = load_recipe(SHIPPED, VoiceRecipe)
    everyone = [actor for fold in recipe.folds for actor in fold]
    assert sorted(everyone) == [number for number in range(1, 25) if number not in (1, 5)]
    assert recipe.fold == 1


def test_noise_of_test_or_validation_is_never_trained_on_and_all_is_tested_once() -> None:
    tested: list[int] = []
    for fold in (1, 2, 3, 4, 5):
        recipe = RECIPE.model_construct(fold=fold)
        parts = [noise_folds(recipe, split) for split in ("train", "validation", "test")]
        assert sorted(sum(parts, ())) == [1, 2, 3, 4, 5]
        tested += parts[2]
    assert sorted(tested) == [1, 2, 3, 4, 5]


def test_a_random_split_tests_a_fifth_of_each_emotion_and_leaks_speakers() -> None:
    recipe = RECIPE.model_copy(update={"shares": {"ravdess": 1.0}})
    train, test = (random_rows(DATA, recipe, split)["ravdess"] for split in ("train", "test"))
    assert not set(train) & set(test)
    assert len(train) + len(test) == len(DATA.of("ravdess"))
    recordings = DATA.of("ravdess")
    assert np.bincount([recordings[row].label for row in test]).tolist() == [1] * 7
    assert {recordings[row].speaker for row in test} <= {recordings[row].speaker for row in train}
    again = random_rows(DATA, recipe, "test")["ravdess"]
    np.testing.assert_array_equal(again, test)


def test_features_of_a_split_are_the_plain_windows_of_its_recordings(tmp_path: Path) -> None:
    (test,) = load_split(DATA, RECIPE, "test", tmp_path)
    features = test.plain()
    assert features.shape == (14, FRONT_END.bands, FRONT_END.frames, 1)
    loudest = features[..., 0].mean(axis=2).argmax(axis=1)
    by_label = [loudest[test.labels == label].mean() for label in range(7)]
    assert by_label == sorted(by_label), "tones of higher labels lie higher"


def test_noise_is_cut_into_windows_of_the_tested_fold_alone() -> None:
    (tested,) = noise_windows(DATA, RECIPE, "test")
    (validation,) = noise_windows(DATA, RECIPE, "validation")
    assert tested.shape[1:] == (FRONT_END.bands, FRONT_END.frames, 1)
    assert not np.array_equal(tested, validation)


def test_noisy_recordings_differ_from_plain_ones_by_noise_and_always_in_the_same_way() -> None:
    recordings = DATA.of("nemo")[:4]
    loud, again, faint = (noisy_features(DATA, RECIPE, recordings, snr) for snr in (0, 0, 60))
    np.testing.assert_array_equal(loud, again)
    assert loud.mean() > faint.mean() + 0.3
