"""Where `mien doctor --report` writes to."""

from pathlib import Path

import pytest

from edge.diagnostics import doctor
from edge.diagnostics.checks import Check
from tests.fakes.command import Mien


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda config: [Check("camera", "ok", "delivers")])


def test_writes_the_report_and_replaces_only_reports(mien: Mien, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    for _ in range(2):
        done = mien("doctor", "--report", "--out", file)
        assert done.code == 0
        assert f"Written to {file}: read it" in done.err
        assert "ok      camera         delivers" in file.read_text()
    file.write_text("a diary")
    done = mien("doctor", "--report", "--out", file)
    assert (done.code, file.read_text()) == (2, "a diary")
    assert "is there and no report of Mien; give another --out" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["report.txt"]


def test_prints_it_where_asked(mien: Mien) -> None:
    done = mien("doctor", "--report", "--out", "-")
    assert done.out.startswith("Report of Mien")
    assert done.err == ""


def test_says_that_the_settings_could_not_be_read(
    mien: Mien, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Check("settings", "problem", "there is no file x.toml", "give another --config")
    monkeypatch.setattr(doctor, "examine", lambda config: [wrong])
    assert (
        "without your settings: there is no file x.toml"
        in mien("doctor", "--report", "--out", "-").err
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--out x", "add --report"),
        ("--report --json", "drop --json"),
        ("--report --out /nonexistent/x", "There is no folder /nonexistent"),
        ("--report --out /", "cannot be written to / (it is a folder"),
    ],
)
def test_refuses_what_cannot_be_written(mien: Mien, words: str, says: str) -> None:
    done = mien("doctor", *words.split())
    assert done.code in (2, 5)
    assert says in done.err
