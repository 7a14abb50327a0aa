"""Where files lie and who may import whom; the order of the rooms is in pyproject.toml."""

import subprocess
import sys

import pytest

from edge.config.paths import REPO_ROOT

MEANINGLESS = {
    *("parts", "places", "quiet", "notices", "pace", "pacing", "build_pace", "settings_rest"),
    *("offline", "lines", "marks", "reel", "hearing", "repeats", "bounded"),
}
"""Module names that had to be opened to be understood."""


def test_no_import_runs_upward_or_in_a_circle() -> None:
    lint = "from importlinter.cli import lint_imports_command as lint; lint()"
    command = [sys.executable, "-c", lint, "--no-cache"]
    linted = subprocess.run(command, cwd=REPO_ROOT, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("package", "most"), [("edge", 10), ("convert", 6), ("tests/acceptance", 2)]
)
def test_few_files_lie_outside_a_room(package: str, most: int) -> None:
    flat = sorted(file.name for file in (REPO_ROOT / package).glob("*.py"))
    assert len(flat) <= most, flat


@pytest.mark.parametrize("package", ["edge", "convert"])
def test_a_module_says_by_its_name_what_it_holds(package: str) -> None:
    stems = {file.stem: file for file in (REPO_ROOT / package).rglob("*")}
    assert not [stems[stem] for stem in MEANINGLESS & stems.keys()]


def test_tests_of_convert_lie_where_their_modules_do() -> None:
    room = REPO_ROOT / "tests" / "unit" / "convert"
    tested = [
        file.relative_to(room).with_name(file.name.removeprefix("test_"))
        for file in room.rglob("test_*.py")
        if file.name != "test_main.py"  # of __main__.py
    ]
    assert not [each for each in tested if not (REPO_ROOT / "convert" / each).is_file()]
