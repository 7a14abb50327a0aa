"""Shows a calibration to a person."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from edge.calibration.prior import Calibration, factors
from edge.emotions import EMOTIONS
from edge.fusion import FusionOptions
from edge.process.printable import printable


def print_calibration(
    known: Calibration, options: FusionOptions, file: Path, trouble: str = ""
) -> None:
    """Print what each sense makes of the person at rest, and by what each emotion counts less.

    Args:
        known: at least one sense.
        options: of the fusion without it.
        file: where it is kept.
        trouble: a sentence on what could not be used.
    """
    table = Table(title="You at rest")
    table.add_column("")
    columns: list[list[str]] = []
    for sense, rest, prior in (
        ("face", known.face, options.face_class_prior),
        ("voice", known.voice, options.voice_class_prior),
    ):
        if rest is not None:
            table.add_column(f"{sense} reads as", justify="right")
            table.add_column("then counts", justify="right")
            columns.append([f"{part:.0%}" for part in rest.reading])
            columns.append([f"x {factor:.2f}" for factor in factors(prior, rest)])
    for row, emotion in enumerate(EMOTIONS):
        table.add_row(emotion, *(column[row] for column in columns))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    seen = [
        f"{rest.seconds:.1f} good seconds of {sense}"
        for sense, rest in (("face", known.face), ("voice", known.voice))
        if rest is not None
    ]
    console.print(f"From {' and '.join(seen)}; kept in {printable(file)}.", markup=False)
    for sense, rest in (("face", known.face), ("voice", known.voice)):
        top = EMOTIONS[int(rest.reading.argmax())] if rest is not None else "neutral"
        if top != "neutral":
            console.print(
                f"Your {sense} at rest reads as {top} rather than neutral, which counts for less "
                "from now on. If you were not at rest, calibrate again."
            )
    if trouble:
        console.print(printable(trouble), markup=False)
    if options.weights == "70-30":
        console.print('It has no effect while [fusion] weights is "70-30".', markup=False)
