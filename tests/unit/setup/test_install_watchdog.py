"""What ./setup.sh install does about the hardware watchdog."""

import shutil
from pathlib import Path

import pytest

from tests.unit.setup.install_device import CANNOT, Device

pytestmark = pytest.mark.skipif(CANNOT, reason="set-up needs bash and the checkout")


@pytest.fixture
def board(device: Device) -> Device:
    """With a watchdog that nobody feeds."""
    folder = device.root / "sys/class/watchdog/watchdog0"
    folder.mkdir(parents=True)
    (folder / "state").write_text("inactive\n")
    return device


def drop_in(device: Device) -> Path:
    return device.root / "etc/systemd/system.conf.d/mien-watchdog.conf"


def test_is_switched_on_when_asked_for_and_off_by_uninstall(board: Device) -> None:
    done = board.installed("--watchdog")
    assert "[11/13] Watchdog: restarts the board when that hangs for 10 s" in done.stderr
    lines = drop_in(board).read_text().splitlines()
    # A Raspberry Pi's counts to 15 s.
    assert lines[-2:] == ["[Manager]", "RuntimeWatchdogSec=10s"]
    assert "systemctl daemon-reexec" in board.calls()
    assert "fed by systemd already" in board.installed("--watchdog").stderr
    board.calls()
    board.passes("uninstall")
    assert not drop_in(board).exists()
    assert "systemctl daemon-reexec" in board.calls()


@pytest.mark.parametrize("words", [(), ("--yes",)])
def test_stays_off_unless_somebody_wants_it(board: Device, words: tuple[str, ...]) -> None:
    done = board.installed(*words)
    assert "sudo ./setup.sh install --watchdog lets it restart" in done.stderr
    assert not drop_in(board).exists()


@pytest.mark.parametrize(("answer", "written"), [("y", True), ("", False)])
def test_a_person_at_the_terminal_is_asked(board: Device, answer: str, written: bool) -> None:
    if shutil.which("script") is None:
        pytest.skip("needs script")
    script = f"echo '{answer}' >answer; script -qec './setup.sh install' /dev/null <answer; :"
    assert "hangs for 10 s? [y/N]" in board.setup(script=script).stdout
    assert drop_in(board).exists() is written


def test_is_left_to_who_feeds_it(board: Device) -> None:
    (board.root / "sys/class/watchdog/watchdog0/state").write_text("active\n")
    assert "another program feeds it" in board.installed("--watchdog").stderr
    systemctl = board.tools / "systemctl"
    systemctl.write_text(systemctl.read_text() + 'case "$*" in show*) echo 1min ;; esac\n')
    assert "fed by systemd already" in board.installed("--watchdog").stderr
    assert not drop_in(board).exists()


def test_dry_run_only_says_so(board: Device) -> None:
    done = board.installed("--watchdog", "--dry-run")
    assert f"would: write {drop_in(board)}" in done.stdout
    assert not drop_in(board).exists()


def test_without_one_nothing_is_said(device: Device) -> None:
    assert "Watchdog" not in device.installed().stderr
