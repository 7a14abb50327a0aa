import os
import socket
from pathlib import Path

import pytest

from edge.process.systemd import Notifier, open_notifier, under_systemd, watchdog_s
from tests.fakes.world import World


def test_ready_and_status_are_said_once_each() -> None:
    heard = World()
    notifier = Notifier(heard)
    for line in ("Running: face ok", "Running: face ok", "Fault:\nno camera"):
        notifier.ready()
        notifier.status(line)
    notifier.stopping()
    assert heard.systemd == [
        "READY=1",
        "STATUS=Running: face ok",
        "STATUS=Fault: no camera",
        "STOPPING=1",
    ]


def test_signs_of_life_come_four_times_in_the_watchdog_time_where_somebody_watches() -> None:
    heard, unwatched = World(), World()
    notifier = Notifier(heard, watchdog_s=20.0)
    for tick in range(2000):
        notifier.alive(1000 + tick * 0.05)
    assert heard.systemd == ["WATCHDOG=1"] * 20
    Notifier(unwatched).alive(5.0)
    assert unwatched.systemd == []


def test_watchdog_of_another_process_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert watchdog_s() == 20.0
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid() + 1))
    assert watchdog_s() == 0.0
    monkeypatch.delenv("WATCHDOG_PID")
    assert watchdog_s() == 20.0
    for wrong in ("soon", "-5", "9" * 5_000):
        monkeypatch.setenv("WATCHDOG_USEC", wrong)
        assert watchdog_s() == 0.0


def test_says_nothing_outside_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not under_systemd()
    notifier = open_notifier()
    notifier.ready()
    notifier.alive(0.0)
    assert notifier.told_ready


def test_reaches_the_socket_that_systemd_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        server.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "8000000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        notifier = open_notifier()
        notifier.ready()
        notifier.status("Fault: 85 °C, too hot")
        notifier.alive(0.0)
        heard = [server.recv(4096).decode() for _ in range(3)]
    assert heard == ["READY=1", "STATUS=Fault: 85 °C, too hot", "WATCHDOG=1"]


def test_full_socket_of_systemd_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        notifier = open_notifier(send_s=0.001)
        for number in range(700):
            notifier.status(f"line {number}")
        notifier.stopping()
