# ruff: noqa: E402 - what is skipped without must be asked for before it is imported
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
pytest.importorskip("soxr")
pytest.importorskip("soundfile")

from convert import voice_training
from convert.problems import DataError
from convert.recipe import VoiceRecipe, load_recipe
from convert.voice_data import Clip, VoiceData
from convert.voice_training import (
    Corpus,
    build_voice_net,
    calibration_features,
    draw,
    held_out_features,
    load_trained,
    logits_of,
    split,
    train_voice,
)
from edge.perception.spectrogram import FrontEnd

SHIPPED = Path(__file__).parents[2] / "models_tflite" / "voice_recipe.toml"
FRONT_END = FrontEnd(window_samples=16_000, bands=32)
RECIPE = VoiceRecipe(
    epochs=2,
    batch=16,
    clips_per_epoch=32,
    average_decay=0.5,
    widths=(4, 4, 6, 8),
    held_out_actors=(1,),
    validation_actors=(2,),
    validation_speakers=("nemo_B",),
    shares={"ravdess": 0.5, "nemo": 0.5},
    views=1,
    front_end=FRONT_END,
)


def clips_of(corpus: str, speakers: list[str], labels: range) -> list[Clip]:
    return [
        Clip(corpus, f"{speaker}_{label}_{take}", speaker, label)
        for speaker in speakers
        for label in labels
        for take in range(2)
    ]


DATA = VoiceData(
    Path("nowhere"),
    (
        *clips_of("ravdess", ["ravdess_01", "ravdess_02", "ravdess_03"], range(7)),
        *clips_of("nemo", ["nemo_A", "nemo_B"], range(6)),
    ),
    (),
)


def made_up_views(corpus: str) -> NDArray[np.float16]:
    """Each clip's features are its row number / 100 everywhere, so that it can be recognised."""
    count = len(DATA.of(corpus))
    shape = (count, 2, FRONT_END.bands, FRONT_END.frames)
    rows = np.arange(count)[:, None, None, None] / 100
    return np.broadcast_to(rows, shape).astype(np.float16)


@pytest.fixture(autouse=True)
def no_sound_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def views(data: VoiceData, corpus: str, *_: object) -> NDArray[np.float16]:
        return made_up_views(corpus)

    def silence(*_: object) -> NDArray[np.float16]:
        return np.full((3, FRONT_END.bands, FRONT_END.frames), -3, np.float16)

    monkeypatch.setattr(voice_training, "load_views", views)
    monkeypatch.setattr(voice_training, "noise_features", silence)


def speakers(part: str, recipe: VoiceRecipe = RECIPE) -> set[str]:
    return {
        DATA.of(corpus)[row].speaker
        for corpus, rows in split(DATA, recipe, part).items()
        for row in rows
    }


def test_no_speaker_is_in_two_parts() -> None:
    assert speakers("train") == {"ravdess_03", "nemo_A"}
    assert speakers("validation") == {"ravdess_02", "nemo_B"}
    assert speakers("test") == {"ravdess_01"}


def test_refuses_to_choose_by_a_test_speaker() -> None:
    with pytest.raises(DataError, match="ravdess_01"):
        split(DATA, RECIPE.model_copy(update={"validation_actors": (1, 2)}), "train")


def test_the_shipped_recipe_tests_and_validates_on_both_sexes() -> None:
    recipe = load_recipe(SHIPPED, VoiceRecipe)
    for numbers in (recipe.held_out_actors, recipe.validation_actors):
        # RAVDESS gives women even numbers
        assert {number % 2 for number in numbers} == {0, 1}
    assert not set(recipe.held_out_actors) & set(recipe.validation_actors)


def corpora(recipe: VoiceRecipe = RECIPE) -> list[Corpus]:
    return [
        Corpus(name, made_up_views(name), DATA.of(name), rows)
        for name, rows in split(DATA, recipe, "train").items()
    ]


def plain_draws(**changes: object) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    settings = {"batch": 2_000, "mixup": 0.0, "silence_share": 0.0, "smoothing": 0.0, **changes}
    recipe = RECIPE.model_copy(update=settings)
    silence = np.full((3, FRONT_END.bands, FRONT_END.frames), -3, np.float16)
    return draw(corpora(), silence, recipe, np.random.default_rng(0))


def test_only_training_speakers_are_drawn_and_with_their_own_label() -> None:
    features, targets = plain_draws()
    shown = np.round(features.max(axis=(1, 2)) * 100).astype(int)
    allowed = {(int(row), corpus.clips[row].label) for corpus in corpora() for row in corpus.rows}
    assert set(zip(shown.tolist(), targets.argmax(axis=1).tolist(), strict=True)) <= allowed


def test_within_a_corpus_every_emotion_is_as_likely() -> None:
    _, targets = plain_draws()
    counts = np.bincount(targets.argmax(axis=1), minlength=7)
    # 1,000 from seven emotions of one corpus, 1,000 from the six that the other has
    assert counts[:6] == pytest.approx(np.full(6, 1_000 / 7 + 1_000 / 6), rel=0.2)
    assert counts[6] == pytest.approx(1_000 / 7, rel=0.25)


def test_targets_are_distributions_and_smoothing_spreads_them() -> None:
    for changes in ({}, {"smoothing": 0.1}, {"mixup": 0.4}, {"silence_share": 0.5}):
        _, targets = plain_draws(**changes)
        assert targets.sum(axis=1) == pytest.approx(1, abs=1e-5)
    _, smoothed = plain_draws(smoothing=0.14)
    assert smoothed.min() == pytest.approx(0.02)


def test_background_without_speech_is_taught_as_undecided() -> None:
    features, targets = plain_draws(silence_share=1.0)
    assert (features == -3).all()
    assert targets == pytest.approx(1 / 7)


def test_blanked_stripes_never_cover_everything() -> None:
    features, _ = plain_draws()
    floor = -3.0
    assert (features > floor).any(axis=(1, 2)).all()
    assert (features == floor).any(), "nothing was ever blanked"


def test_trains_saves_and_loads_the_same_net(tmp_path: Path) -> None:
    net, history = train_voice(DATA, RECIPE, tmp_path)
    assert [row["epoch"] for row in history] == [1, 2]
    assert all(np.isfinite(row["loss"]) for row in history)
    features, labels = held_out_features(DATA, RECIPE, tmp_path)
    assert features.shape == (14, FRONT_END.bands, FRONT_END.frames, 1)
    assert sorted(set(labels.tolist())) == list(range(7))
    loaded = load_trained(RECIPE, tmp_path / "voice.pt")
    np.testing.assert_array_equal(logits_of(net, features), logits_of(loaded, features))
    assert np.isfinite(logits_of(net, features)).all()


def test_a_checkpoint_of_another_net_is_refused(tmp_path: Path) -> None:
    train_voice(DATA, RECIPE, tmp_path)
    wider = RECIPE.model_copy(update={"widths": (4, 4, 6, 10)})
    with pytest.raises(DataError, match="train it anew"):
        load_trained(wider, tmp_path / "voice.pt")
    with pytest.raises(DataError, match="train it anew"):
        load_trained(RECIPE, tmp_path / "missing.pt")


def test_calibration_windows_have_the_models_shape_and_reach_both_ends(tmp_path: Path) -> None:
    windows = calibration_features(DATA, RECIPE, 9, 1, tmp_path)
    assert len(windows) == 9
    assert {window.shape for window in windows} == {(1, FRONT_END.bands, FRONT_END.frames, 1)}
    assert {window.dtype for window in windows} == {np.dtype(np.float32)}
    assert windows[-1].min() == FRONT_END.low
    assert windows[-1].max() == FRONT_END.high


def test_the_shipped_net_is_small_enough_for_the_device() -> None:
    recipe = load_recipe(SHIPPED, VoiceRecipe)
    net = build_voice_net(recipe)
    assert sum(weights.numel() for weights in net.parameters()) < 300_000
    shape = (2, 1, recipe.front_end.bands, recipe.front_end.frames)
    assert net(torch.zeros(shape)).shape == (2, 7)


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
        difference = (net.eval()(low) - net(high)).abs().max()
    assert float(difference) > 0.01
