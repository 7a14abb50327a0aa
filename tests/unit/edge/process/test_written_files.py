"""Files in folders that others may write to as well."""

import os
from pathlib import Path

import pytest
from PIL import Image

from edge.errors import OutputError
from edge.face.gif import save_gif
from edge.messages import Mood
from edge.outputs.events import Events
from edge.outputs.image_file import Picture
from edge.process.written_files import create_part, open_for_writing, written_whole
from tests.fakes.shared_folder import belongs_to_another


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    file = tmp_path / "precious"
    file.write_text("mine")
    return file


def test_events_are_not_written_through_the_link_of_another_user(
    tmp_path: Path, precious: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "events.jsonl"
    link.symlink_to(precious)
    precious.write_text("")
    Events(str(link)).close()  # one's own is followed
    assert precious.read_text().startswith("{")
    precious.write_text("mine")
    belongs_to_another(link, monkeypatch)
    with pytest.raises(OutputError, match=r"cannot be opened \(it is a link that belongs to"):
        Events(str(link))
    assert precious.read_text() == "mine"


def test_a_file_that_another_user_has_planted_in_a_folder_of_all_is_refused(
    tmp_path: Path, precious: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    belongs_to_another(precious, monkeypatch)
    os.close(open_for_writing(precious, os.O_WRONLY)[0])
    tmp_path.chmod(0o1777)
    if os.geteuid() == tmp_path.stat().st_uid:
        with pytest.raises(PermissionError, match="in a folder of all"):
            open_for_writing(precious, os.O_WRONLY)


def write_part(path: Path) -> None:
    with written_whole(path) as stream:
        stream.write(b"new")


def show(path: Path) -> None:
    picture = Picture(path)
    picture.show(Mood(0.0, "happy"), 0.0)
    picture.close()


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("face.png", show),
        ("face.gif", show),
        ("sheet.gif", lambda path: save_gif(path, [Image.new("1", (8, 8))], 1.0)),
        ("anything", write_part),
    ],
)
def test_what_is_begun_as_a_part_follows_no_link_that_waits_there(
    tmp_path: Path, precious: Path, name: str, write: object
) -> None:
    (tmp_path / f"{name}.part").symlink_to(precious)
    (tmp_path / name).symlink_to(precious)
    assert callable(write)
    write(tmp_path / name)
    assert precious.read_text() == "mine"
    assert not (tmp_path / name).is_symlink()
    assert not (tmp_path / f"{name}.part").is_symlink()


def test_a_part_is_private_and_what_it_becomes_has_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with written_whole(tmp_path / "a") as stream:
            assert os.fstat(stream.fileno()).st_mode & 0o777 == 0o600
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


def test_a_part_that_another_program_has_begun_anew_is_not_taken_for_ones_own(
    tmp_path: Path,
) -> None:
    with pytest.raises(FileExistsError), written_whole(tmp_path / "a") as stream:
        stream.write(b"first")
        os.close(create_part(tmp_path / "a.part"))
    assert not (tmp_path / "a").exists()


def test_what_could_not_be_completed_leaves_the_old_file(tmp_path: Path, precious: Path) -> None:
    with pytest.raises(ZeroDivisionError), written_whole(precious) as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    assert precious.read_text() == "mine"
    assert os.listdir(tmp_path) == ["precious"]
