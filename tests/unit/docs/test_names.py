"""Every path, module and command of set-up that the docs name is there."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.config.paths import REPO_ROOT

PATH = re.compile(
    r"(?<![\w/.-])(?:\.ci|convert|docs|edge|models_tflite|setup|systemd|tests)/[\w./*-]*\w"
)
MODULE = re.compile(r"(?<![\w/.])(?:convert|edge)(?:\.[a-z_]\w*)+(?:\.[A-Z]\w*)?")
PAGES = [
    path.relative_to(REPO_ROOT).as_posix()
    for path in [
        *REPO_ROOT.glob("*.md"),
        *REPO_ROOT.glob(".github/**/*.md"),
        *REPO_ROOT.glob("docs/**/*.md"),
    ]
]


def is_there(module: str) -> bool:
    """Whether *module*, or the module before its last word, is there and has that word."""
    path = REPO_ROOT / module.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    if path == path.parent:
        return False
    parent, name = path.parent, path.name
    file = parent / "__init__.py" if parent.is_dir() else parent.with_suffix(".py")
    if not file.is_file():
        return parent != REPO_ROOT and is_there(module.rpartition(".")[0])
    return re.search(rf"^\s*(?:def |class )?{name}\b", file.read_text("utf-8"), re.M) is not None


def docstrings() -> Iterator[tuple[Path, str]]:
    for folder in ("edge", "convert"):
        for file in (REPO_ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                    yield file.relative_to(REPO_ROOT), str(node.value.value)


@pytest.mark.parametrize("page", PAGES)
def test_a_path_or_module_that_a_page_names_is_there(page: str) -> None:
    text = (REPO_ROOT / page).read_text(encoding="utf-8")
    ignored = ("models_tflite/fetched", "systemd/system")
    paths = [each for each in PATH.findall(text) if not each.startswith(ignored)]
    assert [each for each in paths if not list(REPO_ROOT.glob(each))] == []
    assert [each for each in MODULE.findall(text) if not is_there(each)] == []


def test_a_module_that_a_docstring_names_is_there() -> None:
    missing = [
        (str(file), name)
        for file, text in docstrings()
        for name in re.findall(r"`((?:convert|edge)\.[\w.]*\w)`", text)
        if not is_there(name)
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_a_file_of_the_repository_leads_somewhere(page: str) -> None:
    file = REPO_ROOT / page
    links = re.findall(r"\]\(([^)#\s]+)", file.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (file.parent / link).exists()] == []


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    pytest.importorskip("mkdocstrings", reason="the extra docs is not installed")
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=REPO_ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 40
    fetched = r"<(?:link[^>]*stylesheet|script|img)[^>]*(?:href|src)=\"?(?:https?:)?//"
    assert [page for page in pages if re.search(fetched, page.read_text("utf-8"))] == []
