"""What the site holds beyond docs/: pages that live elsewhere in the repository, with their links.

A link in a page is right where the file lies, so that it works on the repository's own pages too;
here it is turned into one that is right on the site.
"""

import posixpath
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ELSEWHERE: Final = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "models_tflite/*_CARD.md",
    "models_tflite/pictures/*.png",
)
"""Patterns of files outside docs/ that are on the site, by the same names."""

_LINK: Final = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def on_config(config: MkDocsConfig) -> None:
    """List every decision in the navigation, so that a new one is its page alone."""
    pages = sorted(Path(config.docs_dir).glob("decisions/[0-9]*.md"))
    for section in config.nav or ():
        section.get("Decisions", []).extend(f"decisions/{page.name}" for page in pages)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of `ELSEWHERE`."""
    root = Path(config.config_file_path).parent
    for pattern in ELSEWHERE:
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn each link between docs/ and the rest of the repository into one inside the site.

    What the site does not hold (a script, the licence) keeps its words and loses its link.
    """
    own = page.file.src_uri
    outside = page.file.generated_by is not None
    folder = posixpath.dirname(own if outside else f"docs/{own}")

    def mended(link: re.Match[str]) -> str:
        mark, text, target = link.groups()
        parts = urlsplit(target)
        if parts.scheme or not parts.path:
            return link.group()
        path = posixpath.normpath(posixpath.join(folder, parts.path))
        # README.md is what begins the repository, docs/README.md what begins the site.
        name = path.removeprefix("docs/")
        if files.get_file_from_path(name) is None:
            return link.group() if path.startswith("docs/") else str(text)
        to = posixpath.relpath(name, posixpath.dirname(own) or ".")
        return f"{mark}[{text}]({to}{'#' + parts.fragment if parts.fragment else ''})"

    return _LINK.sub(mended, markdown)
