from pathlib import Path

import pytest

from convert import __main__ as command
from convert.__main__ import check_writable, main
from edge.errors import SettingsError


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command says on its way to failing."""
    monkeypatch.setattr("sys.argv", ["convert", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    return capsys.readouterr().err


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
def test_every_training_asks_before_it_begins(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    work = str(tmp_path / "file")
    error = said(monkeypatch, capsys, name, "--data", str(tmp_path), "--work", work)
    assert error == f"convert: --work: {work} is a file; name a folder.\n"


def test_a_full_disk_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device", "runs/voice/voice.part")

    monkeypatch.setattr(command, "check_writable", full)
    error = said(monkeypatch, capsys, "voice-folds", "--data", str(tmp_path))
    assert error.startswith("convert: No space left on device: runs/voice/voice.part; check")
    assert error.count("\n") == 1


def test_ctrl_c_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "check_writable", interrupted)
    monkeypatch.setattr("sys.argv", ["convert", "face", "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert "the same command goes on" in capsys.readouterr().err
