import os
import signal
from collections.abc import Iterator

import pytest

from edge.process.signals import stopped_by_signals

ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM, signal.SIGXCPU)


@pytest.fixture(autouse=True)
def surviving() -> Iterator[None]:
    """A signal that is not handled must fail the test, not end the test run."""

    def fail(number: int, frame: object) -> None:
        pytest.fail(f"signal {number} reached the process")

    before = {number: signal.signal(number, fail) for number in ALL}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ALL)
def test_signal_asks_to_stop_instead_of_ending_the_process(number: signal.Signals) -> None:
    asked: list[str] = []
    with stopped_by_signals(lambda: asked.append("stop")):
        os.kill(os.getpid(), number)
        assert asked == ["stop"]
        os.kill(os.getpid(), number)
    assert asked == ["stop", "stop"]


def test_the_first_quit_stops_in_order_and_a_second_one_ends_at_once() -> None:
    asked: list[str] = []
    before = signal.getsignal(signal.SIGQUIT)
    with stopped_by_signals(lambda: asked.append("stop")):
        os.kill(os.getpid(), signal.SIGQUIT)
        assert asked == ["stop"]
        assert signal.getsignal(signal.SIGQUIT) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGQUIT) == before


@pytest.mark.parametrize(
    ("terminal_after", "asked_for"), [([True, True], "reopen"), ([True, False], "stop")]
)
def test_hangup_reopens_files_unless_the_terminal_itself_hung_up(
    monkeypatch: pytest.MonkeyPatch, terminal_after: list[bool], asked_for: str
) -> None:
    terminal, asked = iter(terminal_after), list[str]()
    monkeypatch.setattr("edge.process.signals._has_terminal", lambda: next(terminal))
    with stopped_by_signals(lambda: asked.append("stop"), lambda: asked.append("reopen")):
        os.kill(os.getpid(), signal.SIGHUP)
    assert asked == [asked_for]


def test_handlers_are_restored_even_after_a_failure() -> None:
    before = [signal.getsignal(number) for number in ALL]
    with pytest.raises(ZeroDivisionError), stopped_by_signals(lambda: None):
        assert all(signal.getsignal(number) not in before for number in ALL)
        raise ZeroDivisionError
    assert [signal.getsignal(number) for number in ALL] == before


def test_hangup_stays_ignored_under_nohup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    asked: list[str] = []
    with stopped_by_signals(lambda: asked.append("stop")):
        os.kill(os.getpid(), signal.SIGHUP)
    assert asked == []
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
