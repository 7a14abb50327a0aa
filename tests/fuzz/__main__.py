"""`python -m tests.fuzz`: damaged and hostile files against the real commands.

Each case damages a file by a fixed seed and runs a command of `mien` in a child process. It may
fail with one sentence. It may not show a traceback, end by a signal, take longer than 10 s, print
control characters, write outside its own folder, onto its input, or an event that is no JSON.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.fuzz.kinds import KINDS, Originals
from tests.fuzz.runner import Case, Child, Outcome, preload

AT_ONCE: Final = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the cases that the command line asks for; 0 when all of them ended well."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=60, metavar="N", help="how many: 60")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the damages: 0")
    parser.add_argument("--kind", choices=KINDS, help="this kind alone")
    parser.add_argument("--case", type=int, metavar="N", help="this case of --kind alone")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="put the folders of faults there"
    )
    options = parser.parse_args(arguments)
    kinds = [options.kind] if options.kind else list(KINDS)
    if options.case is not None:
        cases = [Case(kinds[0], options.case, options.seed)]
    else:
        cases = [
            Case(kinds[number % len(kinds)], number // len(kinds), options.seed)
            for number in range(options.cases)
        ]
    console = Console(stderr=True, highlight=False)
    sys.dont_write_bytecode = True
    preload()
    counts: Counter[str] = Counter()
    failed: list[Outcome] = []
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, disable=not console.is_terminal, auto_refresh=False,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch, bar:
        task = bar.add_task("damaging", total=len(cases))
        for outcome in run(cases, Path(scratch), options.keep):
            counts[outcome.case.kind] += 1
            if outcome.faults:
                failed.append(outcome)
                console.print(_told(outcome), markup=False, soft_wrap=True)
            bar.update(task, advance=1, refresh=True)
    for kind in kinds:
        bad = sum(outcome.case.kind == kind for outcome in failed)
        print(f"{kind:13} {counts[kind]:5} cases, {bad} faults")
    return 1 if failed else 0


def run(cases: list[Case], scratch: Path, keep: Path | None) -> Iterator[Outcome]:
    """The outcomes of *cases*, some at a time."""
    import time

    originals = Originals(scratch / "originals").make()
    waiting, running = cases[::-1], dict[Child, Path]()
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            case = waiting.pop()
            place = scratch / f"{case.kind}-{case.number}"
            running[Child(case, originals, place)] = place
        for child in list(running):
            outcome = child.outcome()
            if outcome is None:
                continue
            place = running.pop(child)
            if outcome.faults and keep is not None:
                shutil.copytree(place, keep / place.name, symlinks=True, ignore=_special)
            shutil.rmtree(place)
            yield outcome
        time.sleep(0.005)


def _special(folder: str, names: list[str]) -> list[str]:
    """What cannot be copied: pipes, devices, and files without end."""
    files = {name: Path(folder, name) for name in names}
    return [
        name
        for name, file in files.items()
        if not file.is_dir() and (not file.is_file() or file.stat().st_size > 10**8)
    ]


def _told(outcome: Outcome) -> str:
    said = "\n    ".join(repr(line)[1:-1][:300] for line in outcome.said.splitlines()[-6:])
    return (
        f"{outcome.case.kind} {outcome.case.number}: {'; '.join(outcome.faults)}\n"
        f"    mien {' '.join(outcome.arguments)}\n    {said}\n    {outcome.case.again}"
    )


if __name__ == "__main__":
    sys.exit(main())
