"""What holds for every test."""

import signal
from collections import Counter

import pytest
from hypothesis import settings

# A busy machine is no failure: how long an example takes says nothing about what it shows.
settings.register_profile("mien", deadline=None)
settings.load_profile("mien")

# A shell's background job ignores these, and so would every program that a test starts and interrupts.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(
            number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        )


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Say what did not run, and why: by reason, with the number of tests and of whole files."""
    tests, files = Counter[str](), Counter[str]()
    for report in terminalreporter.stats.get("skipped", []):
        if isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ").splitlines()[0]
            (files if isinstance(report, pytest.CollectReport) else tests)[reason] += 1
    if not (tests or files):
        return
    terminalreporter.section("did not run")
    terminalreporter.write_line("tests files  why")
    for reason, _ in (files + tests).most_common():
        terminalreporter.write_line(f"{tests[reason]:5} {files[reason]:5}  {reason}")
