"""A release is made whole or not at all, on a repository of its own."""

import datetime
import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.setup.scripts import load_script

release = load_script("release")

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A wink.\n\n## [0.1.0] - 2026-01-02\n"


def git(root: Path, *words: str) -> str:
    return subprocess.run(
        ("git", "-c", "user.name=T", "-c", "user.email=t@example.org", *words),
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "T")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "t@example.org")
    (tmp_path / "edge").mkdir()
    (tmp_path / "edge/__init__.py").write_text('"""Mien."""\n\n__version__ = "0.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / ".gitignore").write_text("/var/\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    return tmp_path


class Workshop:
    """Git and tar for real; what needs a network or minutes leaves its result or fails."""

    def __init__(self, fails: str = "") -> None:
        self.fails, self.built_version = fails, ""
        self.bundle_words: list[str] = []

    def __call__(self, command: Sequence[str], folder: Path) -> str:
        words = " ".join(command)
        if self.fails and self.fails in words:
            raise release.ReleaseError("It failed; mend it.")
        if command[0] in ("git", "tar"):
            return str(release.run(command, folder))
        if "build" in command:
            self.built_version = (folder / "edge/__init__.py").read_text()
            (Path(command[-1]) / "mien-0.2.0-py3-none-any.whl").write_bytes(b"wheel")
        if "bundle" in command:
            self.bundle_words = list(command)
            Path(command[command.index("--out") + 1]).write_bytes(b"bundle")
        return ""


def test_a_release_has_its_version_its_notes_its_tag_and_its_sums(repo: Path) -> None:
    workshop = Workshop()
    key = repo / "var/key"
    key.parent.mkdir()
    key.touch()
    words = ["0.2.0", "--bundle", "aarch64/3.13", "--sign", str(key)]
    assert release.main(words, repo, workshop) == 0
    assert workshop.bundle_words[-2:] == ["--sign", str(key)]
    assert '__version__ = "0.2.0"' in workshop.built_version
    assert '__version__ = "0.2.0"' in git(repo, "show", "v0.2.0:edge/__init__.py")
    today = datetime.date.today().isoformat()
    assert (
        f"## [Unreleased]\n\n## [0.2.0] - {today}\n\n### Added\n\n- A wink.\n\n## [0.1.0]"
        in git(repo, "show", "v0.2.0:CHANGELOG.md")
    )
    assert "### Added\n\n- A wink." in git(repo, "tag", "--list", "-n9", "--format=%(contents)")
    assert git(repo, "status", "--porcelain") == ""
    out = repo / "var/release/0.2.0"
    lines = (out / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert sums == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert sorted(sums) == ["mien-0.2.0-aarch64-py3.13.tar", "mien-0.2.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    "step",
    ["setup.sh test", "-m build", "import edge", "bundle", "git commit", "git tag --annotate"],
)
def test_a_step_that_fails_leaves_the_repository_as_it_was(
    repo: Path, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release.main(["0.2.0"], repo, Workshop(fails=step)) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "release: It failed; mend it."
    assert git(repo, "status", "--porcelain") == git(repo, "tag") == ""
    assert git(repo, "log", "--format=%s") == "Begin\n"


@pytest.mark.parametrize(
    ("version", "spoil", "says"),
    [
        ("0.2", "", '"0.2" is no version'),
        ("0.0.9", "", "0.0.9 is older than 0.1.0"),
        ("0.1.0", "", "CHANGELOG.md has 0.1.0 already"),
        ("0.2.0 --sign none", "", "There is no key none"),
        ("0.2.0", "git tag v0.2.0", "The tag v0.2.0 is there already"),
        ("0.2.0", "git checkout -q --detach", "No branch is checked out"),
        ("0.2.0", "touch new", "The working tree has changes"),
        ("0.2.0", "sed -i s/^-.*// CHANGELOG.md && git commit -qam x", "CHANGELOG.md has nothing"),
    ],
)
def test_what_is_not_fit_for_a_release_is_refused_in_one_sentence(
    repo: Path, version: str, spoil: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(spoil, shell=True, cwd=repo, check=True)
    words = [*version.split(), "--dry-run"]
    assert release.main(words, repo, Workshop(fails="setup.sh")) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"release: {says}")
    assert said.count("\n") == 1


def test_a_wrong_command_line_is_refused_with_2(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        release.main(["--bundel", "--dry-run"], repo, Workshop(fails="setup.sh"))
    assert capsys.readouterr().err.startswith("release: The command line is wrong")


def test_a_dry_run_names_every_step_and_takes_none(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release.main(["0.2.0", "--dry-run"], repo, Workshop(fails="setup.sh")) == 0
    steps = capsys.readouterr().out.splitlines()
    assert len(steps) == 8
    assert all(step.startswith("would: ") for step in steps)
    assert not (repo / "var").exists()
