from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.demo.command import main, read_portrait
from edge.demo.picture import Pictures
from edge.demo.room import draw_room
from edge.errors import MienError, OutputError, SettingsError
from tests.fakes.portrait import SUIT, draw_portrait


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return Pictures(draw_portrait())


@pytest.fixture
def portrait_file(tmp_path: Path) -> Path:
    path = tmp_path / "portrait.png"
    cv2.imwrite(str(path), cv2.cvtColor(draw_portrait(), cv2.COLOR_RGB2BGR))
    return path


def _suit_columns(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    lower = picture[-60:].astype(int)
    return np.nonzero((np.abs(lower - SUIT).max(axis=2) < 40).sum(axis=0) > 20)[0]


def test_room_is_empty_before_she_comes_and_after_she_goes(pictures: Pictures) -> None:
    room = draw_room(640, 480)
    for t_s in (2.0, 28.0, 33.0):
        assert np.abs(pictures.at(t_s, 0.0).astype(float) - room).mean() < 2.5
    assert len(_suit_columns(pictures.at(10.0, 0.0))) > 200


def test_she_comes_in_from_the_right_and_goes_out_to_the_left(pictures: Pictures) -> None:
    middle = [_suit_columns(pictures.at(t_s, 0.0)).mean() for t_s in (4.4, 4.6, 6.0, 24.65)]
    assert middle[0] > middle[1] > middle[2] > middle[3]


def test_pictures_do_not_depend_on_what_was_drawn_before(pictures: Pictures) -> None:
    first = pictures.at(9.0, 0.3)
    pictures.at(14.0, 0.0)
    assert np.array_equal(pictures.at(9.0, 0.3), first)
    assert first.shape == (480, 640, 3)
    assert first.dtype == np.uint8


def test_she_sways_and_never_shows_the_lower_edge_of_the_portrait(pictures: Pictures) -> None:
    seen = [pictures.at(float(t_s), 0.0) for t_s in np.arange(5.0, 24.0, 1.3)]
    columns = [_suit_columns(picture) for picture in seen]
    assert np.ptp([column.mean() for column in columns]) > 5
    assert all(len(column) > 200 for column in columns)


def test_film_has_picture_and_sound_of_the_right_kind(portrait_file: Path, tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path / "deep" / "demo.mp4"
    arguments = ["--out", str(path), "--portrait", str(portrait_file), "--seconds", "1.4"]
    assert main(arguments) == 0
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height) == (640, 480)
        assert video.average_rate == 15
        assert (audio.sample_rate, audio.layout.name) == (48_000, "mono")
        assert sum(1 for _ in container.decode(video)) == 21
    first = path.read_bytes()
    assert main(arguments) == 0
    assert path.read_bytes() == first  # deterministic
    assert list(path.parent.iterdir()) == [path]  # nothing half-made is left


def test_film_without_sound(portrait_file: Path, tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path / "silent.mp4"
    arguments = ["--out", str(path), "--portrait", str(portrait_file), "--silent", "--seconds", "1"]
    assert main(arguments) == 0
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
        assert not container.streams.audio


def test_place_that_cannot_be_written_is_one_sentence(
    portrait_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("av", reason="PyAV is not installed")
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "demo.mp4"
    code = main(["--out", str(path), "--portrait", str(portrait_file), "--seconds", "1"])
    assert code == OutputError.exit_code
    error = capsys.readouterr().err
    assert "cannot be written" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("content", [b"", b"no picture", "small"])
def test_wrong_portrait_is_refused(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "p.png"
    if content == "small":
        cv2.imwrite(str(path), np.zeros((64, 64, 3), np.uint8))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(SettingsError, match="is not the 512 x 512 portrait"):
        read_portrait(path)


def test_missing_portrait_is_refused_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--out", str(tmp_path / "d.mp4"), "--portrait", str(tmp_path / "none.png")])
    assert code == SettingsError.exit_code
    assert "There is no portrait at" in " ".join(capsys.readouterr().err.split())
    assert issubclass(SettingsError, MienError)
