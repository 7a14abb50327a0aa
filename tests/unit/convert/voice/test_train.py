# ruff: noqa: E402 - what is skipped without must be asked for before it is imported
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")

from convert.errors import RecipeError
from convert.training.recipe import VoiceRecipe, load_recipe
from convert.voice import splits, train
from convert.voice.data import VoiceData
from convert.voice.mix import Mixer
from convert.voice.net import DeviceVoiceNet
from convert.voice.spectra_cache import made_spectra
from convert.voice.splits import Corpus, load_split, rows_of
from convert.voice.train import (
    build_voice_net,
    calibration_features,
    draw,
    logits_of,
    train_common,
    train_voice,
)
from tests.fakes.voice_corpora import DATA, FRONT_END, RECIPE, made_up_views

SHIPPED = Path(__file__).parents[4] / "models_tflite" / "voice_recipe.toml"
BATCH = 2_000


@pytest.fixture(autouse=True)
def views_need_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    def views(data: VoiceData, corpus: str, *_: object) -> NDArray[np.float16]:
        return made_up_views(corpus)

    monkeypatch.setattr(splits, "load_views", views)
    few = partial(made_spectra, count=2)
    monkeypatch.setattr(train, "made_spectra", few)


def corpora(recipe: VoiceRecipe = RECIPE) -> list[Corpus]:
    return [
        Corpus(name, made_up_views(name), DATA.of(name), rows, FRONT_END)
        for name, rows in rows_of(DATA, recipe, "train").items()
    ]


def mixer() -> Mixer:
    """Background in the bands above those of the labels."""
    noise = np.zeros((FRONT_END.bands, FRONT_END.frames), np.float32)
    noise[29:] = 1e-3
    return Mixer(FRONT_END, [noise], [noise])


def plain_draws(
    training_set: Sequence[Corpus] = (), /, **changes: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    settings = {
        "batch": BATCH,
        "mixup": 0.0,
        "noise_share": 0.0,
        "smoothing": 0.0,
        "plain_share": 1.0,
        **changes,
    }
    recipe = RECIPE.model_copy(update=settings)
    return draw(training_set or corpora(), mixer(), recipe, np.random.default_rng(0))


def test_windows_are_drawn_with_their_own_label() -> None:
    features, targets, heard = plain_draws()
    loudest = features.mean(axis=2).argmax(axis=1) // 4
    # a stripe that blanks the label's own bands hides it
    assert (loudest == targets.argmax(axis=1)).mean() > 0.8
    assert heard.all()


def test_only_training_speakers_are_drawn() -> None:
    training_set = corpora()
    for corpus in training_set:
        allowed = set(corpus.rows.tolist())
        for row, recording in enumerate(corpus.recordings):
            assert (row in allowed) == (recording.speaker in {"ravdess_03", "nemo_A"})
            if row not in allowed:
                corpus.views[row] = np.nan
    assert np.isfinite(plain_draws(training_set, plain_share=0.5, batch=400)[0]).all()


def test_within_a_corpus_every_emotion_is_as_likely() -> None:
    _, targets, _ = plain_draws()
    counts = np.bincount(targets.argmax(axis=1), minlength=7)
    # 1,000 from seven emotions of one corpus, 1,000 from the six that the other has
    assert counts[:6] == pytest.approx(np.full(6, 1_000 / 7 + 1_000 / 6), rel=0.2)
    assert counts[6] == pytest.approx(1_000 / 7, rel=0.25)


def test_targets_are_distributions_and_smoothing_spreads_them() -> None:
    for changes in ({}, {"smoothing": 0.1}, {"mixup": 0.4}, {"noise_share": 0.5}):
        _, targets, _ = plain_draws(**changes)
        assert targets.sum(axis=1) == pytest.approx(1, abs=1e-5)
    _, smoothed, _ = plain_draws(smoothing=0.14)
    assert smoothed.min() == pytest.approx(0.02)


def test_background_is_not_heard_undecided_and_never_blended_with_a_voice() -> None:
    features, targets, heard = plain_draws(noise_share=0.25, mixup=5.0)
    quiet = heard == 0
    assert quiet.mean() == pytest.approx(0.25, abs=0.04)
    assert targets[quiet] == pytest.approx(1 / 7)
    assert (features[quiet, :28] < -2.9).all()
    assert (features[~quiet, :28].max(axis=(1, 2)) > -2).mean() > 0.95  # else blanked


def test_blanked_stripes_never_cover_everything() -> None:
    features, _, _ = plain_draws()
    assert (features > -2.9).any(axis=(1, 2)).all()
    assert (features == -3.0).any(), "nothing was ever blanked"


def trained(work: Path, recipe: VoiceRecipe = RECIPE) -> tuple[Any, list[dict[str, float]]]:
    (validation_set,) = load_split(DATA, recipe, "validation", work)
    return train_voice(DATA, recipe, corpora(recipe), validation_set, work)


def test_trains_saves_and_loads_the_same_net(tmp_path: Path) -> None:
    net, history = trained(tmp_path)
    assert [row["epoch"] for row in history] == [1, 2]
    assert all(np.isfinite(list(row.values())).all() for row in history)
    assert all(0 <= row["accuracy"] <= 1 and 0 <= row["heard"] <= 1 for row in history)
    assert json.loads((tmp_path / "history.json").read_text()) == history
    (test,) = load_split(DATA, RECIPE, "test", tmp_path)
    kept = (tmp_path / "voice.pt").read_bytes()
    loaded, _ = trained(tmp_path)
    assert (tmp_path / "voice.pt").read_bytes() == kept, "a finished training was done again"
    both = (logits_of(each, test.plain()) for each in (net, loaded))
    for ours, theirs in zip(*both, strict=True):
        assert np.isfinite(ours).all()
        np.testing.assert_array_equal(ours, theirs)


def test_a_recipe_without_a_whole_batch_or_any_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="clips_per_epoch is 8, but a batch has 16"):
        trained(tmp_path, RECIPE.model_copy(update={"clips_per_epoch": 8}))
    with pytest.raises(RecipeError, match="no clip to learn from"):
        train_voice(DATA, RECIPE, [], None, tmp_path)
    assert not (tmp_path / "voice.pt").exists()


def test_learns_which_band_is_loud_and_what_is_no_voice(tmp_path: Path) -> None:
    changes = {"epochs": 6, "clips_per_epoch": 320, "peak_rate": 0.03, "average_decay": 0.8}
    changes |= {"mixup": 0.0, "smoothing": 0.0, "noise_share": 0.2, "dropout": 0.0}
    history = trained(tmp_path, RECIPE.model_copy(update=changes))[1]
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert history[-1]["accuracy"] > 0.5


def test_folds_begin_with_a_net_trained_on_no_actor_and_no_recorded_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def views(data: VoiceData, corpus: str, *_: object) -> NDArray[np.float16]:
        asked.append(corpus)
        return made_up_views(corpus)

    def no_noise(*_: object) -> None:
        raise AssertionError("recorded noise was decoded")

    monkeypatch.setattr(splits, "load_views", views)
    monkeypatch.setattr(type(DATA), "noise_sounds", no_noise)
    common = train_common(DATA, RECIPE, tmp_path)
    assert common is not None
    assert asked == ["nemo"]
    assert (tmp_path / "common" / "voice.pt").is_file()


def test_there_is_nothing_in_common_without_other_corpora(tmp_path: Path) -> None:
    alone = RECIPE.model_copy(update={"shares": {"ravdess": 1.0}})
    assert train_common(DATA, alone, tmp_path) is None
    never = RECIPE.model_copy(update={"common_epochs": 0})
    assert train_common(DATA, never, tmp_path) is None


def test_a_checkpoint_whose_recipe_cannot_be_read_is_not_gone_on_from(tmp_path: Path) -> None:
    trained(tmp_path)
    (tmp_path / "recipe.json").write_text("{")
    with pytest.raises(RecipeError, match=r"move .* away to start afresh"):
        trained(tmp_path)


def test_a_checkpoint_of_other_shares_is_not_gone_on_from(tmp_path: Path) -> None:
    trained(tmp_path)
    other = RECIPE.model_copy(update={"shares": {"ravdess": 0.9, "nemo": 0.1}})
    with pytest.raises(RecipeError, match="of another recipe: move"):
        trained(tmp_path, other)
    assert len(trained(tmp_path)[1]) == 2


def test_calibration_windows_have_the_models_shape_and_some_are_background() -> None:
    windows = calibration_features(corpora(), DATA, RECIPE, 16)
    assert len(windows) == 16
    assert {window.shape for window in windows} == {(1, FRONT_END.bands, FRONT_END.frames, 1)}
    assert {window.dtype for window in windows} == {np.dtype(np.float32)}


def test_the_shipped_net_is_small_enough_for_the_device() -> None:
    recipe = load_recipe(SHIPPED, VoiceRecipe)
    net = build_voice_net(recipe)
    assert sum(weights.numel() for weights in net.parameters()) < 220_000
    shape = (2, 1, recipe.front_end.bands, recipe.front_end.frames)
    given = net(torch.zeros(shape))
    assert given.emotions.shape == (2, 7)
    assert given.heard.shape == (2, 1)


def test_the_device_net_names_its_outputs() -> None:
    net = DeviceVoiceNet(build_voice_net(RECIPE)).eval()
    given = net(torch.zeros(1, FRONT_END.bands, FRONT_END.frames, 1))
    shapes = {name: tuple(each.shape) for name, each in given.items()}
    assert shapes == {"emotions": (1, 7), "heard": (1, 1)}


def test_the_net_tells_low_from_high() -> None:
    """The head sees where in frequency something is, not only that it is there."""
    torch.manual_seed(0)
    net = build_voice_net(RECIPE)
    shape = (1, 1, FRONT_END.bands, FRONT_END.frames)
    for _ in range(20):
        net(torch.randn(8, *shape[1:]))  # settles the batch statistics
    low, high = torch.full(shape, -3.0), torch.full(shape, -3.0)
    low[:, :, 6:10], high[:, :, 22:26] = 2.0, 2.0
    with torch.inference_mode():
        difference = (net.eval()(low).emotions - net(high).emotions).abs().max()
    assert float(difference) > 0.01
