"""The hardware watchdog and systemd's settings of it."""

import math
from pathlib import Path

import pytest

from edge.diagnostics.checks import Check
from edge.diagnostics.checks.machine import check_watchdog
from edge.hardware.watchdog import Watchdog, configured_s, find_watchdogs, timespan_s

PI = "Raspberry Pi 4 Model B Rev 1.5"


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_finds_what_the_kernel_has_drivers_for(tmp_path: Path) -> None:
    assert find_watchdogs(tmp_path) == []
    write(tmp_path, "dev/watchdog", "")
    assert find_watchdogs(tmp_path) == [Watchdog("watchdog", None, math.inf)]
    pi, other = "sys/class/watchdog/watchdog0", "sys/class/watchdog/watchdog1"
    write(tmp_path, f"{pi}/identity", "Broadcom BCM2835 Watchdog timer\n")
    write(tmp_path, f"{pi}/state", "active\n")
    write(tmp_path, f"{other}/identity", "iTCO_wdt\n")
    write(tmp_path, f"{other}/max_timeout", "0\n")
    assert find_watchdogs(tmp_path) == [
        Watchdog("Broadcom BCM2835 Watchdog timer", True, 15),
        Watchdog("iTCO_wdt", None, math.inf),
    ]


def test_reads_the_settings_as_systemd_does(tmp_path: Path) -> None:
    assert configured_s(tmp_path) == 0
    write(tmp_path, "etc/systemd/system.conf", "[Manager]\n#RuntimeWatchdogSec=5\n")
    assert configured_s(tmp_path) == 0
    write(tmp_path, "usr/lib/systemd/system.conf.d/40-board.conf", "RuntimeWatchdogSec=1min 30s\n")
    assert configured_s(tmp_path) == 90
    # One of the same name in /etc hides it; the last by name counts.
    write(tmp_path, "etc/systemd/system.conf.d/40-board.conf", "RuntimeWatchdogSec=off\n")
    assert configured_s(tmp_path) == 0
    write(tmp_path, "etc/systemd/system.conf.d/mien-watchdog.conf", "RuntimeWatchdogSec=10s\n")
    assert configured_s(tmp_path) == 10


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("10s", 10), ("1min 30s", 90), ("500ms", 0.5), ("infinity", math.inf), ("x", None)],
)
def test_understands_times_as_systemd_writes_them(text: str, seconds: float | None) -> None:
    assert timespan_s(text) == seconds


def check(board: str, dogs: list[Watchdog], fed_s: float | None = 0, wanted_s: float = 0) -> Check:
    (found,) = check_watchdog(board, lambda: dogs, lambda: fed_s, lambda: wanted_s)
    return found


def test_doctor_says_whether_a_board_that_hangs_starts_again() -> None:
    dog = Watchdog("bcm", active=False, longest_s=15)
    fed = check(PI, [dog], fed_s=10)
    assert (fed.state, fed.says) == ("ok", "bcm starts the board again when it hangs for 10 s")
    hungry = check(PI, [dog])
    assert hungry.state == "warning"
    assert hungry.fix.endswith("setup.sh install --watchdog")
    assert check("", [dog]).state == "ok"  # a PC, with a person before it
    assert check(PI, [Watchdog("bcm", active=True)]).says == (
        "bcm is fed by another program than systemd"
    )
    assert check(PI, [dog], wanted_s=10).fix == "sudo systemctl daemon-reexec"
    assert "counts to 15 s, but RuntimeWatchdogSec is 60 s" in check(PI, [dog], fed_s=60).says
    # Without systemd's word, as in a sandbox, its settings count.
    assert check(PI, [dog], fed_s=None, wanted_s=10).says == fed.says


def test_a_raspberry_pi_without_one_has_it_switched_off() -> None:
    assert "dtparam=watchdog=on" in check(PI, []).fix
    assert check("NVIDIA Jetson", []).state == "ok"
