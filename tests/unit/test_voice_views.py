from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("soxr")
pytest.importorskip("soundfile")

from convert import voice_views
from convert.voice_augment import plain_view
from convert.voice_data import Clip, VoiceData
from convert.voice_views import load_views, noise_features
from edge.perception.spectrogram import FrontEnd, Spectrogram

FRONT_END = FrontEnd(window_samples=8_000, bands=16)


def sound_of(clip: Clip) -> NDArray[np.float32]:
    random = np.random.default_rng(int(clip.file))
    return (random.standard_normal(12_000) * 0.1).astype(np.float32)


class SpokenData(VoiceData):
    """Made-up sound, and a count of how often it was asked for."""

    asked = 0

    def sounds(self, clips: "list[Clip]") -> list[NDArray[np.float32]]:  # type: ignore[override]
        SpokenData.asked += len(clips)
        return [sound_of(clip) for clip in clips]

    def noise_sounds(self) -> list[NDArray[np.float32]]:
        return [np.random.default_rng(9).standard_normal(3_000).astype(np.float32)]


def data(count: int = 5) -> SpokenData:
    clips = tuple(Clip("nemo", str(number), "nemo_A", number % 3) for number in range(count))
    return SpokenData(Path("nowhere"), clips, (("noise", "n"),))


def views(folder: Path, count: int = 2, seed: int = 1, clips: int = 5) -> voice_views.Views:
    return load_views(data(clips), "nemo", FRONT_END, count, seed, folder, workers=0)


def test_first_view_is_the_plain_clip_as_the_device_sees_it(tmp_path: Path) -> None:
    made = views(tmp_path)
    assert made.shape == (5, 3, FRONT_END.bands, FRONT_END.frames)
    for row, clip in zip(made, data().clips, strict=True):
        window = plain_view(sound_of(clip), FRONT_END.window_samples)
        expected = Spectrogram(FRONT_END).features(window).T
        np.testing.assert_allclose(row[0], expected, atol=4e-3)
        assert np.abs(row[1].astype(float) - row[2]).mean() > 0.01


def test_views_are_computed_once_and_then_kept(tmp_path: Path) -> None:
    first = np.array(views(tmp_path))
    before = SpokenData.asked
    np.testing.assert_array_equal(views(tmp_path), first)
    assert SpokenData.asked == before
    views(tmp_path, seed=2)
    assert SpokenData.asked > before, "views of another seed were taken for these"


def test_an_interrupted_run_leaves_nothing_that_looks_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(voice_views, "_views_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        views(tmp_path)
    assert not list(tmp_path.glob("*.npy"))
    monkeypatch.undo()
    assert np.isfinite(views(tmp_path)).all()


def test_a_clips_views_do_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    few, many = views(tmp_path, clips=3), views(tmp_path, clips=5)
    np.testing.assert_array_equal(few, many[:3])


def test_background_windows_have_the_shape_of_views(tmp_path: Path) -> None:
    windows = noise_features(data(), FRONT_END, 4, 1)
    assert windows.shape == (4, FRONT_END.bands, FRONT_END.frames)
    assert np.isfinite(windows).all()
