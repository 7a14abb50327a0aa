"""Puts small faults into the modules that all others rest on and counts those that no test sees.

python -m tests.mutation [--jobs N] [MODULE ...], such as fusion. It fails where under 85 % are seen,
where one that was not seen has no reason in survivors.toml, and where that names one that is seen.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Column, Table

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trial import end, start, time_alone

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LEAST: Final = 0.85
UNIT: Final = "tests/unit/edge"
TARGETS: Final = {
    "edge/fusion.py": (f"{UNIT}/test_fusion.py",),
    "edge/messages.py": (f"{UNIT}/test_messages.py",),
    "edge/runtime/idle_policy.py": (f"{UNIT}/runtime/test_idle_policy.py",),
    "edge/runtime/load_policy.py": (f"{UNIT}/runtime/test_load_policy.py",),
    "edge/runtime/restart_policy.py": (f"{UNIT}/runtime/test_restart_policy.py",),
    "edge/runtime/rate_control.py": (f"{UNIT}/runtime/test_rate_control.py",),
    "edge/runtime/supervisor.py": (f"{UNIT}/runtime/test_supervisor.py",),
    "edge/runtime/statistics.py": (f"{UNIT}/runtime/test_statistics.py",),
    "edge/process/no_network.py": (f"{UNIT}/process/test_no_network.py",),
    "edge/perception/speech_gate.py": (f"{UNIT}/perception/test_speech_gate.py",),
    "edge/perception/attention.py": (f"{UNIT}/perception/test_attention.py",),
}
"""Each module and the tests that are to see what is wrong with it."""


def main() -> int:
    """Run the command; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="all of them when left out")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at a time")
    chosen = parser.parse_args()
    files = [file for file in TARGETS if not chosen.modules or Path(file).stem in chosen.modules]
    reasons = _reasons()
    module = Column("module", min_width=max(map(len, files), default=0))
    table = Table(module, "mutants", "killed", "survived", "score", "reasons")
    wrong: list[str] = []
    for file in files:
        mutants = list(mutants_of(Path(file)))
        survivors = _survivors(file, mutants, chosen.jobs)
        own = reasons.get(file, {})
        known = {**reasons.get("*", {}), **own}
        score = 1 - len(survivors) / len(mutants)
        names = {mutant.change for mutant in survivors}
        table.add_row(
            file,
            str(len(mutants)),
            str(len(mutants) - len(survivors)),
            str(len(survivors)),
            f"{score:.1%}",
            "; ".join(sorted({known[name] for name in names if name in known})),
        )
        if score < LEAST:
            wrong.append(f"{file}: only {score:.1%} are seen, {LEAST:.0%} are wanted.")
        for mutant in survivors:
            if mutant.change not in known:
                wrong.append(f"{file}:{mutant.line}: not seen, and no reason: {mutant.change}")
        for change in own.keys() - names:
            wrong.append(f"{file}: seen by now, take it out of survivors.toml: {change}")
    Console().print(table)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


def _reasons() -> dict[str, dict[str, str]]:
    """By file and change, why nobody can see it or nobody need to."""
    listed = tomllib.loads((Path(__file__).with_name("survivors.toml")).read_text())
    return {
        file: {change: group["reason"] for group in groups for change in group["changes"]}
        for file, groups in listed.items()
    }


def _survivors(file: str, mutants: list[Mutant], jobs: int) -> list[Mutant]:
    tests = TARGETS[file]
    limit_s = 10 + 5 * time_alone(tests)
    waiting, running, survivors = mutants[::-1], dict[int, tuple[Mutant, float]](), list[Mutant]()
    with Progress(
        *Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn()
    ) as bar:
        task = bar.add_task(file, total=len(mutants))
        while waiting or running:
            while waiting and len(running) < jobs:
                mutant = waiting.pop()
                running[start(tests, mutant)] = mutant, time.monotonic() + limit_s
            for child, (mutant, deadline_s) in list(running.items()):
                done, status = os.waitpid(child, os.WNOHANG)
                if not done and time.monotonic() < deadline_s:
                    continue
                if not done:  # it never ends, which would be noticed
                    end(child)
                elif status == 0:
                    survivors.append(mutant)
                del running[child]
                bar.advance(task)
            time.sleep(0.01)
    return sorted(survivors, key=lambda mutant: (mutant.line, mutant.change))


if __name__ == "__main__":
    sys.exit(main())
