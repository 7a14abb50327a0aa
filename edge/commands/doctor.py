"""`mien doctor`, and the report that it packs for a maintainer."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from edge.commands.options import ConfigOption, JsonOption, examples
from edge.commands.paths import local_file
from edge.errors import OutputError, SettingsError
from edge.process.printable import printable

REPORT_FILE: Final = Path("mien-report.txt")
EXAMPLES: Final = examples(
    "mien doctor",
    "mien doctor --json",
    "mien doctor --config my.toml",
    "mien doctor --report            writes mien-report.txt, to go with a report of a fault",
    "mien doctor --report --out -    to the standard output",
)


def doctor(
    json: JsonOption = False,
    report: Annotated[
        bool,
        typer.Option(
            "--report", help="Pack what a maintainer needs into one file, and nobody's name."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=local_file,
            metavar="FILE",
            help='Where the report goes; "-" is the standard output.',
            show_default=str(REPORT_FILE),
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Check everything and name each fix.

    Exits with 1 when there is a problem; a warning is no problem.
    """
    if out is not None and not report:
        raise SettingsError("--out is where a report goes; add --report.")
    if report and json:
        raise SettingsError("--report is a text of its own; drop --json.")
    from edge.diagnostics.doctor import examine, print_as_json, print_as_lines

    if report:
        write_report(config, out or REPORT_FILE)
        return
    checks = list(examine(config))
    failed = print_as_json(checks) if json else print_as_lines(checks)
    raise typer.Exit(1 if failed else 0)


def write_report(config: Path | None, out: Path) -> None:
    """Write the report to *out*, and say so on the standard error.

    Raises:
        SettingsError: *out* is another file than a report.
        OutputError: it cannot be written.
    """
    to_stdout = str(out) == "-"
    if not to_stdout:
        check_target(out)
    from edge.diagnostics.doctor import examine
    from edge.diagnostics.report import report
    from edge.process.written_files import written_whole

    checks = list(examine(config))
    for check in checks:
        if check.name == "settings" and check.state == "problem":
            typer.echo(f"mien: The report is without your settings: {check.says}", err=True)
    text = report(checks, config)
    if to_stdout:
        print(text)
        return
    try:
        with written_whole(out) as stream:
            stream.write(text.encode("utf-8", "replace"))
    except OSError as error:
        raise unwritable(out, error) from error
    typer.echo(
        f"Written to {printable(out)}: read it, and send it along with your report of the fault.",
        err=True,
    )


def check_target(out: Path) -> None:
    """Refuse a file that is no report, and a folder that cannot be written to, before it takes time.

    Raises:
        SettingsError: it is another file.
        OutputError: it cannot be written there.
    """
    from edge.diagnostics.report import is_report
    from edge.process.regular_files import read_regular

    try:
        present = read_regular(out, 64_000_000)
    except FileNotFoundError:
        present = b""
    except OSError as error:
        raise unwritable(out, error) from error
    if present and not is_report(present.decode("utf-8", "replace")):
        raise SettingsError(f"{out} is there and no report of Mien; give another --out.")
    folder = out.absolute().parent
    if not folder.is_dir():
        raise OutputError(
            f"There is no folder {folder} to write the report to; give another --out."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"This user may not write to {folder}: give another file with --out, or --out - for the "
            "standard output."
        )


def unwritable(out: Path, error: OSError) -> OutputError:
    """The error for *out*."""
    return OutputError(
        f"The report cannot be written to {out} ({error.strerror}); give another file with --out, or "
        "--out - for the standard output."
    )
