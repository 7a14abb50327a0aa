"""`mien config show`, `check` and `default`."""

from pathlib import Path
from typing import Annotated

import typer

from edge.commands.options import ConfigOption, examples
from edge.commands.paths import local_file
from edge.errors import SettingsError
from edge.process.printable import printable

app = typer.Typer(
    help="Show, check or write down the settings.",
    epilog=examples(
        "mien config default > config.toml",
        "mien config check config.toml",
        "MIEN_CAMERA__SOURCE=1 mien config show",
    ),
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """Print help when no command is given."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(epilog=examples("mien config show", "mien config show --config my.toml"))
def show(config: ConfigOption = None) -> None:
    """Print what holds, and where it came from."""
    from edge.config.load import load_settings
    from edge.config.render import effective_toml

    loaded = load_settings(config)
    origins = {name: printable(origin) for name, origin in loaded.origins.items()}
    print(effective_toml(loaded.settings, origins), end="")


@app.command(epilog=examples("mien config check", "mien config check my.toml"))
def check(
    file: Annotated[
        Path | None,
        typer.Argument(
            parser=local_file, help="A settings file, checked together with the other places."
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Find every mistake.

    Exits with 2 when there is one.
    """
    from edge.config.adapters import registry
    from edge.config.load import try_settings
    from edge.config.paths import SYSTEM_CONFIG

    if file is not None and config is not None and file != config:
        raise SettingsError("Name one file, as FILE or with --config.")
    file = file or config
    _, problems = try_settings(file)
    if problems:
        for problem in problems:
            typer.echo(printable(problem), err=True)
        raise typer.Exit(SettingsError.exit_code)
    for problem in registry().problems:  # no mistake of the settings
        typer.echo(printable(problem), err=True)
    places = [
        printable(place) for place in (SYSTEM_CONFIG, file) if place is not None and place.exists()
    ]
    print(f"No mistakes in {' and '.join([*places, 'the environment'])}.")


@app.command(epilog=examples("mien config default", "mien config default > my.toml"))
def default() -> None:
    """Print a file with everything explained."""
    from edge.config.render import default_toml

    print(default_toml(), end="")
