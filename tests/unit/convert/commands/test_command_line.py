from collections.abc import Callable
from pathlib import Path

import pytest

from convert.commands import command_line as command
from convert.commands.command_line import check_writable, main
from edge.errors import SettingsError

Said = Callable[..., str]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """What the command says on its way to failing."""

    def run(*words: str, code: int = 1) -> str:
        monkeypatch.setattr("sys.argv", ["convert", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == code
        return capsys.readouterr().err

    return run


def test_a_folder_that_does_not_exist_yet_is_fine_and_is_not_made(tmp_path: Path) -> None:
    check_writable(out=tmp_path / "new" / "models", work=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_a_folder_should_be_is_named_with_its_option(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, file / "inside"):
        with pytest.raises(SettingsError, match=r"--work: .*file is a file; name a folder"):
            check_writable(work=folder)


def test_a_folder_that_takes_no_files_is_named_with_its_option() -> None:
    with pytest.raises(SettingsError, match=r"--out: /proc cannot be written to .*; name"):
        check_writable(out=Path("/proc/models"))


@pytest.mark.parametrize(
    "name", ["face", "voice", "voice-folds", "voice-random", "voice-features", "search"]
)
def test_every_training_asks_before_it_begins(name: str, tmp_path: Path, said: Said) -> None:
    (tmp_path / "file").write_text("x")
    work = str(tmp_path / "file")
    error = said(name, "--data", str(tmp_path), "--work", work)
    assert error == f"convert: --work: {work} is a file; name a folder.\n"


FULL = OSError(28, "No space left on device", "runs/voice/voice.part")
NO_ROOM = "convert: No space left on device: runs/voice/voice.part; check"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [(FULL, 1, NO_ROOM), (KeyboardInterrupt(), 130, "the same command goes on")],
)
def test_a_full_disk_and_ctrl_c_are_one_sentence(
    error: BaseException,
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: Said,
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(command, "check_writable", fail)
    told = said("voice-folds", "--data", str(tmp_path), code=code)
    assert words in told
    assert "\n" not in told.strip()
