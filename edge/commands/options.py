"""Options that several commands share, and how their examples are written."""

from pathlib import Path
from typing import Annotated

import typer

from edge.commands.paths import local_file

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        parser=local_file,
        metavar="FILE",
        help="Settings that override those of /etc/mien/config.toml.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def examples(*lines: str) -> str:
    """The end of a help page, one line for each example."""
    # \b tells the help page to leave the lines as they are.
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
